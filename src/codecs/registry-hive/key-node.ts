import type {FileTime} from '../../model/windows-metadata.js'
import {corruptAt, hex} from './hive-fault.js'
import type {KeyDisposition} from './hive-key.js'
import {KeyFlag} from './hive-key.js'

/** Bytes of a key node before its name. */
export const KEY_NODE_BYTES = 76
/** Bit of the layer byte: the class is inherited. */
export const INHERITS_CLASS = 0x80
/** By the two low bits of the layer byte. Source: section 3.1 of the registry hive format page. */
export const DISPOSITIONS: readonly KeyDisposition[] = ['merge', 'tombstone', 'supersede-local', 'supersede-tree']

/** A key node (nk) as stored. */
export interface KeyNode {
  readonly flags: number
  readonly lastWrite: FileTime
  readonly layerByte: number
  readonly parentOffset: number
  readonly subkeyCount: number
  readonly subkeyListOffset: number
  readonly valueCount: number
  readonly valueListOffset: number
  readonly securityOffset: number
  readonly classOffset: number
  readonly controlFlags: number
  readonly classBytes: number
}

/** Decodes the fields of a checked key node. Source: section 1.3 of the registry hive format page. */
export function decodeKeyNode(cell: Buffer): KeyNode {
  return {
    //                                              0  "nk"
    flags: cell.readUInt16LE(2), //                 2  flags
    lastWrite: cell.readBigInt64LE(4), //           4  last write, FILETIME
    //                                             12  access bits
    layerByte: cell.readUInt8(13), //              13  layer semantics, inherit class
    //                                             14  spare
    parentOffset: cell.readUInt32LE(16), //        16  parent
    subkeyCount: cell.readUInt32LE(20), //         20  subkeys
    //                                             24  volatile subkeys
    subkeyListOffset: cell.readUInt32LE(28), //    28  subkey list
    //                                             32  volatile subkey list
    valueCount: cell.readUInt32LE(36), //          36  values
    valueListOffset: cell.readUInt32LE(40), //     40  value list
    securityOffset: cell.readUInt32LE(44), //      44  security cell
    classOffset: cell.readUInt32LE(48), //         48  class name
    //                                             52  largest subkey name, bytes as UTF-16
    controlFlags: cell.readUInt8(54), //           54  user flags, virtualisation control flags
    //                                             55  debug
    //                                             56  largest subkey class, bytes
    //                                             60  largest value name, bytes as UTF-16
    //                                             64  largest value data, bytes
    //                                             68  work variable
    //                                             72  name length, bytes
    classBytes: cell.readUInt16LE(74), //          74  class length, bytes
    //                                             76  name
  }
}

/** Checks that the cell at `offset` holds a key node with its name, and gives the name. Throws `HIVE_CORRUPT`. */
export function requireKeyName(cell: Buffer, offset: number): string {
  if (cell.byteLength < KEY_NODE_BYTES || cell.toString('latin1', 0, 2) !== 'nk') {
    throw corruptAt(offset, `Expected a key node at ${hex(offset)}.`)
  }
  const nameBytes = cell.readUInt16LE(72)
  if (KEY_NODE_BYTES + nameBytes > cell.byteLength) {
    throw corruptAt(offset, `The name of a key has ${nameBytes} bytes, but its cell only ${cell.byteLength}.`)
  }
  const isCompressed = (cell.readUInt16LE(2) & KeyFlag.compressedName) !== 0
  const name = decodeName(cell.subarray(KEY_NODE_BYTES, KEY_NODE_BYTES + nameBytes), isCompressed, offset)
  if (name.includes('\\')) throw corruptAt(offset, `The key name ${JSON.stringify(name)} contains a backslash.`)
  return name
}

/** A name of one byte a unit (Latin-1) or of UTF-16LE units, taken as they are. */
export function decodeName(bytes: Buffer, isCompressed: boolean, offset: number): string {
  if (isCompressed) return bytes.toString('latin1')
  if (bytes.byteLength % 2 !== 0)
    throw corruptAt(offset, `A UTF-16 name has an odd length of ${bytes.byteLength} bytes.`)
  return bytes.toString('utf16le')
}

/** True when every unit of a name fits a byte: Windows then stores it so. */
export function isCompressible(name: string): boolean {
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) > 0xff) return false
  return true
}

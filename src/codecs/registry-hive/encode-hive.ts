import {InternalError, UnsupportedError} from '../../model/errors.js'
import type {FileTime} from '../../model/windows-metadata.js'
import {BaseBlockFlag, encodeBaseBlock, LAYERED_MINOR} from './base-block.js'
import {CellWriter} from './cell-writer.js'
import {NIL} from './hive-cells.js'
import {KeyFlag, MAX_DEPTH, type HiveKey, type HiveValue} from './hive-key.js'
import {DISPOSITIONS, INHERITS_CLASS, isCompressible, KEY_NODE_BYTES} from './key-node.js'
import {SECURITY_CELL_BYTES} from './security-cell.js'
import {putSubkeyList, type ListedKey} from './subkey-leaf.js'
import {putValue} from './value-writer.js'

/** Options of writing a hive. */
export interface EncodeOptions {
  /** 3 to 6; a delta is always 6. */
  readonly minorVersion: number
  /** Keys and values carry layer bits: the hive is a delta. */
  readonly isLayered: boolean
  /** For the head of the file; default 0, as Windows itself leaves it since 8.1. */
  readonly lastWritten?: FileTime
  /** For the head of the file, where it only informs. */
  readonly fileName?: string
  /** Largest file to be made (`LIMIT_EXCEEDED`); default 1 GiB, far above any real hive. */
  readonly maxBytes?: number
}

const DEFAULT_MAX_BYTES = 2 ** 30
/** Most bytes of a name or class: the width of the field. */
const MAX_FIELD_BYTES = 0xffff

/**
 * The file of a hive with these keys: the same keys always give the same bytes. Keys are walked once, depth first, and
 * not kept. Throws `LIMIT_EXCEEDED` for what a hive cannot hold. Source: section 5.1 of the registry hive format page.
 */
export function encodeHive(root: HiveKey, options: EncodeOptions): Buffer {
  return new HiveEncoder(options).encode(root)
}

/** A key being written: its list of subkeys follows when all of them are. */
interface OpenKey {
  readonly offset: number
  readonly subkeys: readonly HiveKey[]
  readonly listed: ListedKey[]
  largestNameBytes: number
  largestClassBytes: number
}

class HiveEncoder {
  readonly #options: EncodeOptions
  readonly #minorVersion: number
  readonly #writer: CellWriter
  readonly #securities: {readonly bytes: Uint8Array; users: number}[] = []
  readonly #securityByBytes = new Map<string, number>()
  readonly #securityByObject = new WeakMap<Uint8Array, number>()
  /** Key nodes whose security field holds an index into `#securities` until those are written. */
  readonly #securedKeys: number[] = []

  constructor(options: EncodeOptions) {
    this.#options = options
    this.#minorVersion = options.isLayered ? LAYERED_MINOR : options.minorVersion
    this.#writer = new CellWriter(options.maxBytes ?? DEFAULT_MAX_BYTES)
  }

  encode(root: HiveKey): Buffer {
    const rootOffset = this.#putTree(root)
    this.#putSecurities()
    const {lastWritten = 0n, fileName = '', isLayered} = this.#options
    const head = encodeBaseBlock({
      minorVersion: this.#minorVersion,
      rootOffset,
      dataBytes: this.#writer.dataBytes,
      lastWritten,
      fileName,
      flags: isLayered ? BaseBlockFlag.layeredKeys : 0,
    })
    return this.#writer.finish(head, lastWritten)
  }

  #putTree(root: HiveKey): number {
    const first = this.#openKey(root, undefined)
    const open: OpenKey[] = [first]
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const subkey = top.subkeys[top.listed.length]
      if (subkey === undefined) {
        this.#closeKey(top)
        open.pop()
        continue
      }
      if (open.length > MAX_DEPTH) throw tooLarge(`its keys are nested deeper than ${MAX_DEPTH} levels`)
      open.push(this.#openKey(subkey, top))
    }
    return first.offset
  }

  /** Writes a key's node and values, everything but its list of subkeys. Source: section 1.3. */
  #openKey(key: HiveKey, parent: OpenKey | undefined): OpenKey {
    const isCompressed = isCompressible(key.name)
    const name = Buffer.from(key.name, isCompressed ? 'latin1' : 'utf16le')
    const {className} = key
    if (Math.max(name.byteLength, className.byteLength) > MAX_FIELD_BYTES) {
      throw tooLarge(`the name or class of a key has more than ${MAX_FIELD_BYTES} bytes`)
    }
    const offset = this.#writer.allocate(KEY_NODE_BYTES + name.byteLength)
    const flags =
      key.flags | (isCompressed ? KeyFlag.compressedName : 0) | (parent === undefined ? KeyFlag.hiveEntry : 0)
    const cell = this.#writer.at(offset)
    cell.write('nk', 0, 'latin1') //                        0  signature
    cell.writeUInt16LE(flags, 2) //                         2  flags
    cell.writeBigInt64LE(key.lastWrite, 4) //               4  last write, FILETIME
    cell.writeUInt8(this.#layerByte(key), 13) //           13  layer semantics, inherit class
    cell.writeUInt32LE(parent?.offset ?? NIL, 16) //       16  parent
    cell.writeUInt32LE(NIL, 28) //                         28  subkey list
    cell.writeUInt32LE(NIL, 32) //                         32  volatile subkey list
    cell.writeUInt32LE(NIL, 40) //                         40  value list
    this.#refer(key.security, offset, cell) //             44  security cell
    cell.writeUInt32LE(NIL, 48) //                         48  class name
    cell.writeUInt8(key.controlFlags, 54) //               54  user flags, virtualisation control flags
    cell.writeUInt16LE(name.byteLength, 72) //             72  name length, bytes
    cell.writeUInt16LE(className.byteLength, 74) //        74  class length, bytes
    name.copy(cell, KEY_NODE_BYTES) //                     76  name
    if (className.byteLength > 0) {
      const classOffset = this.#writer.put(className)
      this.#writer.at(offset).writeUInt32LE(classOffset, 48)
    }
    this.#putValues(key, offset)
    if (parent !== undefined) {
      parent.listed.push({name: key.name, offset})
      parent.largestNameBytes = Math.max(parent.largestNameBytes, key.name.length * 2)
      parent.largestClassBytes = Math.max(parent.largestClassBytes, className.byteLength)
    }
    return {offset, subkeys: key.subkeys(), listed: [], largestNameBytes: 0, largestClassBytes: 0}
  }

  #layerByte(key: HiveKey): number {
    const layerByte = DISPOSITIONS.indexOf(key.disposition) | (key.inheritsClass ? INHERITS_CLASS : 0)
    if (layerByte !== 0 && !this.#options.isLayered) throw layered(key.name)
    return layerByte
  }

  /** The node states the index of its descriptor until the security cells are laid out. */
  #refer(security: Uint8Array | undefined, offset: number, cell: Buffer): void {
    if (security === undefined) {
      cell.writeUInt32LE(NIL, 44)
      return
    }
    const index = this.#securityByObject.get(security) ?? this.#securityIndex(security)
    const entry = this.#securities[index]
    if (entry !== undefined) entry.users += 1
    this.#securityByObject.set(security, index)
    this.#securedKeys.push(offset)
    cell.writeUInt32LE(index, 44)
  }

  #securityIndex(security: Uint8Array): number {
    const text = Buffer.from(security.buffer, security.byteOffset, security.byteLength).toString('latin1')
    const index = this.#securityByBytes.get(text) ?? this.#securities.push({bytes: security, users: 0}) - 1
    this.#securityByBytes.set(text, index)
    return index
  }

  #putValues(key: HiveKey, offset: number): void {
    if (key.predefinedHandle !== undefined) {
      this.#writer.at(offset).writeUInt32LE(key.predefinedHandle, 36)
      return
    }
    const values = key.values()
    if (values.length === 0) return
    if (!this.#options.isLayered && values.some((value) => value.isTombstone)) throw layered(key.name)
    const nodes = values.map((value) => putValue(this.#writer, value, this.#minorVersion))
    const list = this.#writer.allocate(nodes.length * 4)
    const listCell = this.#writer.at(list)
    for (const [index, node] of nodes.entries()) listCell.writeUInt32LE(node, index * 4)
    const cell = this.#writer.at(offset)
    cell.writeUInt32LE(values.length, 36) //    36  values
    cell.writeUInt32LE(list, 40) //             40  value list
    cell.writeUInt32LE(
      largestOf(values, (value) => value.name.length * 2),
      60,
    ) //    60  largest value name
    cell.writeUInt32LE(
      largestOf(values, (value) => value.data.byteLength),
      64,
    ) //    64  largest value data
  }

  #closeKey(key: OpenKey): void {
    if (key.listed.length === 0) return
    const list = putSubkeyList(this.#writer, key.listed, this.#minorVersion)
    const cell = this.#writer.at(key.offset)
    cell.writeUInt32LE(key.listed.length, 20) //        20  subkeys
    cell.writeUInt32LE(list, 28) //                     28  subkey list
    cell.writeUInt16LE(Math.min(key.largestNameBytes, MAX_FIELD_BYTES), 52) //  52  largest subkey name
    cell.writeUInt32LE(key.largestClassBytes, 56) //    56  largest subkey class
  }

  /** One cell for each distinct descriptor, in a ring. Source: section 1.7. */
  #putSecurities(): void {
    const offsets = this.#securities.map(({bytes}) => this.#writer.allocate(SECURITY_CELL_BYTES + bytes.byteLength))
    for (const [index, {bytes, users}] of this.#securities.entries()) {
      const cell = this.#writer.at(offsets[index] ?? NIL)
      cell.write('sk', 0, 'latin1') //                                        0  signature
      cell.writeUInt32LE(offsets[(index + 1) % offsets.length] ?? NIL, 4) //  4  next security cell
      cell.writeUInt32LE(offsets.at(index - 1) ?? NIL, 8) //                  8  previous security cell
      cell.writeUInt32LE(users, 12) //                                       12  reference count
      cell.writeUInt32LE(bytes.byteLength, 16) //                            16  descriptor length, bytes
      cell.set(bytes, SECURITY_CELL_BYTES) //                                20  descriptor
    }
    for (const key of this.#securedKeys) {
      const cell = this.#writer.at(key)
      cell.writeUInt32LE(offsets[cell.readUInt32LE(44)] ?? NIL, 44)
    }
  }
}

function largestOf(values: readonly HiveValue[], sizeOf: (value: HiveValue) => number): number {
  return values.reduce((largest, value) => Math.max(largest, sizeOf(value)), 0)
}

function tooLarge(why: string): UnsupportedError {
  return new UnsupportedError('LIMIT_EXCEEDED', {what: `A registry hive cannot store this: ${why}.`})
}

function layered(name: string): InternalError {
  return new InternalError('INTERNAL', {what: `The key '${name}' of an ordinary hive has delta marks.`})
}

import {UnsupportedError} from '../../model/errors.js'
import type {FileTime} from '../../model/windows-metadata.js'
import {BASE_BLOCK_BYTES, corruptInFile} from './hive-fault.js'

/** The head of a hive or of its log: what of its 4096 bytes matters. */
export interface BaseBlock {
  readonly primarySequence: number
  readonly secondarySequence: number
  readonly lastWritten: FileTime
  /** 3 to 6. */
  readonly minorVersion: number
  /** 0 a hive, 1 and 2 an old log, 6 a new one. */
  readonly fileType: number
  /** Offset of the root key's cell. */
  readonly rootOffset: number
  /** Bytes of hive-bins data: the length that counts, whatever follows in the file. */
  readonly dataBytes: number
  /** In sectors of 512 bytes; the size of a log's own head. */
  readonly clusteringFactor: number
  /** End of the path it was last loaded from, for people only. */
  readonly fileName: string
  /** See `BaseBlockFlag`. */
  readonly flags: number
  readonly isChecksumValid: boolean
}

export const BaseBlockFlag = {pendingTransactions: 0x1, layeredKeys: 0x2} as const

/** Version 1.3, of NT 4. */
const OLDEST_MINOR = 3
/** First minor version with layered keys. */
export const LAYERED_MINOR = 6
const FILE_NAME_BYTES = 64
/** The checksum covers what lies before it. */
const CHECKSUM_OFFSET = 508

/** XOR of the 127 words before it, with the two values that mean "none" replaced. Source: section 1.1. */
export function baseBlockChecksum(block: Buffer): number {
  let sum = 0
  for (let offset = 0; offset < CHECKSUM_OFFSET; offset += 4) sum ^= block.readInt32LE(offset)
  if (sum === -1) return 0xfffffffe
  return sum === 0 ? 1 : sum >>> 0
}

/**
 * Decodes the head of a hive or a log; 512 bytes suffice. Throws `HIVE_CORRUPT` when it is none, `FORMAT_UNSUPPORTED`
 * for versions that no Windows since NT 4 writes. Source: section 1.1 of the registry hive format page.
 */
export function decodeBaseBlock(bytes: Uint8Array): BaseBlock {
  if (bytes.byteLength < 512) throw corruptInFile(0, `Expected a base block of 512 bytes, found ${bytes.byteLength}.`)
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const signature = block.toString('latin1', 0, 4)
  if (signature !== 'regf') throw corruptInFile(0, `Expected 'regf', found ${JSON.stringify(signature)}.`)
  if (!isReadable(block)) {
    const [major, minor, format] = [20, 24, 32].map((offset) => block.readUInt32LE(offset))
    throw new UnsupportedError('FORMAT_UNSUPPORTED', {
      what: `transship does not support registry hives of version ${major}.${minor}, format ${format}.`,
      why: 'Expected version 1.3 to 1.6 in format 1, as Windows has written since NT 4.',
      at: {offset: 20},
    })
  }
  return decodeFields(block)
}

/** True for the versions that Windows has written since NT 4. */
function isReadable(block: Buffer): boolean {
  const major = block.readUInt32LE(20) //         20  major version
  const minorVersion = block.readUInt32LE(24) //  24  minor version
  const format = block.readUInt32LE(32) //        32  format, 1 = direct memory load
  return major === 1 && format === 1 && minorVersion >= OLDEST_MINOR && minorVersion <= LAYERED_MINOR
}

function decodeFields(block: Buffer): BaseBlock {
  return {
    //                                                       0  "regf"
    primarySequence: block.readUInt32LE(4), //               4  primary sequence
    secondarySequence: block.readUInt32LE(8), //             8  secondary sequence
    lastWritten: block.readBigInt64LE(12), //               12  last written, FILETIME
    minorVersion: block.readUInt32LE(24), //                24  minor version
    fileType: block.readUInt32LE(28), //                    28  file type
    rootOffset: block.readUInt32LE(36), //                  36  root cell offset
    dataBytes: block.readUInt32LE(40), //                   40  hive-bins data size, bytes
    clusteringFactor: block.readUInt32LE(44), //            44  clustering factor
    fileName: decodeFileName(block), //                     48  file name, UTF-16LE
    flags: block.readUInt32LE(144), //                     144  flags
    isChecksumValid: block.readUInt32LE(CHECKSUM_OFFSET) === baseBlockChecksum(block), // 508
  }
}

/** The head of a hive or a log, of any version; undefined unless it is one and its checksum is right. */
export function findSealedBlock(bytes: Uint8Array): BaseBlock | undefined {
  if (bytes.byteLength < 512) return undefined
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, 512)
  if (block.toString('latin1', 0, 4) !== 'regf') return undefined
  const header = decodeFields(block)
  return header.isChecksumValid ? header : undefined
}

/** The head of a hive or a log; undefined unless it is one, of a version that is read, and its checksum is right. */
export function findBaseBlock(bytes: Uint8Array): BaseBlock | undefined {
  const header = findSealedBlock(bytes)
  return header !== undefined && isReadable(Buffer.from(bytes.buffer, bytes.byteOffset, 512)) ? header : undefined
}

function decodeFileName(block: Buffer): string {
  const text = block.toString('utf16le', 48, 48 + FILE_NAME_BYTES)
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/** The fields that a written base block is made of. */
export type BaseBlockDraft = Pick<
  BaseBlock,
  'minorVersion' | 'rootOffset' | 'dataBytes' | 'lastWritten' | 'fileName' | 'flags'
>

/** A clean base block, 4096 bytes. The name is cut to its last 31 units. */
export function encodeBaseBlock(draft: BaseBlockDraft): Buffer {
  const block = Buffer.alloc(BASE_BLOCK_BYTES)
  block.write('regf', 0, 'latin1') //                          0  signature
  block.writeUInt32LE(1, 4) //                                 4  primary sequence
  block.writeUInt32LE(1, 8) //                                 8  secondary sequence
  block.writeBigInt64LE(draft.lastWritten, 12) //             12  last written, FILETIME
  block.writeUInt32LE(1, 20) //                               20  major version
  block.writeUInt32LE(draft.minorVersion, 24) //              24  minor version
  block.writeUInt32LE(0, 28) //                               28  file type: a hive
  block.writeUInt32LE(1, 32) //                               32  format
  block.writeUInt32LE(draft.rootOffset, 36) //                36  root cell offset
  block.writeUInt32LE(draft.dataBytes, 40) //                 40  hive-bins data size, bytes
  block.writeUInt32LE(1, 44) //                               44  clustering factor
  block.write(draft.fileName.slice(-31), 48, 'utf16le') //    48  file name
  block.writeUInt32LE(draft.flags, 144) //                   144  flags
  sealBaseBlock(block)
  return block
}

/** A reserved word that no reader looks at. */
const SPARE_OFFSET = 504

/** Writes the checksum, dodging the two sums whose replacement hivex, comparing the plain XOR, would refuse. */
export function sealBaseBlock(block: Buffer): void {
  let sum = 0
  for (let offset = 0; offset < CHECKSUM_OFFSET; offset += 4) sum ^= block.readInt32LE(offset)
  if (sum === 0 || sum === -1) block.writeInt32LE(block.readInt32LE(SPARE_OFFSET) ^ 2, SPARE_OFFSET)
  block.writeUInt32LE(baseBlockChecksum(block), CHECKSUM_OFFSET)
}

/** True when a write was begun and not ended: only the logs tell what the hive should hold. */
export function isDirty(header: BaseBlock): boolean {
  return !header.isChecksumValid || header.primarySequence !== header.secondarySequence
}

/** True for a hive that its logs may have to complete; `head` is undefined where it has no sound base block. */
export function mayNeedLogs(head: BaseBlock | undefined): boolean {
  return head === undefined || isDirty(head)
}

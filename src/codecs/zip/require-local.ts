import type {ByteSource} from '../backup-stream/byte-source.js'
import {widenSizes} from './extra-fields.js'
import type {PlacedEntry} from './read-directory.js'
import {zipFault} from './zip-fault.js'
import {DESCRIPTOR_BYTES, FLAG_DESCRIPTOR, LOCAL_BYTES, SIGNATURES} from './zip-records.js'

type MakeFault = (why: string, at: number) => Error

/** Bits that only hint at how something was made: the level of deflate, and that a name is UTF-8. */
const HINT_FLAGS = 0x0806

/**
 * Checks the local header and the descriptor of an entry against the central directory, and gives where its data begins.
 * `ARCHIVE_CONTRADICTORY`.
 */
export function requireLocal(zip: ByteSource, entry: PlacedEntry, title: string): number {
  const {offset, name} = entry
  const fault: MakeFault = (why, at) => zipFault(title, `'${name.slice(0, 300)}' ${why}`, at, 'ARCHIVE_CONTRADICTORY')
  const head = Buffer.from(zip.read(offset, LOCAL_BYTES + name.length))
  if (head.readUInt32LE(0) !== SIGNATURES.local) throw fault('has no local header.', offset)
  if (head.readUInt16LE(4) > 45) throw fault('needs a newer version of zip.', offset + 4)
  if (((head.readUInt16LE(6) ^ entry.flags) & ~HINT_FLAGS) !== 0)
    throw fault('has other flags in its local header.', offset + 6)
  if (head.readUInt16LE(8) !== entry.method) throw fault('has another method in its local header.', offset + 8)
  const isSame =
    head.readUInt16LE(26) === name.length && head.toString('latin1', LOCAL_BYTES, LOCAL_BYTES + name.length) === name
  if (!isSame) throw fault('has another name in its local header.', offset + LOCAL_BYTES)
  const extraBytes = head.readUInt16LE(28)
  const start = offset + LOCAL_BYTES + name.length + extraBytes
  if (start + entry.packedBytes > entry.endOffset)
    throw fault('has a local header that overlaps another entry.', offset + 28)
  requireSizes(zip, entry, {head, extraBytes}, fault)
  requireDescriptor(zip, entry, start + entry.packedBytes, fault)
  return start
}

/** Sizes and CRC; in front of data that a descriptor follows they may be 0, or be given twice. */
function requireSizes(
  zip: ByteSource,
  entry: PlacedEntry,
  {head, extraBytes}: {readonly head: Buffer; readonly extraBytes: number},
  fault: MakeFault,
): void {
  const extraAt = entry.offset + LOCAL_BYTES + entry.name.length
  const extra = Buffer.from(extraBytes === 0 ? [] : zip.read(extraAt, extraBytes))
  const sizes = widenSizes(
    [head.readUInt32LE(22), head.readUInt32LE(18)],
    new DataView(extra.buffer, extra.byteOffset, extra.byteLength),
    (why) => fault(why, extraAt),
  )
  const found = [BigInt(head.readUInt32LE(14)), ...sizes]
  const expected = [entry.crc, entry.sizeBytes, entry.packedBytes].map(BigInt)
  const isStreamed = (entry.flags & FLAG_DESCRIPTOR) !== 0
  const isRight = (value: bigint, index: number) => value === expected[index] || (isStreamed && value === 0n)
  if (!found.every(isRight)) throw fault('has other sizes in its local header.', entry.offset + 14)
}

/** With or without signature, with 64 or 32 bits, as its length tells. */
function requireDescriptor(zip: ByteSource, entry: PlacedEntry, at: number, fault: MakeFault): void {
  const isStreamed = (entry.flags & FLAG_DESCRIPTOR) !== 0
  const length = entry.endOffset - at
  if (!isStreamed && length === 0) return
  const known = isStreamed && (length === DESCRIPTOR_BYTES || length === 20 || length === 16 || length === 12)
  if (!known) throw fault('is followed by bytes that belong to no entry.', at)
  const bytes = Buffer.from(zip.read(at, length))
  const isSigned = length === DESCRIPTOR_BYTES || length === 16
  const sizesAt = isSigned ? 8 : 4
  const isWide = length === DESCRIPTOR_BYTES || length === 20
  const [packed, size] = isWide
    ? [bytes.readBigUInt64LE(sizesAt), bytes.readBigUInt64LE(sizesAt + 8)]
    : [BigInt(bytes.readUInt32LE(sizesAt)), BigInt(bytes.readUInt32LE(sizesAt + 4))]
  const isSame =
    (!isSigned || bytes.readUInt32LE(0) === SIGNATURES.descriptor) &&
    bytes.readUInt32LE(sizesAt - 4) === entry.crc &&
    packed === BigInt(entry.packedBytes) &&
    size === BigInt(entry.sizeBytes)
  if (!isSame) throw fault('has another size or CRC after its data.', at)
}

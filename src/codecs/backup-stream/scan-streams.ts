import {InputError} from '../../model/errors.js'
import type {ByteSource} from './byte-source.js'
import {
  BLOCK_OFFSET_BYTES,
  carrierCorrupt,
  decodeStreamHeader,
  STREAM_HEADER_BYTES,
  StreamId,
  streamIdName,
} from './stream-header.js'

/** One stream as it lies in a backup stream. Positions are bytes from the start of the source. */
export interface BackupStream {
  readonly id: number
  readonly attributes: number
  /** The name as stored, UTF-16LE; empty when there is none. */
  readonly name: Uint8Array
  /** Where the header starts. */
  readonly position: number
  /** Where the payload starts; for a sparse block behind its offset. */
  readonly payloadPosition: number
  /** Bytes of payload; for a sparse block without its offset. */
  readonly payloadBytes: number
  /** Offset in the file that a sparse block belongs at. */
  readonly blockOffset?: number
}

/** What a scan found. */
export interface BackupStreams {
  readonly streams: readonly BackupStream[]
  /** Where the last stream ends; what follows, if anything, is less than a header of zeros. */
  readonly end: number
}

/**
 * More streams than any file has: NTFS stores at most some thousands, a sparse file of 64 GiB a million ranges.
 * Without a bound a file of empty streams would take hundreds of times its size in memory.
 */
const MAX_STREAMS = 1_048_576

const NO_NAME = new Uint8Array(0)

/**
 * Lists the streams from `start` to the end of the source without reading their payloads. Throws `CARRIER_CORRUPT` with
 * the position for a size that is negative or passes the end, a name of odd length, a sparse block without an offset, or
 * a header that is cut; `LIMIT_EXCEEDED` for more than a million streams. Source: go-winio backup.go; MS-BKUP 2.2.
 */
export function scanBackupStreams(source: ByteSource, start: number): BackupStreams {
  const streams: BackupStream[] = []
  const size = source.sizeBytes
  let position = start
  while (size - position >= STREAM_HEADER_BYTES) {
    if (streams.length === MAX_STREAMS) {
      throw new InputError('LIMIT_EXCEEDED', {
        what: `The carrier has more than ${MAX_STREAMS} backup streams.`,
        at: {offset: position},
      })
    }
    const stream = streamAt(source, position)
    streams.push(stream)
    position = stream.payloadPosition + stream.payloadBytes
  }
  if (position < size && source.read(position, size - position).some((byte) => byte !== 0))
    throw carrierCorrupt(`Expected a header of 20 bytes, found only ${size - position} bytes.`, position)
  return {streams, end: position}
}

function streamAt(source: ByteSource, position: number): BackupStream {
  const size = source.sizeBytes
  const header = decodeStreamHeader(source.read(position, STREAM_HEADER_BYTES), position)
  const namePosition = position + STREAM_HEADER_BYTES
  const payloadPosition = namePosition + header.nameBytes
  if (payloadPosition + header.sizeBytes > size) {
    throw carrierCorrupt(
      `A ${streamIdName(header.id)} stream of ${header.sizeBytes} bytes runs past the end by ${payloadPosition + header.sizeBytes - size} bytes.`,
      position,
    )
  }
  const stream = {
    id: header.id,
    attributes: header.attributes,
    name: header.nameBytes === 0 ? NO_NAME : Uint8Array.from(source.read(namePosition, header.nameBytes)),
    position,
  }
  if (header.id !== StreamId.sparseBlock) return {...stream, payloadPosition, payloadBytes: header.sizeBytes}
  return {...stream, ...blockAt(source, payloadPosition, header.sizeBytes)}
}

function blockAt(source: ByteSource, position: number, sizeBytes: number) {
  if (sizeBytes < BLOCK_OFFSET_BYTES)
    throw carrierCorrupt(`A SPARSE_BLOCK of ${sizeBytes} bytes is too short for its offset.`, position)
  const bytes = source.read(position, BLOCK_OFFSET_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_OFFSET_BYTES)
  const high = view.getInt32(4, true)
  const blockOffset = high * 0x1_0000_0000 + view.getUint32(0, true)
  const payloadBytes = sizeBytes - BLOCK_OFFSET_BYTES
  if (high < 0 || blockOffset + payloadBytes > Number.MAX_SAFE_INTEGER)
    throw carrierCorrupt(`A SPARSE_BLOCK has the impossible offset ${blockOffset}.`, position)
  return {payloadPosition: position + BLOCK_OFFSET_BYTES, payloadBytes, blockOffset}
}

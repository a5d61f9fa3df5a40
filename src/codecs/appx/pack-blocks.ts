import {hash as hashOnce} from 'node:crypto'
import {promisify} from 'node:util'
import * as zlib from 'node:zlib'
import {letGo} from '../bytes/let-go.js'

/* Blocks of a package: each deflated for itself, so that one can be read without those before it. */

/** Behind the last block of a deflated file: an empty final block. Source: RFC 1951, 3.2.6. */
export const FINAL_BLOCK = Uint8Array.of(3, 0)
/** The same as other writers have it: an empty stored block, final. */
const STORED_FINAL_BLOCK = Uint8Array.of(1, 0, 0, 0xff, 0xff)
const ENDS: readonly Uint8Array[] = [FINAL_BLOCK, STORED_FINAL_BLOCK]

/** True for as many bytes behind the blocks of a file as can end its stream; none do when a block of it is final, or none. */
export function mayEndStream(tailBytes: number): boolean {
  return tailBytes === 0 || ENDS.some(({byteLength}) => byteLength === tailBytes)
}

/** True for bytes that end a deflate stream and add nothing to it. */
export function isStreamEnd(tail: Uint8Array): boolean {
  return tail.byteLength === 0 || ENDS.some((end) => Buffer.compare(end, tail) === 0)
}

/** Below this a trip to another thread takes longer than the work. */
const SMALL_BYTES = 4096

/** What deflate and a flush add at most to so few bytes, with plenty to spare. */
const PACKED_ROOM_BYTES = 256

const FULL_FLUSH = zlib.constants.Z_FULL_FLUSH
const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

/** A block deflated so that it ends at a byte and nothing behind it refers to it. Source: inbox package page, 2.2. */
export function packBlock(block: Uint8Array, level: number): Promise<Uint8Array> | Uint8Array {
  return block.byteLength > SMALL_BYTES ? deflateRaw(block, packOptions(block, level)) : packBlockSync(block, level)
}

/** The same on this thread. */
export function packBlockSync(block: Uint8Array, level: number): Uint8Array {
  return zlib.deflateRawSync(block, packOptions(block, level))
}

/** Gives the memory of a packed block back at once. */
export function letGoOfPacked(packed: Uint8Array, block: Uint8Array): void {
  letGo(packed, block.byteLength + PACKED_ROOM_BYTES)
}

/**
 * Room for all of it: in pieces of 16 KiB, each is a trip to another thread and all are copied together; a small block
 * would hold 16 KiB; and a block that just fills its piece is flushed twice.
 */
function packOptions({byteLength}: Uint8Array, level: number): zlib.ZlibOptions {
  return {level, finishFlush: FULL_FLUSH, chunkSize: byteLength + PACKED_ROOM_BYTES}
}

/** What zlib gives with `info`: the bytes, and how much of the input they took. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: {readonly bytesWritten: number}
}

type InflateRaw = (
  input: Uint8Array,
  options: zlib.ZlibOptions,
  done: (error: Error | null, inflated: Inflated) => void,
) => void
/** The types of Node know no `info`. */
const inflateRaw = promisify(zlib.inflateRaw as unknown as InflateRaw)

/** Room for one byte more than there should be, so that a longer block is found and a bomb is not unpacked. */
function optionsFor(sizeBytes: number): zlib.ZlibOptions {
  return {maxOutputLength: sizeBytes + 1, chunkSize: inflatedRoom(sizeBytes), info: true}
}

function inflatedRoom(sizeBytes: number): number {
  return Math.max(zlib.constants.Z_MIN_CHUNK, sizeBytes + 1)
}

/** Gives the memory of a block that was inflated here back at once. */
export function letGoOfInflated(block: Uint8Array): void {
  letGo(block, inflatedRoom(block.byteLength))
}

/** The bytes, if they are as many as there should be and took all of the input. */
function findWhole({buffer, engine}: Inflated, input: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  return engine.bytesWritten === input.byteLength && buffer.byteLength === sizeBytes ? buffer : undefined
}

/**
 * The bytes of a packed block by itself; undefined when it is damaged, does not end just where it should, or leans on
 * another. `isLast` allows that the file's deflate stream ends inside it, as some writers do.
 */
export function findBlockSync(packed: Uint8Array, sizeBytes: number, isLast: boolean): Uint8Array | undefined {
  for (const input of endings(packed, isLast)) {
    try {
      const inflated = zlib.inflateRawSync(input, optionsFor(sizeBytes)) as unknown as Inflated
      const block = findWhole(inflated, input, sizeBytes)
      if (block !== undefined) return block
    } catch {
      // Not this ending: then the other one, or none.
    }
  }
  return undefined
}

/** The same on another thread. */
export async function findBlock(
  packed: Uint8Array,
  sizeBytes: number,
  isLast: boolean,
): Promise<Uint8Array | undefined> {
  if (packed.byteLength <= SMALL_BYTES) return findBlockSync(packed, sizeBytes, isLast)
  for (const input of endings(packed, isLast)) {
    try {
      const block = findWhole(await inflateRaw(input, optionsFor(sizeBytes)), input, sizeBytes)
      if (block !== undefined) return block
    } catch {
      // Not this ending: then the other one, or none.
    }
  }
  return undefined
}

/** A block that ends without a final block gets one; only the last of a file may have its own. */
function endings(packed: Uint8Array, isLast: boolean): readonly Uint8Array[] {
  const closed = Buffer.concat([packed, FINAL_BLOCK])
  return isLast ? [closed, packed] : [closed]
}

/** Base64 SHA-256, as the block map has it. */
export function hashBlock(block: Uint8Array): string {
  return hashOnce('sha256', block, 'base64')
}

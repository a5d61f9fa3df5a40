import {once} from 'node:events'
import {crc32, createInflateRaw, type InflateRaw} from 'node:zlib'
import {PutBackInput} from './put-back-input.js'

/*
 * Gzip by its members. Node's own decoder takes what lies behind a member for nothing or for damage depending on where the
 * chunks of the input end. Source: RFC 1952, 2.2 and 2.3.
 */

const HEADER_BYTES = 10
const TRAILER_BYTES = 8
const DEFLATE = 8
const FLAG_HEADER_CRC = 2
const FLAG_EXTRA = 4
const FLAG_NAME = 8
const FLAG_COMMENT = 16
const KNOWN_FLAGS = 0x1f
/** A file name or a comment; nothing writes longer ones. */
const MAX_TEXT_BYTES = 64 * 1024

/**
 * Decodes all members. Zeros behind the last one are padding, as gzip(1) and pigz have it; anything else there is an error:
 * what gzip(1) drops with a warning may have been somebody's data, and Go refuses it.
 */
export async function* readGzip(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const input = new PutBackInput(body)
  try {
    for (let members = 0; await beginMember(input, members); members++) {
      let crc = 0
      let size = 0
      for await (const chunk of inflateMember(input, signal)) {
        crc = crc32(chunk, crc)
        size = (size + chunk.byteLength) % 2 ** 32
        yield chunk
      }
      const trailer = await input.take(TRAILER_BYTES)
      if (trailer.readUInt32LE(0) !== crc) throw new Error('incorrect data check')
      if (trailer.readUInt32LE(4) !== size) throw new Error('incorrect length check')
    }
  } finally {
    await input.close()
  }
}

/** Reads a header; false when the input has ended where one may. */
async function beginMember(input: PutBackInput, members: number): Promise<boolean> {
  const first = await input.next()
  if (first === undefined && members > 0) return false
  input.putBack(first ?? new Uint8Array(0))
  if (members > 0 && first?.[0] === 0) {
    if (await input.skipZeros()) return false
    throw new Error('extra data follows the zeros after its end')
  }
  const magic = await takeMagic(input)
  if (!magic) throw new Error(members > 0 ? 'data that is not gzip follows its end' : 'incorrect header check')
  const head = Buffer.concat([Buffer.of(0x1f, 0x8b), await input.take(HEADER_BYTES - 2)])
  const flags = head.readUInt8(3)
  if (head.readUInt8(2) !== DEFLATE) throw new Error('unknown compression method')
  if ((flags & ~KNOWN_FLAGS) !== 0) throw new Error('unknown header flags set')
  let crc = crc32(head)
  const take = async (count: number) => {
    const bytes = await input.take(count)
    crc = crc32(bytes, crc)
    return bytes
  }
  if ((flags & FLAG_EXTRA) !== 0) await take((await take(2)).readUInt16LE(0))
  if ((flags & FLAG_NAME) !== 0) await skipText(take)
  if ((flags & FLAG_COMMENT) !== 0) await skipText(take)
  if ((flags & FLAG_HEADER_CRC) === 0) return true
  const expected = crc & 0xffff
  if ((await input.take(2)).readUInt16LE(0) !== expected) throw new Error('header crc mismatch')
  return true
}

/** One byte after the other, so that something shorter than a magic is told from a cut. */
async function takeMagic(input: PutBackInput): Promise<boolean> {
  for (const byte of [0x1f, 0x8b]) if ((await input.take(1))[0] !== byte) return false
  return true
}

async function skipText(take: (count: number) => Promise<Buffer>): Promise<void> {
  for (let length = 0; (await take(1))[0] !== 0; length++)
    if (length >= MAX_TEXT_BYTES) throw new Error('a header is too long')
}

/** The deflate stream of a member; the input then stands right behind it. Leaving early closes the decoder. */
async function* inflateMember(input: PutBackInput, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({chunkSize: 64 * 1024})
  const onAbort = () => inflate.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
  signal?.throwIfAborted()
  signal?.addEventListener('abort', onAbort, {once: true})
  const closed = once(inflate, 'close').then(
    () => false,
    () => false,
  )
  const feeding = feed(input, inflate, closed).catch((error: unknown) => {
    inflate.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  try {
    for await (const chunk of inflate as AsyncIterable<Uint8Array>) yield chunk
  } finally {
    signal?.removeEventListener('abort', onAbort)
    inflate.destroy()
    await feeding
  }
}

/** Gives the decoder one piece at a time, and what it left of the last one back to the input. */
async function feed(input: PutBackInput, inflate: InflateRaw, closed: Promise<boolean>): Promise<void> {
  let fed = 0
  for (let piece = await input.next(); piece !== undefined; piece = await input.next()) {
    fed += piece.byteLength
    await Promise.race([written(inflate, piece), closed])
    // It leaves what lies behind the end of its stream, and then it has ended by itself.
    const left = fed - inflate.bytesWritten
    if (left > 0) {
      input.putBack(piece.subarray(piece.byteLength - left))
      return
    }
  }
  inflate.end()
}

function written(inflate: InflateRaw, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    inflate.write(piece, (error) => {
      resolve(error === null || error === undefined)
    })
  })
}

import type {Compression} from '../../model/image.js'

/** Bytes that suffice to tell any compression. */
export const MAGIC_BYTES = 6

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
]

/** A zstd stream may begin with a skippable frame: 0x184D2A50 to 0x184D2A5F, little-endian. Source: RFC 8878, 3.1.2. */
function isSkippableFrame(head: Uint8Array): boolean {
  const [first = 0, ...rest] = head.subarray(0, 4)
  return (first & 0xf0) === 0x50 && rest[0] === 0x2a && rest[1] === 0x4d && rest[2] === 0x18
}

/**
 * Tells a compression by its magic; names lie (`layer.tar` of many tools is gzip). `none` for anything else, which a
 * tar never is mistaken for: it begins with a file name or zeros.
 */
export function detectCompression(head: Uint8Array): Compression {
  const found = MAGICS.find(([, magic]) => magic.every((byte, index) => head[index] === byte))
  return found?.[0] ?? (isSkippableFrame(head) ? 'zstd' : 'none')
}

/** Detects at the head of a stream; `body` gives the whole stream, the head included. */
export async function detectStream(
  stream: AsyncIterable<Uint8Array>,
): Promise<{compression: Compression; body: AsyncIterable<Uint8Array>}> {
  const iterator = stream[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.byteLength < MAGIC_BYTES) {
    const next = await iterator.next()
    if (next.done === true) break
    head = Buffer.concat([head, next.value])
  }
  return {compression: detectCompression(head), body: resumed(head, iterator)}
}

async function* resumed(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.byteLength > 0) yield head
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

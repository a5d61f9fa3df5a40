import type {ReadableStream} from 'node:stream/web'
import {ReadableStream as WebStream} from 'node:stream/web'

interface XzModule {
  readonly XzReadableStream: new (compressed: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

const CUT = 'unexpected end of file'

/** What the decoder's numbers stand for. Source: xz-embedded, xz.h, enum xz_ret. */
const REASONS: Readonly<Record<string, string>> = {
  3: 'there is not enough memory for its dictionary',
  4: 'its dictionary is too large',
  5: 'data that is not xz stands where a stream should begin',
  6: 'it uses an unknown filter or check',
  7: 'the compressed data is damaged',
  8: CUT,
}

/** Decodes xz by WebAssembly, which is loaded only when needed. */
export async function* readXz(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const {XzReadableStream} = (await import('xz-decompress')).default as XzModule
  try {
    yield* new XzReadableStream(WebStream.from<Uint8Array>(copied(body)))
  } catch (error) {
    const code = error instanceof Error ? /error code (\d)$/.exec(error.message)?.[1] : undefined
    const reason = code === undefined ? undefined : REASONS[code]
    throw reason === undefined ? error : new Error(reason, {cause: error})
  }
}

/** The decoder holds a chunk beyond its turn, and chunks need not outlive theirs. */
async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isEmpty = true
  for await (const chunk of body) {
    if (chunk.byteLength > 0) isEmpty = false
    yield Uint8Array.from(chunk)
  }
  // The decoder itself fails at nothing at all.
  if (isEmpty) throw new Error(CUT)
}

import {createRequire} from 'node:module'
import type {ReadableStream} from 'node:stream/web'
import {ReadableStream as WebStream} from 'node:stream/web'

interface XzModule {
  readonly XzReadableStream: new (compressed: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

/** Decodes xz by WebAssembly, which is loaded only when needed. */
export async function* readXz(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const {XzReadableStream} = createRequire(import.meta.url)('xz-decompress') as XzModule
  yield* new XzReadableStream(WebStream.from<Uint8Array>(copied(body)))
}

/** The decoder holds a chunk beyond its turn, and chunks need not outlive theirs. */
async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield Uint8Array.from(chunk)
}

import {contentOf} from './content.js'
import {UnsupportedError} from './errors.js'
import type {AlternateStream, DirectoryEntry, FileEntry} from './layer-entry.js'

/** Alternate streams of what is held back are a few bytes in every layer seen; this is only a bound for hostile input. */
const MAX_STREAM_BYTES = 2 ** 20

/** The content of a file, at once. Throws `LIMIT_EXCEEDED` when there is more of it. A file without content gives none. */
export async function readHeld(entry: FileEntry, maxBytes: number): Promise<Buffer> {
  const {content} = entry
  if (content === undefined) return Buffer.alloc(0)
  if (content.size > maxBytes) {
    throw new UnsupportedError('LIMIT_EXCEEDED', {
      what: `The file '${entry.path}' has ${content.size} bytes; it is not read beyond ${maxBytes}.`,
      at: {path: entry.path},
    })
  }
  if (content.bytes !== undefined) return Buffer.from(content.bytes)
  const chunks: Uint8Array[] = []
  for await (const chunk of content.open()) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

/** The entry with its streams read, so that it can be given out later. A file's content must have been read before. */
export async function holdStreams<T extends FileEntry | DirectoryEntry>(entry: T): Promise<T> {
  if (entry.streams === undefined) return entry
  const streams: AlternateStream[] = []
  for await (const stream of entry.streams) {
    if (stream.content.size > MAX_STREAM_BYTES) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {
        what: `The stream '${entry.path}:${stream.name}' of an entry that is held back is larger than 1 MiB.`,
        at: {path: entry.path},
      })
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of stream.content.open()) chunks.push(Uint8Array.from(chunk))
    streams.push({name: stream.name, content: contentOf(Buffer.concat(chunks))})
  }
  return {...entry, streams: iterate(streams)}
}

// eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, in the shape of what is not
async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

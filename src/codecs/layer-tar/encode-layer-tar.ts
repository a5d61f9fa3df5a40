import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Content} from '../../model/content.js'
import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../model/layer-entry.js'
import {baseName} from '../../model/layer-path.js'
import {rangesOf, runsOf, type ContentRun} from '../../model/sparse-content.js'
import {findLink} from '../reparse-point/encode-reparse-point.js'
import {END_BLOCKS, paddingOf} from '../tar/tar-header.js'
import {hasRecord} from './metadata-records.js'
import {decodeArchiveFrame, type ArchiveFrame} from './archive-frame.js'
import {fitsPlace, watchingGaps} from './raw-record.js'
import {
  canonicalHeader,
  canonicalLinkHeader,
  canonicalOpaque,
  canonicalStreamHeader,
  canonicalWhiteout,
  streamMode,
  WHITEOUT_PREFIX,
} from './canonical-header.js'

/** Options of `encodeLayerTar`. */
export interface EncodeLayerTarOptions extends WorkOptions {
  /**
   * Replay the frames of entries that came from a tar, and carry those that came from a transport layout in PAX records.
   * Without, the tar is what Microsoft's own code writes, and what it cannot hold is told as a loss.
   */
  readonly keepFrames: boolean
}

/** Small pieces are joined up to this size, so that consumers see no flood of tiny chunks. */
const JOIN_BYTES = 256 * 1024

/**
 * The layer tar of a stream of entries, ending with its end blocks. Bytes are a function of the entries alone.
 * Contents are read as they are reached; a content whose length is not what it states is `SIZE_MISMATCH`.
 */
export async function* encodeLayerTar(
  entries: AsyncIterable<LayerEntry>,
  options: EncodeLayerTarOptions,
): AsyncGenerator<Uint8Array> {
  yield* joined(new LayerEncoder(options).pieces(entries))
}

class LayerEncoder {
  readonly #options: EncodeLayerTarOptions
  /** What a frame says of the padding behind the last body, held back until it is known. */
  #padding = 0
  #hasEnd = false

  constructor(options: EncodeLayerTarOptions) {
    this.#options = options
  }

  async *pieces(entries: AsyncIterable<LayerEntry>): AsyncGenerator<Uint8Array> {
    for await (const entry of entries) {
      this.#options.signal?.throwIfAborted()
      requireTellable(entry)
      if (entry.kind === 'frame') yield* this.#outer(entry.frame.archive)
      else if (isPlain(entry)) {
        for (const piece of this.#plainMember(entry)) yield piece
        if (entry.streams !== undefined) yield* this.#streams(entry)
      } else yield* this.#entry(entry)
    }
    yield* this.#pad()
    if (!this.#hasEnd) yield END_BLOCKS
  }

  /** Zeros up to the next block, or the bytes that a frame has in their place. */
  *#pad(bytes = END_BLOCKS.subarray(0, this.#padding)): Generator<Uint8Array> {
    if (bytes.byteLength !== this.#padding) throw misplaced()
    if (this.#padding > 0) yield bytes
    this.#padding = 0
  }

  async *#entry(entry: Exclude<LayerEntry, {kind: 'frame'}>): AsyncGenerator<Uint8Array> {
    const {keepFrames} = this.#options
    switch (entry.kind) {
      case 'tombstone':
        // Microsoft's export passes over deletions in folders that the layout does not hold; its notes tell them.
        if (!keepFrames && entry.frame?.layout !== undefined) {
          this.#loss(
            'deletion-without-folder',
            'The layer does not contain the folder of this deletion, so it was left out.',
            entry.path,
          )
          return
        }
        yield* this.#member(entry.frame?.archive, () => canonicalWhiteout(entry.path), undefined)
        return
      case 'opaque':
        yield* this.#member(entry.frame?.archive, () => canonicalOpaque(entry.path), undefined)
        return
      case 'hard-link':
        yield* this.#member(entry.frame?.archive, () => canonicalLinkHeader(entry, keepFrames), undefined)
        return
      case 'directory':
      case 'file': {
        const content = entry.kind === 'file' ? this.#bodyOf(entry) : undefined
        this.#tellAttributes(entry)
        yield* this.#member(entry.frame?.archive, () => canonicalHeader(entry, keepFrames), content)
        yield* this.#streams(entry)
      }
    }
  }

  /** The body a tar can hold: none behind a link, whose target is in the header. */
  #bodyOf(entry: FileEntry): Content | undefined {
    const {reparsePoint} = entry.meta
    if (reparsePoint === undefined || findLink(reparsePoint) === undefined) return entry.content
    if (entry.content !== undefined && entry.content.size > 0) {
      this.#loss('link-content', 'A link cannot have content in a layer tar, so the content was left out.', entry.path)
    }
    return undefined
  }

  async *#streams(entry: FileEntry | DirectoryEntry): AsyncGenerator<Uint8Array> {
    if (entry.streams === undefined) return
    const hasData = entry.kind === 'file' && entry.content !== undefined
    const owner = {path: entry.path, meta: entry.meta, mode: streamMode(entry)}
    for await (const stream of entry.streams) {
      // Microsoft's writer looks for alternate streams only behind a data stream.
      if (!hasData && !this.#options.keepFrames) {
        this.#loss(
          'stream-without-data',
          'A layer tar cannot store alternate streams of an entry without data, so this one was left out.',
          streamName(entry, stream),
        )
        continue
      }
      yield* this.#member(stream.frame?.archive, () => canonicalStreamHeader(owner, stream), stream.content)
    }
  }

  async *#member(
    archive: Uint8Array | undefined,
    canonical: () => Uint8Array,
    content: Content | undefined,
  ): AsyncGenerator<Uint8Array> {
    if (this.#hasEnd) throw misplaced()
    const frame = archive === undefined || !this.#options.keepFrames ? undefined : decodeArchiveFrame(archive)
    if (frame?.kind === 'raw') throw misplaced()
    yield* this.#pad(frame?.before)
    yield frame === undefined ? canonical() : frame.header
    yield* this.#body(frame, content)
  }

  /** Most of a layer, so without a promise for each piece. */
  #plainMember(entry: FileEntry | DirectoryEntry): readonly Uint8Array[] {
    if (this.#hasEnd) throw misplaced()
    const body = entry.kind === 'file' ? this.#bodyOf(entry)?.bytes : undefined
    this.#tellAttributes(entry)
    const pieces = [...this.#pad(), canonicalHeader(entry, this.#options.keepFrames)]
    if (body !== undefined && body.byteLength > 0) pieces.push(body)
    this.#padding = paddingOf(body?.byteLength ?? 0)
    return pieces
  }

  #tellAttributes(entry: FileEntry | DirectoryEntry): void {
    const {keepFrames} = this.#options
    for (const {name} of entry.meta.extendedAttributes ?? []) {
      if (hasRecord(name) || keepFrames) continue
      this.#loss(
        'attribute-name',
        `A tar cannot store the extended attribute '${name}', so it was left out.`,
        entry.path,
      )
    }
  }

  async *#body(frame: ArchiveFrame | undefined, content: Content | undefined): AsyncGenerator<Uint8Array> {
    let size = 0
    for await (const chunk of framedBody(frame, content, this.#options.signal)) {
      size += chunk.byteLength
      yield chunk
    }
    this.#padding = paddingOf(size)
  }

  /** What a tar held beside its entries, in its place. */
  *#outer(archive: Uint8Array | undefined): Generator<Uint8Array> {
    if (archive === undefined || !this.#options.keepFrames) return
    const frame = decodeArchiveFrame(archive)
    if (frame.kind === 'raw' && !fitsPlace(frame.place, frame.bytes)) throw misplaced()
    // Behind the end there is no more to a tar, and some readers go on all the same.
    if (this.#hasEnd && (frame.kind === 'member' || frame.place !== 'end')) throw misplaced()
    if (frame.kind === 'raw' && frame.place === 'padding') {
      yield* this.#pad(frame.bytes)
      return
    }
    if (frame.kind === 'raw' && frame.place === 'short-padding') {
      // Of a last body that was changed since, no more than its own padding.
      yield frame.bytes.subarray(0, this.#padding)
      this.#padding = 0
      this.#hasEnd = true
      return
    }
    yield* this.#pad()
    if (frame.kind === 'member') {
      yield frame.header
      if (frame.body.kind !== 'inline') throw misplaced()
      yield frame.body.bytes
      this.#padding = paddingOf(frame.body.bytes.byteLength)
      return
    }
    if (frame.place === 'short-end') this.#hasEnd = true
    if (frame.place === 'end' && !this.#hasEnd) {
      this.#hasEnd = true
      yield END_BLOCKS
    }
    yield frame.bytes
  }

  #loss(code: string, message: string, subject: string): void {
    this.#options.onEvent?.({kind: 'loss', code, message, subject})
  }
}

/** A file or directory that no frame spells, and whose content is at hand. */
function isPlain(entry: LayerEntry): entry is FileEntry | DirectoryEntry {
  if (entry.kind !== 'file' && entry.kind !== 'directory') return false
  const isAtHand = entry.kind === 'directory' || entry.content === undefined || entry.content.bytes !== undefined
  return entry.frame?.archive === undefined && isAtHand
}

/** The body that a frame asks for, made of the entry's content. */
async function* framedBody(
  frame: ArchiveFrame | undefined,
  content: Content | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (frame === undefined) {
    if (content !== undefined) yield* whole(content)
    return
  }
  if (frame.kind === 'raw') throw misplaced()
  const {body} = frame
  switch (body.kind) {
    case 'inline':
      if (content !== undefined && content.size > 0) throw misplaced()
      yield body.bytes
      return
    case 'content':
      if (content !== undefined) yield* whole(content)
      return
    case 'sparse':
      yield body.mapBytes
      if (content === undefined) return
      yield* rangesOf(
        body.ranges,
        watchingGaps(body.ranges, requireSize(content.size, runsOf(content)), () => {
          throw misplaced()
        }),
        signal,
      )
  }
}

/** All of a content, holes spelt out. */
async function* whole(content: Content): AsyncGenerator<Uint8Array> {
  if (content.bytes === undefined) yield* requireSize(content.size, content.open())
  else yield content.bytes
}

/** Runs whose length must be what the content states: a header in front has promised it. */
async function* requireSize<Run extends ContentRun>(expected: number, runs: AsyncIterable<Run>): AsyncGenerator<Run> {
  let size = 0
  for await (const run of runs) {
    size += run instanceof Uint8Array ? run.byteLength : run.hole
    if (size > expected) break
    yield run
  }
  if (size !== expected) {
    throw new InputError('SIZE_MISMATCH', {
      what: 'A file changed while it was read.',
      why: `Expected ${expected} bytes, found ${size > expected ? 'more' : size}.`,
      suggestions: ['Stop the program that writes to the source, then retry.'],
    })
  }
}

/** No tar of a layer can hold such a name: whoever reads it would delete a file of another name instead. */
function requireTellable(entry: LayerEntry): void {
  if (entry.kind === 'frame' || entry.kind === 'tombstone' || entry.kind === 'opaque') return
  if (!baseName(entry.path).startsWith(WHITEOUT_PREFIX)) return
  throw new InputError('NAME_UNSAFE', {
    what: `A layer tar cannot store '${entry.path}'.`,
    why: `In a layer tar, a name that begins with '${WHITEOUT_PREFIX}' means that a file is deleted.`,
    suggestions: ['Rename or remove it where the package was made.'],
    at: {path: entry.path},
  })
}

function misplaced(): InputError {
  return new InputError('RECIPE_CORRUPT', {
    what: 'A recipe is damaged: the frame of an entry is in the wrong place.',
    suggestions: ['Convert without the recipe (--no-keep-recipe), or restore the repository from a copy.'],
  })
}

function streamName(entry: FileEntry | DirectoryEntry, stream: AlternateStream): string {
  return `${entry.path}:${stream.name}`
}

/** Joins small pieces into chunks, which are lent; large ones pass as they are. */
async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(JOIN_BYTES)
  let length = 0
  for await (const piece of pieces) {
    if (length + piece.byteLength > JOIN_BYTES && length > 0) {
      yield buffer.subarray(0, length)
      length = 0
    }
    if (piece.byteLength >= JOIN_BYTES) {
      yield piece
      continue
    }
    buffer.set(piece, length)
    length += piece.byteLength
  }
  if (length > 0) yield buffer.subarray(0, length)
}

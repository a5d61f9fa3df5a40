import {decodeArchiveFrame} from '../../codecs/layer-tar/archive-frame.js'
import {decodeLayerTar} from '../../codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../codecs/layer-tar/encode-layer-tar.js'
import {entryFacts, withoutSparseForm} from '../../codecs/layer-tar/entry-facts.js'
import type {Content, SparseRange} from '../../model/content.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import type {AlternateStream, LayerEntry} from '../../model/layer-entry.js'
import {Handoff} from './handoff.js'

/** An entry that goes into a tar, frames aside. */
type Told = Exclude<LayerEntry, {kind: 'frame'}>

interface Expected {
  readonly entry: Told
  readonly streams: AlternateStream[]
}

/**
 * The layer tar of entries whose frames come from a recipe. It is decoded again while it is made, and must say just what
 * its entries do: a frame is bytes that a recipe puts in the place of an entry, and a recipe is no more to be trusted than
 * any file beside a payload. A header may name another file, and a body or a global header may hold a member of its own.
 * Throws `RECIPE_CORRUPT`, before the last chunk is given out.
 */
export async function* rebuiltTar(
  entries: AsyncIterable<LayerEntry>,
  options: WorkOptions,
): AsyncGenerator<Uint8Array> {
  const check = new RebuiltCheck(options)
  yield* check.watch(encodeLayerTar(check.told(entries), {...options, keepFrames: true}))
}

/** Without its last bytes no tar has the digest that is asked for. */
const HELD_BYTES = 512

class RebuiltCheck {
  readonly #options: WorkOptions
  readonly #bytes = new Handoff()
  readonly #expected: Expected[] = []
  #fault: {readonly error: unknown} | undefined
  #hasFrames = false
  #isDecoded = false

  constructor(options: WorkOptions) {
    this.#options = options
  }

  /** Notes the entries that pass by, in the order in which their members must come out. */
  async *told(entries: AsyncIterable<LayerEntry>): AsyncGenerator<LayerEntry> {
    for await (const entry of entries) {
      this.#noteFrame(entry.frame?.archive)
      if (entry.kind === 'frame') {
        yield entry
        continue
      }
      const expected: Expected = {entry, streams: []}
      if (!this.#isDecoded) this.#expected.push(expected)
      const hasStreams = (entry.kind === 'file' || entry.kind === 'directory') && entry.streams !== undefined
      yield hasStreams ? {...entry, streams: this.#toldStreams(entry.streams, expected)} : entry
    }
  }

  async *#toldStreams(streams: AsyncIterable<AlternateStream>, expected: Expected): AsyncGenerator<AlternateStream> {
    for await (const stream of streams) {
      this.#noteFrame(stream.frame?.archive)
      expected.streams.push(stream)
      yield stream
    }
  }

  #noteFrame(archive: Uint8Array | undefined): void {
    if (archive !== undefined) this.#hasFrames = true
  }

  async *watch(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const decoding = this.#decode()
    try {
      // The end of each chunk is held back, so that a tar that is refused is never whole. Chunks are lent: it is a copy.
      let held: Uint8Array = new Uint8Array()
      for await (const chunk of tar) {
        await this.#bytes.push(chunk)
        this.#requireSound()
        if (held.byteLength > 0) yield held
        const at = Math.max(0, chunk.byteLength - HELD_BYTES)
        if (at > 0) yield chunk.subarray(0, at)
        held = Uint8Array.from(chunk.subarray(at))
      }
      this.#bytes.end()
      await decoding
      this.#requireSound()
      if (held.byteLength > 0) yield held
    } finally {
      this.#bytes.end()
      await decoding
    }
  }

  /** Without frames every byte is the canonical writer's own, who needs no second look. */
  #requireSound(): void {
    if (this.#fault === undefined || !this.#hasFrames) return
    const {error} = this.#fault
    if (!(error instanceof InputError)) throw error
    throw error.code === 'RECIPE_CORRUPT' ? error : corrupt([error.what, error.why].join(' ').trim(), error)
  }

  /** Ends in `#fault` where the tar is not what it should be. */
  async #decode(): Promise<void> {
    const {signal} = this.#options
    const options = {
      ...unpackOptions(this.#options),
      title: 'The layer',
      keepFrames: false,
      mayLackEnd: true,
      ...(signal === undefined ? {} : {signal}),
    }
    try {
      for await (const entry of decodeLayerTar(this.#bytes, options))
        if (entry.kind !== 'frame') await this.#take(entry)
      const [left] = this.#expected
      if (left !== undefined) throw corrupt(`The layer ends before '${left.entry.path}'.`)
    } catch (error) {
      this.#fault = {error}
    } finally {
      this.#isDecoded = true
      this.#expected.length = 0
    }
  }

  async #take(found: Told): Promise<void> {
    const [expected] = this.#expected
    if (expected === undefined) throw corrupt(`'${found.path}' is in the layer and not in the payload.`)
    requireSame(expected.entry, found)
    if (found.kind === 'file' || found.kind === 'directory') {
      let index = 0
      for await (const stream of found.streams ?? []) requireSameStream(found, stream, expected.streams[index++])
      const missing = expected.streams[index]
      if (missing !== undefined) throw corrupt(`The stream '${missing.name}' of '${found.path}' is not in the layer.`)
    }
    this.#expected.shift()
  }
}

function requireSame(expected: Told, found: Told): void {
  const {path} = expected
  if (found.kind !== expected.kind || found.path !== path)
    throw corrupt(`Where the ${expected.kind} '${path}' should be, the layer has the ${found.kind} '${found.path}'.`)
  if (found.kind === 'hard-link' && expected.kind === 'hard-link' && found.target !== expected.target)
    throw corrupt(`The link '${path}' leads to '${found.target}', and not to '${expected.target}'.`)
  const archive = expected.frame?.archive
  if (archive === undefined || (found.kind !== 'file' && found.kind !== 'directory')) return
  if (expected.kind !== 'file' && expected.kind !== 'directory') return
  if (Buffer.compare(entryFacts(found), entryFacts(withoutSparseForm(expected))) !== 0)
    throw corrupt(`The layer says something else of '${path}' than the payload does.`)
  if (found.kind === 'file') requireSameRanges(found.content, archive, path)
}

function requireSameStream(owner: Told, found: AlternateStream, expected: AlternateStream | undefined): void {
  const name = `${owner.path}:${found.name}`
  if (expected?.name.replace(/:\$DATA$/, '') !== found.name)
    throw corrupt(`The stream '${name}' is in the layer and not in the payload.`)
  if (found.content.size !== expected.content.size) throw corrupt(`The stream '${name}' has another size in the layer.`)
  const archive = expected.frame?.archive
  if (archive !== undefined) requireSameRanges(found.content, archive, name)
}

/** The ranges that are stored are those that a reader will take them for. */
function requireSameRanges(content: Content | undefined, archive: Uint8Array, name: string): void {
  const frame = decodeArchiveFrame(archive)
  const ranges = frame.kind === 'member' && frame.body.kind === 'sparse' ? frame.body.ranges : undefined
  if (textOf(ranges) !== textOf(content?.ranges)) throw corrupt(`The layer stores '${name}' in another form.`)
}

function textOf(ranges: readonly SparseRange[] | undefined): string | undefined {
  return ranges?.map(({offset, length}) => `${offset}+${length}`).join()
}

function corrupt(why: string, cause?: TransshipError): InputError {
  return new InputError('RECIPE_CORRUPT', {
    what: 'A recipe makes a layer that is not what its payload is.',
    why,
    suggestions: [
      'Do not trust where the package comes from.',
      'Restore the recipe from a copy, or delete it: the layer is then written anew, with another digest.',
    ],
    ...(cause === undefined ? {} : {cause}),
  })
}

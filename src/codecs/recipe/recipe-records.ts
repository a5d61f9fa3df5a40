import type {Digest} from '../../model/digest.js'
import {findDigest} from '../../model/digest.js'
import {parseLayerPath, type LayerPath} from '../../model/layer-path.js'
import type {FileTimes} from '../../model/windows-metadata.js'
import {recipeCorrupt, RecordReader} from '../bytes/record-reader.js'
import {RecordWriter} from '../bytes/record-writer.js'

/*
 * A recipe says how a layer tar is made again from its payload: the entries in the tar's order, and what the payload
 * cannot tell of each. It never holds file content. See docs/recipe.md.
 */

/** A form that the tar spelt differently, and what the entry must still be like for it to fit. */
export interface RecordedForm {
  /** `EntryFrame.archive`. */
  readonly archive: Uint8Array
  /** `CHECK_BYTES` of a digest of the entry as the payload gives it. */
  readonly check: Uint8Array
}

export type RecipeRecord =
  | {
      readonly kind: 'entry'
      readonly path: LayerPath
      readonly form?: RecordedForm
      /** Forms of alternate streams, by their position. */
      readonly streams: readonly (RecordedForm & {readonly index: number})[]
    }
  | {
      readonly kind: 'hard-link'
      readonly path: LayerPath
      readonly target: LayerPath
      readonly attributes: number
      readonly times: FileTimes
      readonly archive?: Uint8Array
    }
  | {readonly kind: 'tombstone'; readonly path: LayerPath; readonly archive?: Uint8Array}
  | {readonly kind: 'opaque'; readonly path: LayerPath; readonly archive?: Uint8Array}
  /** A deletion that stands in the payload for what an opaque directory hides; the tar has none. */
  | {readonly kind: 'derived'; readonly path: LayerPath}
  | {readonly kind: 'frame'; readonly archive: Uint8Array}
  /** What must come out. The last record. */
  | {readonly kind: 'end'; readonly diffId: Digest; readonly entries: number}

/** Bytes of a check: a change by chance goes unseen once in 2^64. */
export const CHECK_BYTES = 8

const KINDS = ['entry', 'hard-link', 'tombstone', 'opaque', 'derived', 'frame', 'end'] as const
const HAS_ARCHIVE = 0x08
const HAS_STREAMS = 0x10
const KIND_MASK = 0x07

/** Encodes records one after the other; a path is told as what it shares with the one before, and the rest. */
export class RecordEncoder {
  #path = ''

  encode(record: RecipeRecord): Uint8Array {
    const kind = KINDS.indexOf(record.kind)
    const out = new RecordWriter()
    switch (record.kind) {
      case 'end':
        return out.byte(kind).number(record.entries).block(record.diffId).finish()
      case 'frame':
        return out.byte(kind).block(record.archive).finish()
      case 'derived':
        this.#putPath(out.byte(kind), record.path)
        return out.finish()
      case 'entry':
        this.#putEntry(out, kind, record)
        return out.finish()
      case 'hard-link':
      case 'tombstone':
      case 'opaque': {
        const {archive} = record
        this.#putPath(out.byte(kind | (archive === undefined ? 0 : HAS_ARCHIVE)), record.path)
        if (record.kind === 'hard-link') putLink(out, record)
        if (archive !== undefined) out.block(archive)
        return out.finish()
      }
    }
  }

  #putEntry(out: RecordWriter, kind: number, record: Extract<RecipeRecord, {kind: 'entry'}>): void {
    const {path, form, streams} = record
    const flags = (form === undefined ? 0 : HAS_ARCHIVE) | (streams.length === 0 ? 0 : HAS_STREAMS)
    this.#putPath(out.byte(kind | flags), path)
    if (form !== undefined) out.block(form.archive).bytes(form.check)
    if (streams.length === 0) return
    out.number(streams.length)
    for (const {index, archive, check} of streams) out.number(index).block(archive).bytes(check)
  }

  #putPath(out: RecordWriter, path: LayerPath): void {
    let shared = 0
    while (shared < path.length && path.charCodeAt(shared) === this.#path.charCodeAt(shared)) shared++
    // Never cut a character of two units in half: the rest must be valid UTF-8.
    if (shared > 0 && (path.charCodeAt(shared - 1) & 0xfc00) === 0xd800) shared--
    this.#path = path
    out.number(shared).block(path.slice(shared))
  }
}

function putLink(out: RecordWriter, {target, attributes, times}: Extract<RecipeRecord, {kind: 'hard-link'}>): void {
  out.block(target).number(attributes)
  out.i64(times.creation).i64(times.lastAccess).i64(times.lastWrite).i64(times.change)
}

/** Decodes what `RecordEncoder` has made; one decoder for one recipe. Throws `RECIPE_CORRUPT`. */
export class RecordDecoder {
  #path = ''

  /** The records of one block. */
  decode(bytes: Uint8Array): Generator<RecipeRecord> {
    return this.#records(new RecordReader(bytes))
  }

  #record(reader: RecordReader): RecipeRecord {
    const head = reader.byte()
    const kind = KINDS[head & KIND_MASK]
    const archive = () => ((head & HAS_ARCHIVE) === 0 ? {} : {archive: reader.block()})
    switch (kind) {
      case 'end': {
        const entries = reader.number()
        const diffId = findDigest(reader.text())
        if (diffId === undefined) throw recipeCorrupt('It does not state the digest of its layer.')
        return {kind, diffId, entries}
      }
      case 'frame':
        return {kind, archive: reader.block()}
      case 'derived':
        return {kind, path: this.#takePath(reader)}
      case 'entry':
        return this.#takeEntry(reader, head)
      case 'hard-link': {
        const path = this.#takePath(reader)
        const target = parseLayerPath(reader.text())
        return {kind, path, target, attributes: reader.number(), times: takeTimes(reader), ...archive()}
      }
      case 'tombstone':
      case 'opaque':
        return {kind, path: this.#takePath(reader), ...archive()}
      default:
        throw recipeCorrupt(`It has a record of the unknown kind ${head & KIND_MASK}.`)
    }
  }

  *#records(reader: RecordReader): Generator<RecipeRecord> {
    while (!reader.isAtEnd) yield this.#record(reader)
  }

  #takeEntry(reader: RecordReader, head: number): RecipeRecord {
    const path = this.#takePath(reader)
    const takeForm = () => ({archive: reader.block(), check: reader.bytes(CHECK_BYTES)})
    const form = (head & HAS_ARCHIVE) === 0 ? undefined : takeForm()
    const streams: (RecordedForm & {index: number})[] = []
    if ((head & HAS_STREAMS) !== 0)
      for (let left = reader.number(); left > 0; left--) streams.push({index: reader.number(), ...takeForm()})
    return {kind: 'entry', path, ...(form === undefined ? {} : {form}), streams}
  }

  #takePath(reader: RecordReader): LayerPath {
    const shared = reader.number()
    if (shared > this.#path.length) throw recipeCorrupt('A path reuses more of the previous path than that has.')
    this.#path = this.#path.slice(0, shared) + reader.text()
    return parseLayerPath(this.#path)
  }
}

function takeTimes(reader: RecordReader): FileTimes {
  return {creation: reader.i64(), lastAccess: reader.i64(), lastWrite: reader.i64(), change: reader.i64()}
}

import {InputError} from '../../model/errors.js'
import type {Digest} from '../../model/digest.js'
import {findDigest} from '../../model/digest.js'
import {parseLayerPath, type LayerPath} from '../../model/layer-path.js'
import type {FileTimes} from '../../model/windows-metadata.js'
import {encodeNumber, NumberReader} from '../layer-tar/archive-frame.js'

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

const block = (bytes: Uint8Array) => [encodeNumber(bytes.byteLength), bytes]

/** Encodes records one after the other; a path is told as what it shares with the one before, and the rest. */
export class RecordEncoder {
  #path = ''

  encode(record: RecipeRecord): Uint8Array {
    const kind = KINDS.indexOf(record.kind)
    switch (record.kind) {
      case 'end':
        return Buffer.concat([
          Buffer.of(kind),
          encodeNumber(record.entries),
          ...block(Buffer.from(record.diffId, 'latin1')),
        ])
      case 'frame':
        return Buffer.concat([Buffer.of(kind), ...block(record.archive)])
      case 'derived':
        return Buffer.concat([Buffer.of(kind), ...this.#pathOf(record.path)])
      case 'entry':
        return this.#entry(kind, record)
      case 'hard-link':
      case 'tombstone':
      case 'opaque': {
        const {archive} = record
        return Buffer.concat([
          Buffer.of(kind | (archive === undefined ? 0 : HAS_ARCHIVE)),
          ...this.#pathOf(record.path),
          ...(record.kind === 'hard-link' ? linkFacts(record) : []),
          ...(archive === undefined ? [] : block(archive)),
        ])
      }
    }
  }

  #entry(kind: number, {path, form, streams}: Extract<RecipeRecord, {kind: 'entry'}>): Uint8Array {
    const flags = (form === undefined ? 0 : HAS_ARCHIVE) | (streams.length === 0 ? 0 : HAS_STREAMS)
    return Buffer.concat([
      Buffer.of(kind | flags),
      ...this.#pathOf(path),
      ...(form === undefined ? [] : [...block(form.archive), form.check]),
      ...(streams.length === 0
        ? []
        : [
            encodeNumber(streams.length),
            ...streams.flatMap(({index, archive, check}) => [encodeNumber(index), ...block(archive), check]),
          ]),
    ])
  }

  #pathOf(path: LayerPath): Uint8Array[] {
    let shared = 0
    while (shared < path.length && path.charCodeAt(shared) === this.#path.charCodeAt(shared)) shared++
    // Never cut a character of two units in half: the rest must be valid UTF-8.
    if (shared > 0 && (path.charCodeAt(shared - 1) & 0xfc00) === 0xd800) shared--
    this.#path = path
    return [encodeNumber(shared), ...block(Buffer.from(path.slice(shared)))]
  }
}

function linkFacts({target, attributes, times}: Extract<RecipeRecord, {kind: 'hard-link'}>): Uint8Array[] {
  const ticks = Buffer.alloc(32)
  for (const [index, time] of [times.creation, times.lastAccess, times.lastWrite, times.change].entries())
    ticks.writeBigInt64LE(BigInt.asIntN(64, time), index * 8)
  return [...block(Buffer.from(target)), encodeNumber(attributes), ticks]
}

/** Decodes what `RecordEncoder` has made; one decoder for one recipe. Throws `RECIPE_CORRUPT`. */
export class RecordDecoder {
  #path = ''

  /** The records of one block. */
  decode(bytes: Uint8Array): Generator<RecipeRecord> {
    return this.#records(new NumberReader(bytes))
  }

  #record(reader: NumberReader): RecipeRecord {
    const head = reader.byte()
    const kind = KINDS[head & KIND_MASK]
    const archive = () => ((head & HAS_ARCHIVE) === 0 ? {} : {archive: block()})
    const block = () => reader.bytes(reader.number())
    switch (kind) {
      case 'end': {
        const entries = reader.number()
        const diffId = findDigest(Buffer.from(block()).toString('latin1'))
        if (diffId === undefined) throw recipeCorrupt('It does not state the digest of its layer.')
        return {kind, diffId, entries}
      }
      case 'frame':
        return {kind, archive: block()}
      case 'derived':
        return {kind, path: this.#takePath(reader)}
      case 'entry':
        return this.#takeEntry(reader, head)
      case 'hard-link': {
        const path = this.#takePath(reader)
        const target = parseLayerPath(Buffer.from(block()).toString('utf8'))
        return {kind, path, target, attributes: reader.number(), times: takeTimes(reader), ...archive()}
      }
      case 'tombstone':
      case 'opaque':
        return {kind, path: this.#takePath(reader), ...archive()}
      default:
        throw recipeCorrupt(`It has a record of the unknown kind ${head & KIND_MASK}.`)
    }
  }

  *#records(reader: NumberReader): Generator<RecipeRecord> {
    while (!reader.isAtEnd) yield this.#record(reader)
  }

  #takeEntry(reader: NumberReader, head: number): RecipeRecord {
    const path = this.#takePath(reader)
    const takeForm = () => ({archive: reader.bytes(reader.number()), check: reader.bytes(CHECK_BYTES)})
    const form = (head & HAS_ARCHIVE) === 0 ? undefined : takeForm()
    const streams: (RecordedForm & {index: number})[] = []
    if ((head & HAS_STREAMS) !== 0)
      for (let left = reader.number(); left > 0; left--) streams.push({index: reader.number(), ...takeForm()})
    return {kind: 'entry', path, ...(form === undefined ? {} : {form}), streams}
  }

  #takePath(reader: NumberReader): LayerPath {
    const shared = reader.number()
    if (shared > this.#path.length) throw recipeCorrupt('A path reuses more of the previous path than that has.')
    const rest = Buffer.from(reader.bytes(reader.number())).toString('utf8')
    this.#path = this.#path.slice(0, shared) + rest
    return parseLayerPath(this.#path)
  }
}

function takeTimes(reader: NumberReader): FileTimes {
  const ticks = Buffer.from(reader.bytes(32))
  return {
    creation: ticks.readBigInt64LE(0),
    lastAccess: ticks.readBigInt64LE(8),
    lastWrite: ticks.readBigInt64LE(16),
    change: ticks.readBigInt64LE(24),
  }
}

export function recipeCorrupt(why: string): InputError {
  return new InputError('RECIPE_CORRUPT', {
    what: 'A recipe is damaged.',
    why,
    suggestions: ['Restore it from a copy. Or delete it: transship then writes the layer with another digest.'],
  })
}

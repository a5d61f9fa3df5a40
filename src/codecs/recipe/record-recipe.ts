import {hash} from 'node:crypto'
import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../model/layer-entry.js'
import {canonicalStreamHeader, streamMode} from '../layer-tar/canonical-header.js'
import {entryFacts, withSize} from '../layer-tar/entry-facts.js'
import {CHECK_BYTES, type RecipeRecord, type RecordedForm} from './recipe-records.js'

/**
 * Passes the entries of a layer tar on, and tells a record for each once the consumer is done with it. The consumer
 * reads or skips contents and streams as ever; streams that it leaves are passed over here, since their forms count.
 */
export async function* recordingRecipe(
  entries: AsyncIterable<LayerEntry>,
  onRecord: (record: RecipeRecord) => Promise<void> | void,
): AsyncGenerator<LayerEntry> {
  for await (const entry of entries) {
    if (entry.kind === 'file' || entry.kind === 'directory') {
      const streams = new RecordedStreams(entry)
      yield entry.streams === undefined ? entry : {...entry, streams}
      await streams.skipRest()
      await onRecord({kind: 'entry', path: entry.path, ...formOf(entry), streams: streams.forms})
    } else {
      yield entry
      const record = recordOf(entry)
      if (record !== undefined) await onRecord(record)
    }
  }
}

function recordOf(entry: Exclude<LayerEntry, FileEntry | DirectoryEntry>): RecipeRecord | undefined {
  const archive = entry.frame?.archive
  const framed = archive === undefined ? {} : {archive}
  switch (entry.kind) {
    case 'frame':
      return archive === undefined ? undefined : {kind: 'frame', archive}
    case 'tombstone':
      return entry.isDerived === true
        ? {kind: 'derived', path: entry.path}
        : {kind: 'tombstone', path: entry.path, ...framed}
    case 'opaque':
      return {kind: 'opaque', path: entry.path, ...framed}
    case 'hard-link': {
      const {attributes, times} = entry.meta
      return {kind: 'hard-link', path: entry.path, target: entry.target, attributes, times, ...framed}
    }
  }
}

function formOf(entry: FileEntry | DirectoryEntry): {form?: RecordedForm} {
  const archive = entry.frame?.archive
  return archive === undefined ? {} : {form: {archive, check: checkOf(entry)}}
}

/** The alternate streams of an entry on their way, with the forms they had. */
class RecordedStreams implements AsyncIterable<AlternateStream> {
  readonly forms: (RecordedForm & {index: number})[] = []
  readonly #entry: FileEntry | DirectoryEntry
  readonly #iterator: AsyncIterator<AlternateStream> | undefined
  #index = 0
  #isDone = false

  constructor(entry: FileEntry | DirectoryEntry) {
    this.#entry = entry
    this.#iterator = entry.streams?.[Symbol.asyncIterator]()
  }

  [Symbol.asyncIterator](): AsyncIterator<AlternateStream> {
    return {next: () => this.#next()}
  }

  async #next(): Promise<IteratorResult<AlternateStream>> {
    const next = await this.#iterator?.next()
    if (next === undefined || next.done === true) {
      this.#isDone = true
      return {done: true, value: undefined}
    }
    const archive = next.value.frame?.archive
    if (archive !== undefined)
      this.forms.push({index: this.#index, archive, check: streamCheckOf(this.#entry, next.value)})
    this.#index++
    return next
  }

  async skipRest(): Promise<void> {
    while (!this.#isDone) await this.#next()
  }
}

/** What an entry must be like for a recorded form to fit it. */
export function checkOf(entry: FileEntry | DirectoryEntry): Uint8Array {
  return shortHash(entryFacts(entry))
}

export function streamCheckOf(entry: FileEntry | DirectoryEntry, stream: AlternateStream): Uint8Array {
  const {path, meta} = entry
  return shortHash(canonicalStreamHeader({path, meta, mode: streamMode(withSize(entry))}, stream))
}

function shortHash(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer').subarray(0, CHECK_BYTES)
}

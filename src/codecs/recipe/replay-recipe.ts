import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../model/layer-entry.js'
import type {LayerPath} from '../../model/layer-path.js'
import {withoutSparseForm} from '../layer-tar/entry-facts.js'
import {recipeCorrupt} from '../bytes/record-reader.js'
import type {RecipeRecord, RecordedForm} from './recipe-records.js'
import {checkOf, streamCheckOf} from './record-recipe.js'

export interface ReplaySource {
  /** The payload's file or directory of that name, Windows-case-insensitively; its content is read before the next is asked for. */
  find(path: LayerPath): FileEntry | DirectoryEntry | undefined
  /** True when `path` still is a further name of `target`, or a copy of the target in a lower layer. */
  isLink(path: LayerPath, target: LayerPath): boolean | Promise<boolean>
  /** Told of each entry whose recorded form no longer fits, since it was changed. */
  onChanged(path: LayerPath): void
}

/** The entries of a layer tar again: in its order, with its forms, from the payload as it is now. */
export async function* replayRecipe(
  records: AsyncIterable<RecipeRecord>,
  source: ReplaySource,
): AsyncGenerator<LayerEntry> {
  for await (const record of records) {
    const entry = await entryOf(record, source)
    if (entry !== undefined) yield entry
  }
}

async function entryOf(record: RecipeRecord, source: ReplaySource): Promise<LayerEntry | undefined> {
  switch (record.kind) {
    case 'end':
    case 'derived':
      return undefined
    case 'frame':
      return {kind: 'frame', frame: {archive: record.archive}}
    case 'tombstone':
    case 'opaque':
      return {kind: record.kind, path: record.path, ...framed(record.archive)}
    case 'hard-link': {
      const {path, target, attributes, times, archive} = record
      if (await source.isLink(path, target)) {
        return {kind: 'hard-link', path, target, meta: {attributes, times}, ...framed(archive)}
      }
      source.onChanged(path)
      return source.find(path)
    }
    case 'entry':
      return payloadEntry(record, source)
  }
}

function framed(archive: Uint8Array | undefined): {frame?: {archive: Uint8Array}} {
  return archive === undefined ? {} : {frame: {archive}}
}

function payloadEntry(record: Extract<RecipeRecord, {kind: 'entry'}>, source: ReplaySource): LayerEntry {
  const found = source.find(record.path)
  if (found === undefined) throw recipeCorrupt(`The payload does not contain '${record.path}'.`)
  const entry = {...found, path: record.path}
  if (record.form !== undefined && !fits(record.form, checkOf(withoutSparseForm(entry)))) {
    source.onChanged(record.path)
    return entry
  }
  if (record.streams.length > 0 && entry.streams === undefined) source.onChanged(record.path)
  const archive = record.form?.archive
  return {
    ...entry,
    ...(archive === undefined ? {} : {frame: {...entry.frame, archive}}),
    ...(record.streams.length === 0 || entry.streams === undefined
      ? {}
      : {streams: replayStreams(entry, entry.streams, record, source)}),
  }
}

async function* replayStreams(
  entry: FileEntry | DirectoryEntry,
  streams: AsyncIterable<AlternateStream>,
  record: Extract<RecipeRecord, {kind: 'entry'}>,
  source: ReplaySource,
): AsyncGenerator<AlternateStream> {
  let index = 0
  for await (const stream of streams) {
    const form = record.streams.find((candidate) => candidate.index === index)
    index++
    if (form === undefined) yield stream
    else if (fits(form, streamCheckOf(entry, stream))) {
      yield {...stream, frame: {...stream.frame, archive: form.archive}}
    } else {
      source.onChanged(entry.path)
      yield stream
    }
  }
  if (record.streams.some((form) => form.index >= index)) source.onChanged(entry.path)
}

function fits(form: RecordedForm, check: Uint8Array): boolean {
  return Buffer.compare(form.check, check) === 0
}

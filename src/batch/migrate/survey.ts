import {rebuiltTar} from '../../formats/layer-blob/rebuilt-tar.js'
import {TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerVerdict, NetworkOptions} from '../../model/transport.js'
import {findReference, formatReference, transportOf} from '../../transports/catalog.js'
import type {Reference} from '../../model/reference.js'
import type {ItemFailure} from '../batch-report.js'
import {failureOf} from '../item-failure.js'
import {holdsPackages, referenceIn} from '../place.js'
import {imageNamesOf} from '../template.js'
import type {PlannedUnit} from '../unit.js'
import {unitOpening} from '../unit-options.js'
import type {Change, Content} from './migration-report.js'

/** What reading the packages of a source has shown. */
export interface Surveyed {
  readonly content: Content
  readonly changes: readonly Change[]
  /** Why an edited package cannot be converted any more. */
  readonly failure?: ItemFailure
}

interface Place {
  readonly reference: Reference
  readonly units: PlannedUnit[]
}

export interface SurveyOptions extends WorkOptions {
  readonly folder: string
  readonly network?: NetworkOptions | undefined
}

/**
 * Reads the packages of units to their last byte and tells by unit id which are as they were made, and which files of the
 * others are not. Images are not read: each of their layers has a digest that is checked when it is converted.
 */
export async function survey(
  units: readonly PlannedUnit[],
  options: SurveyOptions,
): Promise<ReadonlyMap<string, Surveyed>> {
  const places = new Map<string, Place>()
  const found = new Map<string, Surveyed>()
  for (const unit of units) {
    const reference = findReference(unit.source)
    if (reference === undefined || unit.chain === undefined || !holdsPackages(reference)) {
      found.set(unit.id, {content: 'image', changes: []})
      continue
    }
    const {selector: _, ...place} = referenceIn(options.folder, reference)
    const key = formatReference(place)
    const known: Place = places.get(key) ?? {reference: place, units: []}
    known.units.push(unit)
    places.set(key, known)
  }
  for (const {reference, units: own} of places.values()) {
    const changes = await changesIn(reference, own, options)
    for (const unit of own) {
      const each = surveyed(unit, changes)
      const failure = each.content === 'edited' ? await readAgain(unit, options) : undefined
      found.set(unit.id, {...each, ...(failure === undefined ? {} : {failure})})
    }
  }
  return found
}

function surveyed({before, chain = []}: PlannedUnit, changes: ReadonlyMap<string, readonly Change[]>): Surveyed {
  const own = chain.flatMap((name) => changes.get(name.toLowerCase()) ?? [])
  const [facts] = before
  const isOfImage = facts !== undefined && (facts.imageId !== undefined || imageNamesOf(facts).length > 0)
  return {content: own.length > 0 ? 'edited' : isOfImage ? 'unchanged' : 'new', changes: own}
}

/**
 * Reads what was edited as converting it would: an editor that knows nothing of carriers leaves files that are none. What
 * was made on an edited package is another matter, and is not read here.
 */
async function readAgain(
  {source, options: own}: PlannedUnit,
  options: SurveyOptions,
): Promise<ItemFailure | undefined> {
  const reference = findReference(source)
  if (reference === undefined) return undefined
  const {signal, folder} = options
  const quiet = {...unitOpening(own, options), ...(signal === undefined ? {} : {signal})}
  try {
    const image = await transportOf(reference).open(referenceIn(folder, reference), quiet)
    try {
      const top = image.layers.at(-1)
      if (top?.hasContent === true)
        for await (const _ of rebuiltTar(top.entries(quiet), quiet)) signal?.throwIfAborted()
    } finally {
      await image.close()
    }
    return undefined
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof TransshipError) || error.exitCode !== 3) throw error
    return failureOf(error)
  }
}

/** By full name in lower case. Each package is read once, however many are made on it, and their place is listed once. */
async function changesIn(
  reference: Reference,
  units: readonly PlannedUnit[],
  options: SurveyOptions,
): Promise<ReadonlyMap<string, readonly Change[]>> {
  const [first] = units
  const only = new Set(units.flatMap(({chain = []}) => chain))
  const id = `survey ${formatReference(reference)}`
  const count = only.size === 1 ? '1 package' : `${only.size} packages`
  options.onEvent?.({kind: 'step', id, title: `Check ${count} of ${formatReference(reference)} for edits`})
  const verdict = await transportOf(reference).verify(reference, {
    ...(first === undefined ? {} : unitOpening(first.options, options)),
    ...(options.signal === undefined ? {} : {signal: options.signal}),
    only,
  })
  const messages = new Map(verdict.faults.map(({subject, message}) => [subject, message]))
  const changes = new Map<string, readonly Change[]>()
  for (const layer of verdict.layers) {
    const found = changesOf(layer, messages)
    if (found.length > 0) changes.set(layer.title.toLowerCase(), found)
  }
  options.onEvent?.({kind: 'done', id, summary: changes.size === 0 ? 'none edited' : `${changes.size} edited`})
  return changes
}

const MESSAGES: Readonly<Record<Change['kind'], string>> = {
  changed: 'The file has changed.',
  added: 'The file was added.',
  removed: 'The file was removed.',
}

function changesOf({title, edits, reproducible}: LayerVerdict, messages: ReadonlyMap<string, string>): Change[] {
  if (edits !== undefined)
    return edits.files.map(({file, kind}) => ({
      package: title,
      file,
      kind,
      message: messages.get(`${title}/${file}`) ?? MESSAGES[kind],
    }))
  if (reproducible !== false) return []
  const message = 'The package no longer gives the layer that it was made of.'
  return [{package: title, file: '', kind: 'changed', message}]
}

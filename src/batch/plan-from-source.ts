import {readdir, stat} from 'node:fs/promises'
import path from 'node:path'
import {stringify} from 'yaml'
import {list} from '../convert/list.js'
import {InputError, UsageError} from '../model/errors.js'
import {printable} from '../model/printable.js'
import {findReference, formatReference, resolveReference, shownReference, TRANSPORTS} from '../transports/catalog.js'
import type {Reference} from '../model/reference.js'
import type {ListOptions} from '../model/transport.js'
import {fillDestination} from './fill-destination.js'
import {textsOf} from './parse-plan.js'
import {holdsMany, placeKey, referenceFrom, selectorsOf} from './place.js'
import type {PlanDocument, PlanItemDocument, PlanOptions} from './plan-schema.js'
import {referenceOfRow, withoutHelpers} from './select-rows.js'
import {fillReference, templateValues} from './template.js'
import {limitOptions} from './unit-options.js'

export interface PlanFromSourceOptions extends ListOptions {
  /** Of the plan to be: paths in it are relative to it. */
  readonly folder: string
}

/** A plan that converts each thing a place holds, item by item, for editing. */
export interface WrittenPlan {
  readonly plan: PlanDocument
  /** The same as YAML. */
  readonly yaml: string
}

/**
 * Makes a plan from what is at `source`: a reference, a path, or a folder of archives and the like. The destination may
 * have fields. Throws `NOT_FOUND` where there is nothing, `BAD_OPTION` when several things would meet at one destination.
 */
export async function planFromSource(
  source: string,
  destination: string,
  options: PlanFromSourceOptions,
): Promise<WrittenPlan> {
  const {folder} = options
  requireDestination(destination)
  const items: PlanItemDocument[] = []
  const told: string[] = []
  for (const reference of await placesIn(source)) {
    const {items: rows, notes} = await list(formatReference(reference), {...options, images: true})
    for (const {subject, message} of notes) told.push(printable(`${subject}: ${message}`))
    const own = withoutHelpers(rows)
    if (own.length < rows.length) told.push(toldHelpers(formatReference(reference), rows.length - own.length))
    for (const row of own) {
      const selected = referenceOfRow(reference, row, rows) ?? reference
      for (const {destination: filled, tags} of fillDestination(destination, row, reference.path))
        items.push({
          source: formatReference(referenceFrom(folder, selected)),
          destination: formatReference(referenceFrom(folder, filled)),
          ...(tags === undefined ? {} : {options: {tag: tags}}),
        })
    }
  }
  if (items.length === 0) throw new InputError('NOT_FOUND', {what: `'${source}' contains nothing to convert.`})
  requireDistinct(items, {destination, folder})
  return written(items, told, optionsOfListing(options))
}

function toldHelpers(place: string, count: number): string {
  const what = count === 1 ? '1 package is' : `${count} packages are`
  return printable(
    `${place}: ${what} no item of the plan. Others are built on it, or it is a stub, and it goes with those.`,
  )
}

function requireDestination(destination: string): void {
  if (findReference(fillReference(destination, templateValues(EXAMPLE_ROW, 'x'))) !== undefined) return
  throw new UsageError('BAD_REFERENCE', {
    what: `'${shownReference(destination)}' is not TRANSPORT:LOCATION.`,
    suggestions: TRANSPORTS.map((transport) => `${transport.name}:${transport.grammar}`),
  })
}

const EXAMPLE_ROW = {kind: 'image', reference: '', names: ['example:1']} as const

/** The place itself if anything recognises it, else what is recognised of the files and folders in it. */
async function placesIn(source: string): Promise<readonly Reference[]> {
  try {
    return [(await resolveReference(source)).reference]
  } catch (error) {
    const isFolder = await stat(source).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (!isFolder) throw error
  }
  const found: Reference[] = []
  for (const name of (await readdir(source)).sort()) {
    if (name.startsWith('.')) continue
    const resolved = await resolveReference(path.join(source, name)).catch(() => undefined)
    if (resolved !== undefined) found.push(resolved.reference)
  }
  return found
}

/** What is written by one name, or to a place of one thing, would be written over. */
function requireDistinct(
  items: readonly PlanItemDocument[],
  {destination, folder}: {readonly destination: string; readonly folder: string},
): void {
  const taken = new Map<string, string>()
  for (const {source, destination: text = '', options} of items) {
    const reference = findReference(text)
    if (reference === undefined) continue
    for (const selector of selectorsOf(reference, textsOf(options?.tag))) {
      if (holdsMany(reference) && selector === undefined) continue
      const key = `${placeKey(folder, reference)}\n${selector ?? ''}`
      const other = taken.get(key)
      if (other !== undefined) throw sharedDestination(items.length, {destination, text, sources: [other, source]})
      taken.set(key, source)
    }
  }
}

function sharedDestination(
  count: number,
  shared: {readonly destination: string; readonly text: string; readonly sources: readonly string[]},
): UsageError {
  const {destination, text, sources} = shared
  return new UsageError('BAD_OPTION', {
    what: `'${destination}' does not give each of the ${count} images and packages its own destination.`,
    why: `${sources.join(' and ')} would both go to '${text}'.`,
    suggestions: [
      'Put {name}, {tag}, {version} or {file} into the destination, e.g. docker-archive:out/{name}-{version}.tar',
      'If one tag has images for several platforms, add {imageId}, e.g. oci:out:{tag}-{imageId}',
    ],
  })
}

/** What was needed to list the source is needed to convert it: without its platform, an index leads to no one image. */
function optionsOfListing({platform, ...options}: ListOptions): PlanOptions {
  return {...(platform === undefined ? {} : {platform}), ...limitOptions(options)}
}

/** What the listing told stands in front, as comments: what is no item must not be missed by who edits the plan. */
function written(items: readonly PlanItemDocument[], told: readonly string[], options: PlanOptions): WrittenPlan {
  const destinations = new Set(items.map(({destination, options}) => (options === undefined ? destination : undefined)))
  const [shared] = destinations
  const isShared = destinations.size === 1 && shared !== undefined && items.length > 1
  const defaults = {
    ...(isShared ? {destination: shared} : {}),
    ...(Object.keys(options).length === 0 ? {} : {options}),
  }
  const plan: PlanDocument = {
    version: 1,
    ...(Object.keys(defaults).length === 0 ? {} : {defaults}),
    items: isShared ? items.map(({source}) => ({source})) : items,
  }
  // A dollar sign in a name is none of a variable.
  const yaml = stringify(plan, {lineWidth: 0}).replaceAll('$', '$$$$')
  const comments = ['Run it with: transship batch PLAN. Schema: batch-plan.schema.json of transship.', ...told]
  return {plan, yaml: `${comments.map((line) => `# ${line}\n`).join('')}${yaml}`}
}

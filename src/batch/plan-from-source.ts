import {readdir, stat} from 'node:fs/promises'
import path from 'node:path'
import {stringify} from 'yaml'
import {list} from '../convert/list.js'
import {InputError, UsageError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {printable} from '../model/printable.js'
import {findReference, formatReference, resolveReference, shownReference, TRANSPORTS} from '../transports/catalog.js'
import type {Reference} from '../model/reference.js'
import type {NetworkOptions} from '../transports/transport.js'
import {holdsMany, isLocal, referenceFrom} from './place.js'
import type {PlanDocument, PlanItemDocument} from './plan-schema.js'
import {fillReference, isTemplate, templateValues} from './template.js'

export interface PlanFromSourceOptions extends WorkOptions, NetworkOptions {
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
    const {items: rows, notes} = await list(formatReference(reference), options)
    told.push(...notes.map(({subject, message}) => printable(`${subject}: ${message}`)))
    for (const row of rows) {
      // Without a tag, a repository of a registry means its latest, whatever it holds.
      const isAlone = rows.length === 1 && isLocal(reference)
      const selected = isAlone ? reference : (findReference(row.reference) ?? reference)
      const filled = findReference(fillReference(destination, templateValues(row, reference.path)))
      if (filled === undefined) continue
      items.push({
        source: formatReference(referenceFrom(folder, selected)),
        destination: formatReference(referenceFrom(folder, filled)),
      })
    }
  }
  if (items.length === 0) throw new InputError('NOT_FOUND', {what: `Nothing to convert is at '${source}'.`})
  requireDistinct(items, destination)
  return written(items, told)
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

function requireDistinct(items: readonly PlanItemDocument[], destination: string): void {
  const reference = findReference(items[0]?.destination ?? '')
  if (reference === undefined || (holdsMany(reference) && (isLocal(reference) || isTemplate(destination)))) return
  if (new Set(items.map((item) => item.destination?.toLowerCase())).size === items.length) return
  throw new UsageError('BAD_OPTION', {
    what: `There are ${items.length} things to convert, and '${destination}' does not give each its own place.`,
    suggestions: [
      'Put {name}, {tag}, {version} or {file} into the destination, e.g. docker-archive:out/{name}-{version}.tar',
    ],
  })
}

/** What the listing told stands in front, as comments: what is no item must not be missed by who edits the plan. */
function written(items: readonly PlanItemDocument[], told: readonly string[]): WrittenPlan {
  const destinations = new Set(items.map(({destination}) => destination))
  const [shared] = destinations
  const isShared = destinations.size === 1 && shared !== undefined && items.length > 1
  const plan: PlanDocument = {
    version: 1,
    ...(isShared ? {defaults: {destination: shared}} : {}),
    items: isShared ? items.map(({source}) => ({source})) : items,
  }
  // A dollar sign in a name is none of a variable.
  const yaml = stringify(plan, {lineWidth: 0}).replaceAll('$', '$$$$')
  const comments = ['Run it with: transship batch PLAN. Schema: batch-plan.schema.json of transship.', ...told]
  return {plan, yaml: `${comments.map((line) => `# ${line}\n`).join('')}${yaml}`}
}

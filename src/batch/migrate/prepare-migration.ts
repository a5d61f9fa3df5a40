import {createHash} from 'node:crypto'
import {findingOf, type Note, type WorkEvent} from '../../model/events.js'
import type {ListOptions, NetworkOptions} from '../../model/transport.js'
import type {ItemFailure} from '../batch-report.js'
import {failureOf} from '../item-failure.js'
import {foreseeUnits, type Foreseen} from '../foresee.js'
import {Journal} from '../journal.js'
import {planFromSource} from '../plan-from-source.js'
import type {PlanDocument, PlanOptions} from '../plan-schema.js'
import {loadPlanText, prepareBatch, type LoadedPlan, type PreparedUnit} from '../prepare-batch.js'
import type {PlannedUnit} from '../unit.js'
import type {Environment} from '../variables.js'
import {keepingOpen} from '../../disk/kept-open.js'
import {InputError} from '../../model/errors.js'
import {describeEdits} from '../../model/payload-edits.js'
import {destinationTemplate} from './destination-template.js'
import type {Change, MigrateReport, MigrationItem} from './migration-report.js'
import {survey, type Surveyed} from './survey.js'

export interface MigrateOptions extends ListOptions {
  /** What relative paths are relative to. */
  readonly folder: string
  /** Where it is written down what is done, so that a migration that was stopped goes on. */
  readonly journal: string
  readonly environment: Environment
  readonly network?: NetworkOptions
  /** Options of every item, as a plan spells them. */
  readonly options?: PlanOptions
}

/** A migration of which everything is known and nothing is done. */
export interface Migration {
  readonly loaded: LoadedPlan
  readonly report: MigrateReport
}

/**
 * Lists what a source holds, opens every item, reads packages to tell whether they were edited, and plans each conversion.
 * Writes nothing. Throws `PLAN_INVALID`, `NOT_FOUND`, `BAD_OPTION`; what only one item meets is told with that item.
 */
export function prepareMigration(source: string, destination: string, options: MigrateOptions): Promise<Migration> {
  return keepingOpen(() => prepare(source, destination, options))
}

async function prepare(source: string, destination: string, options: MigrateOptions): Promise<Migration> {
  const notes: Note[] = []
  const inner: MigrateOptions = {
    ...options,
    onEvent: (event: WorkEvent) => {
      if (event.kind === 'note') notes.push(findingOf(event))
      options.onEvent?.(event)
    },
  }
  const loaded = await load(source, destination, inner)
  const surveys = await survey(loaded.units, inner)
  const units = loaded.units.map((unit) => ({...unit, key: keyOf(unit, surveys.get(unit.id))}))
  const known = {...loaded, units}
  const entries = await Journal.peek(options.journal)
  const prepared = await prepareBatch(known, entries, {...inner, checkSpace: false})
  const items: MigrationItem[] = []
  const id = 'open every item'
  const {length} = prepared.units
  options.onEvent?.({kind: 'step', id, title: `Open and plan ${length} ${length === 1 ? 'item' : 'items'}`})
  const {onEvent: _, ...quiet} = inner
  const foreseen = await foreseeUnits(prepared.units, quiet)
  for (const each of inPlanOrder(prepared.units))
    items.push(itemOf(each, surveys.get(each.unit.id), foreseen.get(each.unit.id)))
  options.onEvent?.({kind: 'done', id})
  return {
    loaded: known,
    report: {
      source,
      destination,
      state: items.some(({state}) => state === 'refused') ? 'refused' : 'planned',
      items,
      notes,
      space: prepared.space.map((need) => ({...need, isEnough: need.neededBytes <= need.freeBytes})),
      journal: options.journal,
    },
  }
}

async function load(source: string, destination: string, options: MigrateOptions): Promise<LoadedPlan> {
  const {folder, network} = options
  const template = destinationTemplate(destination)
  const {plan} = await planFromSource(source, template, {...options, ...network})
  const own = optionsFor(template, options.options ?? {})
  const whole: PlanDocument = {
    ...plan,
    defaults: {...plan.defaults, options: {...plan.defaults?.options, ...own}},
  }
  // JSON is YAML; a dollar sign in a name is none of a variable.
  const text = JSON.stringify(whole, undefined, 1).replaceAll('$', '$$$$')
  return loadPlanText(text, {...options, title: `${source} -> ${destination}`, folder})
}

/** Towards packages the lossless form, unless another is asked for: one package for each layer, so that digests come back. */
function optionsFor(destination: string, options: PlanOptions): PlanOptions {
  return /^(?:inbox|appx):/.test(destination) ? {layers: 'chain', ...options} : options
}

/** What was edited by hand since an earlier run is other work, though metadata of packages do not say so. */
function keyOf({key}: PlannedUnit, surveyed: Surveyed | undefined): string {
  if (surveyed === undefined || surveyed.changes.length === 0) return key
  return createHash('sha256')
    .update(JSON.stringify([key, surveyed.changes]))
    .digest('hex')
    .slice(0, 32)
}

function inPlanOrder(units: readonly PreparedUnit[]): readonly PreparedUnit[] {
  return [...units].sort((one, other) => one.unit.item - other.unit.item)
}

function itemOf(
  {unit, done, weight}: PreparedUnit,
  surveyed: Surveyed = {content: 'image', changes: []},
  foreseen: Foreseen = {},
): MigrationItem {
  const {id, source, destination} = unit
  const {failure: unreadable, ...content} = surveyed
  const failure = done === undefined ? (foreseen.failure ?? refusalOf(unit, surveyed) ?? unreadable) : undefined
  const {tag} = unit.options
  return {
    id,
    source,
    destination,
    ...(Array.isArray(tag) ? {tags: tag.map(String)} : {}),
    ...content,
    state: done !== undefined ? 'already-done' : failure === undefined ? 'to-do' : 'refused',
    makes: foreseen.plan?.steps ?? [],
    losses: foreseen.plan?.losses ?? [],
    notes: foreseen.plan?.notes ?? [],
    ...(failure === undefined ? {} : {failure}),
    ...(weight === undefined ? {} : {bytes: weight.bytes}),
  }
}

/** What was made on a package fits no other payload: under another one, an edited package is refused when it is read. */
function refusalOf({chain = [], before, options}: PlannedUnit, {changes}: Surveyed): ItemFailure | undefined {
  const top = before[0]?.identity?.toLowerCase()
  const below = changes.find(({package: name}) => name.toLowerCase() !== top)
  if (below === undefined || options['accept-base-mismatch'] === true || chain.length < 2) return undefined
  return failureOf(
    new InputError('DEPENDENCY_MISMATCH', {
      what: `'${below.package}' has changed since '${before[0]?.identity ?? ''}' was made on it.`,
      why: whyOf(changes.filter(({package: name}) => name === below.package)),
      suggestions: [
        'Restore the package from a copy.',
        'Or pass --accept-base-mismatch to convert it with the change. The result is not exact.',
      ],
    }),
  )
}

/** Names the files; where only the whole is known to have changed, that. */
function whyOf(changes: readonly Change[]): string {
  const files = changes.filter(({file}) => file !== '')
  if (files.length === 0) return changes[0]?.message ?? ''
  return `Edited: ${describeEdits({total: files.length, files})}.`
}

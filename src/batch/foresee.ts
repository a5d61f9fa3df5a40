import {planConversion} from '../convert/convert.js'
import type {ConversionPlan, PlanStep} from '../convert/plan.js'
import {InputError, TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {ItemFailure} from './batch-report.js'
import {failureOf} from './item-failure.js'
import {placeKey} from './place.js'
import type {PreparedUnit} from './prepare-batch.js'
import {referenceText} from './run-unit.js'
import type {PlannedUnit} from './unit.js'
import {findReference} from '../transports/catalog.js'
import {unitOptions, type UnitSurroundings} from './unit-options.js'

/** What one unit would do, as far as can be told without reading layers and without writing anything. */
export interface Foreseen {
  /** What it makes; absent where its source is made by another unit, or cannot be converted. */
  readonly plan?: ConversionPlan
  /** Why it would fail. */
  readonly failure?: ItemFailure
}

/**
 * Opens the source of a unit and plans its conversion. What it would fail with is an outcome, an image registry that
 * cannot be reached too; an interrupt and a fault of our own are thrown.
 */
async function foreseeUnit(
  unit: PlannedUnit,
  {signal, onEvent: _, ...surroundings}: WorkOptions & UnitSurroundings & {readonly mayReplace?: boolean},
): Promise<Foreseen> {
  // Another unit makes its source: what that will be is not known yet.
  if (unit.before.length === 0) return {}
  const {folder, mayReplace} = surroundings
  try {
    const plan = await planConversion(referenceText(unit.source, folder), referenceText(unit.destination, folder), {
      ...unitOptions(unit.options, surroundings),
      ...(mayReplace === true ? {replace: true} : {}),
      ...(signal === undefined ? {} : {signal}),
    })
    const refused = plan.steps.find(({outcome}) => outcome === 'refused')
    return refused === undefined ? {plan} : {plan, failure: failureOf(clash(refused, unit, mayReplace === true))}
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof TransshipError) || error.exitCode > 4) throw error
    return {failure: failureOf(error)}
  }
}

/** Of each unit that is left to do, by its id, what it would do, in the order in which they are converted. */
export async function foreseeUnits(
  units: readonly PreparedUnit[],
  options: WorkOptions & UnitSurroundings,
): Promise<ReadonlyMap<string, Foreseen>> {
  const meetings = new Meetings(options.folder)
  const foreseen = new Map<string, Foreseen>()
  for (const {unit, done, mayReplace} of units) {
    options.signal?.throwIfAborted()
    if (done === undefined)
      foreseen.set(unit.id, meetings.check(unit, await foreseeUnit(unit, {...options, mayReplace})))
  }
  return foreseen
}

/** What the conversion would be refused with. */
function clash({kind, title}: PlanStep, {destination, options}: PlannedUnit, mayReplace: boolean): InputError {
  const isAsked = mayReplace || options.replace === true
  const why = isAsked ? 'Other packages were made on it, and fit no other.' : 'It has other content.'
  return new InputError(kind === 'package' ? 'IDENTITY_CLASH' : 'DESTINATION_EXISTS', {
    what: `'${destination}' already holds a different ${kind} '${title}'.`,
    why,
    suggestions: ['Choose another name or destination.', ...(isAsked ? [] : ['Pass --replace to overwrite it.'])],
  })
}

/**
 * Finds what would meet at one destination under one name, made of other layers: of each, the first stays, and the others
 * are refused. What several units share is equal, and no clash.
 */
class Meetings {
  readonly #folder: string
  readonly #made = new Map<string, {readonly id: string; readonly layers: string}>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The units in the order in which they are converted. */
  check(unit: PlannedUnit, foreseen: Foreseen): Foreseen {
    const {plan, failure} = foreseen
    const reference = findReference(unit.destination)
    if (plan === undefined || failure !== undefined || reference === undefined) return foreseen
    for (const {kind, title, diffIds, role} of plan.steps) {
      // The operating system makes room for another of its name; what a destination names itself is its own.
      if (diffIds === undefined || role === 'os' || title === '') continue
      if (kind !== 'package' && (reference.selector !== undefined || reference.transport === 'docker')) continue
      const key = `${placeKey(this.#folder, reference, unit.options)}\n${kind}\n${title.toLowerCase()}`
      const layers = diffIds.join(' ')
      const other = this.#made.get(key)
      this.#made.set(key, other ?? {id: unit.id, layers})
      if (other === undefined || other.layers === layers || unit.options.replace === true) continue
      return {
        plan,
        failure: failureOf(
          new InputError(kind === 'package' ? 'IDENTITY_CLASH' : 'DESTINATION_EXISTS', {
            what: `Two items would both make the ${kind} '${title}' at '${unit.destination}', with different content.`,
            why: `The other one is ${other.id}.`,
            suggestions: ['Give one of them another name or destination.'],
          }),
        ),
      }
    }
    return {plan}
  }
}

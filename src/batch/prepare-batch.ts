import path from 'node:path'
import {readBounded} from '../disk/safe-open.js'
import type {ConvertReport} from '../convert/report.js'
import {asTransshipError, TransshipError, UsageError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {DestinationState} from './destination-state.js'
import {requireSpace, spaceNeeds, type SpaceNeed} from './disk-space.js'
import {expandPlan} from './expand.js'
import {workOf, type JournalEntry} from './journal.js'
import type {NetworkOptions} from '../model/transport.js'
import {parsePlan, type Plan} from './parse-plan.js'
import type {PlanFault} from './plan-text.js'
import type {PlannedUnit} from './unit.js'
import type {Environment} from './variables.js'
import {bytesByPlace, weighUnit, type Weight} from './weigh.js'

export interface PrepareOptions extends WorkOptions {
  /** What `${NAME}` in the plan stands for. */
  readonly environment: Environment
  /** Read every byte of what is done already; default: only list it. */
  readonly verify?: boolean
  /** How this machine reaches registries and engines, where a plan says nothing. */
  readonly network?: NetworkOptions
  /** Refuse to start when a file system has too little room. Default true. */
  readonly checkSpace?: boolean
}

/** A plan whose units are known and in order. */
export interface LoadedPlan {
  /** The plan's path as given. */
  readonly title: string
  /** What relative paths of the units are relative to. */
  readonly folder: string
  readonly plan: Plan
  /** Each after all it depends on. */
  readonly units: readonly PlannedUnit[]
}

/** A unit and what is left to do of it. */
export interface PreparedUnit {
  readonly unit: PlannedUnit
  /** Of an earlier run, when its work is still there: then nothing is left. */
  readonly done?: ConvertReport
  /** What is at the destination is this unit's own, and may be written over. */
  readonly mayReplace: boolean
  /** An earlier run began it and did not end it. */
  readonly isResumed: boolean
  readonly weight?: Weight
}

export interface PreparedBatch {
  readonly units: readonly PreparedUnit[]
  readonly space: readonly SpaceNeed[]
}

/** A plan of 100,000 items has some 30 MB. */
const MAX_PLAN_BYTES = 256 * 2 ** 20

/** Reads a plan and lists what it names. Throws `PLAN_INVALID`, `NOT_FOUND`. */
export async function loadPlan(file: string, options: PrepareOptions): Promise<LoadedPlan> {
  let text: string
  try {
    text = textOf(readBounded(file, MAX_PLAN_BYTES, {links: 'followed'}), file)
  } catch (error) {
    throw asTransshipError(error, {path: file})
  }
  return loadPlanText(text, {...options, title: file, folder: path.dirname(file)})
}

/** The same for the text of a plan, whose relative paths start at `folder`. */
export async function loadPlanText(
  text: string,
  options: PrepareOptions & Pick<LoadedPlan, 'title' | 'folder'>,
): Promise<LoadedPlan> {
  const {title, folder, environment} = options
  const plan = parsePlan(text, {name: title, environment})
  return {title, folder, plan, units: await expandPlan(plan, options)}
}

/** By its byte order mark: what Windows PowerShell writes by `>` is UTF-16. Throws `PLAN_INVALID` for what is no text. */
function textOf(bytes: Uint8Array, file: string): string {
  const [first, second] = bytes
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  const encoding = isWide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8'
  try {
    return new TextDecoder(encoding, {fatal: true}).decode(bytes)
  } catch (error) {
    throw new UsageError('PLAN_INVALID', {
      what: 'The plan is neither UTF-8 text nor UTF-16 text with a byte order mark.',
      why: isWide
        ? `It begins with the byte order mark of ${encoding.toUpperCase()}, but the rest is not valid ${encoding.toUpperCase()}.`
        : 'It contains bytes that are not valid UTF-8. It may use a one-byte encoding such as Windows-1252.',
      suggestions: ['Save the plan as UTF-8.'],
      at: {path: file},
      cause: error,
    })
  }
}

/**
 * Finds out what is left to do: what a journal says is done is looked for at its destination, what is left is opened and
 * weighed. Throws `PLAN_INVALID` for sources that cannot be opened, `NO_SPACE`.
 */
export async function prepareBatch(
  loaded: LoadedPlan,
  journal: ReadonlyMap<string, JournalEntry>,
  options: PrepareOptions,
): Promise<PreparedBatch> {
  const {folder, plan} = loaded
  const {signal, network} = options
  const surroundings = {folder, network, ...(signal === undefined ? {} : {signal})}
  const state = new DestinationState(surroundings)
  const earlier = new Map<string | undefined, JournalEntry[]>()
  for (const entry of journal.values()) earlier.set(entry.work, [...(earlier.get(entry.work) ?? []), entry])
  const units: PreparedUnit[] = []
  const faults: PlanFault[] = []
  for (const unit of loaded.units) {
    signal?.throwIfAborted()
    const entry = journal.get(unit.key)
    const resumed = await resume(unit, entry, {
      state,
      verify: options.verify === true,
      earlier: earlier.get(workOf(unit)) ?? [],
    })
    if (resumed.done !== undefined) {
      units.push(resumed)
      continue
    }
    try {
      const weight = await weighUnit(unit, surroundings)
      units.push({...resumed, ...(weight === undefined ? {} : {weight})})
    } catch (error) {
      faults.push(sourceFault(unit, error))
    }
  }
  plan.text.requireNone(faults)
  const pending = units.filter(({done}) => done === undefined)
  const places = bytesByPlace(
    pending.map(({unit, weight}) => ({unit, weight})),
    folder,
  )
  const space = await spaceNeeds(places)
  if (options.checkSpace !== false) requireSpace(space)
  return {units, space}
}

/** What cannot even be opened now: an error of the input is the plan's, others pass through. */
function sourceFault({item, source}: PlannedUnit, error: unknown): PlanFault {
  if (!(error instanceof TransshipError) || error.exitCode > 3) throw error
  const {what, why, suggestions} = error
  return {path: ['items', item, 'source'], what: `${source}: ${what}`, ...(why === undefined ? {} : {why}), suggestions}
}

interface ResumeOptions {
  readonly state: DestinationState
  readonly verify: boolean
  /** What the journal says of the same item and destination, made of whatever source. */
  readonly earlier: readonly JournalEntry[]
}

async function resume(
  unit: PlannedUnit,
  entry: JournalEntry | undefined,
  {state, verify, earlier}: ResumeOptions,
): Promise<PreparedUnit> {
  if (entry?.isOpen === true) return {unit, mayReplace: entry.isOwner, isResumed: true}
  if (entry?.result === undefined || !(await state.isThere(unit, entry.result))) {
    // Made of a source that has changed since: what it was made to is ours to replace, as long as it is that still. What
    // is no longer there, or is another's now, is converted again, and writes over nothing.
    const isLeft = earlier.some(({isOpen, isOwner}) => isOpen && isOwner)
    const isOurs = isLeft || (await isAnyThere(unit, earlier, state))
    return {unit, mayReplace: isOurs, isResumed: isLeft}
  }
  if (verify && !(await state.isWhole(unit, entry.result))) return {unit, mayReplace: true, isResumed: false}
  return {unit, done: entry.result, mayReplace: false, isResumed: false}
}

/** Whether what is at the destination was made by an earlier run of the item. */
async function isAnyThere(
  unit: PlannedUnit,
  entries: readonly JournalEntry[],
  state: DestinationState,
): Promise<boolean> {
  for (const {made} of entries) if (made !== undefined && (await state.isThere(unit, made))) return true
  return false
}

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdirSync, renameSync, rmSync} from 'node:fs'
import path from 'node:path'
import {text} from 'node:stream/consumers'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import {asTransshipError, TransshipError} from '../../src/model/errors.js'
import {lookAt} from '../helpers/refusals.js'
import {MAIN} from '../helpers/run-cli.js'
import {flagsOf, layOut, placed, type Direction} from './directions.js'
import {countedCalls, shimEnvironment, type Fault} from './shim.js'

/** What all trials of a run share. */
export interface Bench {
  /** A folder of the run, in which each trial has its own. */
  readonly folder: string
  readonly stock: string
  readonly library: string
  /** What a run without a fault leaves, by the direction's name. */
  readonly done: Map<string, State>
  /** How many calls a run makes, by direction, kinds and folder. */
  readonly calls: Map<string, number>
}

/** What lies in a destination: names, kinds, modes and digests, without times. */
export type State = Readonly<Record<string, string>>

export interface Outcome {
  /** Null when a signal ended it. */
  readonly exit: number | null
  readonly signal: NodeJS.Signals | null
  /** The code of the error that it told, where it told one. */
  readonly code?: string
  /** Calls met, where a shim counted them. */
  readonly calls: number
}

/** What must be true after a fault. */
export interface Expected {
  /** Exits that are right; by a signal: the signal's name. */
  readonly exits: readonly (number | NodeJS.Signals)[]
  readonly codes?: readonly string[]
  /** It could not clean up after itself: the next run does. */
  readonly mayLeaveWork?: boolean
  /** Some of several packages may be there, whole, since nothing told it to take them back. */
  readonly mayBePartial?: boolean
  /** The source is another one now: a result of it is right too, and it is put back before the next run. */
  readonly changesSource?: boolean
}

/** Names that the program gives to work that it has not done yet. */
const WORK = /(?:^|\/)\.(?:lock|.*tmp-|.*\.lock)/

/** For a run that hangs. Nobody knows how busy the machine is. */
const WAIT_MS = 1_800_000

export function stateOf(folder: string, options: {readonly withWork: boolean}): State {
  if (!existsSync(folder)) return {}
  const found = Object.entries(lookAt(folder)).map(([name, look]) => {
    const [kind = '', mode = '', , digest = ''] = look.split(' ')
    return [name, kind === 'file' ? `${mode} ${digest}` : look] as const
  })
  return Object.fromEntries(found.filter(([name]) => options.withWork || !WORK.test(name)))
}

/** Files that a state has and the other has not, or not like this; empty when they are equal. */
export function differences(left: State, right: State): string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((name) => left[name] !== right[name]).sort()
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Put in front of the program, as `sh -c 'ulimit …; exec "$@"' sh`. */
  readonly wrapper?: readonly string[]
  readonly onStart?: (pid: number) => Promise<void>
}

/** Runs the command line on what was laid out. */
export async function runDirection(direction: Direction, root: string, options: RunOptions = {}): Promise<Outcome> {
  const {source, destination} = direction
  const command = ['convert', placed(source, root), placed(destination, root), ...flagsOf(direction.options), '--json']
  return runProgram(command, options)
}

export async function runProgram(args: readonly string[], options: RunOptions): Promise<Outcome> {
  const [program = '', ...rest] = [...(options.wrapper ?? []), process.execPath, MAIN, ...args]
  const {NODE_ENV: _, ...inherited} = process.env
  const child = spawn(program, rest, {env: {...inherited, ...options.env}, stdio: ['ignore', 'pipe', 'ignore']})
  const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
  const closed = once(child, 'close')
  const [out] = await Promise.all([text(child.stdout), closed, options.onStart?.(child.pid ?? 0)])
  clearTimeout(timer)
  const {code} = parsed(out).error ?? {}
  return {exit: child.exitCode, signal: child.signalCode, calls: 0, ...(code === undefined ? {} : {code})}
}

function parsed(out: string): {readonly error?: {readonly code?: string}} {
  try {
    return JSON.parse(out) as {readonly error?: {readonly code?: string}}
  } catch {
    return {}
  }
}

/** A root with the direction laid out, while `work` runs; one within another has another `name`. */
export async function withRoot<T>(
  bench: Bench,
  direction: Direction,
  work: (root: string) => Promise<T>,
  name = 'trial',
): Promise<T> {
  const root = path.join(bench.folder, name)
  mkdirSync(root)
  try {
    layOut(direction, bench.stock, root)
    return await work(root)
  } finally {
    rmSync(root, {recursive: true, force: true})
  }
}

/** What a run without a fault leaves; it must succeed. Asked for first while no other root is laid out. */
export async function doneState(bench: Bench, direction: Direction): Promise<State> {
  const known = bench.done.get(direction.name)
  if (known !== undefined) return known
  const made = await withRoot(bench, direction, async (root) => {
    await convertIn(direction, root)
    await requireSound(direction, root)
    return stateOf(path.join(root, 'to'), {withWork: true})
  })
  bench.done.set(direction.name, made)
  return made
}

/** How many calls of some kinds a run makes on the folder; the trial's folder `to` or `from`. */
export async function countCalls(
  bench: Bench,
  direction: Direction,
  calls: Fault['calls'],
  under: 'from' | 'to',
): Promise<number> {
  const key = `${direction.name} ${calls.join(' ')} ${under}`
  const known = bench.calls.get(key)
  if (known !== undefined) return known
  const {calls: count} = await withRoot(bench, direction, (root) =>
    runWithFault(bench, direction, root, {calls, at: 0}, under),
  )
  bench.calls.set(key, count)
  return count
}

export async function runWithFault(
  bench: Bench,
  direction: Direction,
  root: string,
  fault: Fault,
  under: 'from' | 'to',
  options: RunOptions = {},
): Promise<Outcome> {
  const counter = path.join(root, 'counter')
  const env = shimEnvironment(fault, {library: bench.library, under: path.join(root, under), counter})
  const outcome = await runDirection(direction, root, {...options, env})
  return {...outcome, calls: countedCalls(counter)}
}

/**
 * What is wrong after a fault, as sentences: the exit and code, what lies in the destination, and whether the same command
 * then does its work and leaves nothing else.
 */
export async function faultsAfter(
  bench: Bench,
  direction: Direction,
  root: string,
  outcome: Outcome,
  before: State,
  expected: Expected,
): Promise<string[]> {
  const found: string[] = []
  const to = path.join(root, 'to')
  const done = await doneState(bench, direction)
  const how = outcome.exit ?? outcome.signal ?? -1
  if (!expected.exits.includes(how)) found.push(`ended with ${how} (${outcome.code ?? 'no code'})`)
  if (outcome.exit !== 0 && outcome.exit !== 130 && outcome.signal === null && expected.codes !== undefined)
    if (!expected.codes.includes(outcome.code ?? '')) found.push(`told ${outcome.code ?? 'no code'}`)

  const now = stateOf(to, {withWork: false})
  if (expected.changesSource === true && outcome.exit === 0 && (await isOfChangedSource(bench, direction, root, now)))
    return found
  const [fromBefore, fromDone] = [differences(now, before), differences(now, done)]
  const isDone = fromDone.length === 0
  if (outcome.exit === 0 && !isDone)
    found.push(`succeeded, and it is not what it makes: ${fromDone.slice(0, 5).join(', ')}`)
  else if (!isDone && fromBefore.length > 0) {
    if (expected.mayBePartial !== true)
      found.push(`is neither as before nor done: ${fromBefore.slice(0, 5).join(', ')}`)
    else found.push(...(await partialFaults(direction, root, now, before, done)))
  }
  if (expected.mayLeaveWork !== true) {
    const work = differences(stateOf(to, {withWork: true}), now)
    if (work.length > 0) found.push(`left ${work.slice(0, 5).join(', ')}`)
  }
  if (expected.changesSource === true) putSourceBack(bench, direction, root)
  found.push(...(await faultsOfNextRun(direction, root, done, isDone)))
  return found
}

/** The source as it was, in its place. */
function putSourceBack(bench: Bench, direction: Direction, root: string): void {
  const again = path.join(root, 'again')
  mkdirSync(again)
  layOut(direction, bench.stock, again)
  rmSync(path.join(root, 'from'), {recursive: true})
  renameSync(path.join(again, 'from'), path.join(root, 'from'))
  rmSync(again, {recursive: true})
}

/** Whether the destination is what the source gives as it is now: it may have been changed before it was looked at. */
async function isOfChangedSource(bench: Bench, direction: Direction, root: string, now: State): Promise<boolean> {
  const isSame = async (other: string) => {
    try {
      await convertIn(direction, other, root)
      return differences(stateOf(path.join(other, 'to'), {withWork: false}), now).length === 0
    } catch {
      return false
    }
  }
  return withRoot(bench, direction, isSame, 'other')
}

/** A killed run of several packages: each is whole or not there, and what was there is still. */
async function partialFaults(
  direction: Direction,
  root: string,
  now: State,
  before: State,
  done: State,
): Promise<string[]> {
  const strange = Object.keys(now).filter((name) => now[name] !== before[name] && now[name] !== done[name])
  const lost = Object.keys(before).filter((name) => now[name] === undefined && done[name] !== undefined)
  // What is replaced may be out of its place for a moment, kept in the work: the next run must bring it.
  if (direction.options.replace === true) return strange.map((name) => `holds a strange ${name}`)
  const found = [...strange.map((name) => `holds a strange ${name}`), ...lost.map((name) => `lost ${name}`)]
  try {
    await requireSound(direction, root)
  } catch (error) {
    const known = asTransshipError(error, {})
    const isEmpty = known instanceof TransshipError && ['NOT_FOUND', 'UNRECOGNISED_FORMAT'].includes(known.code)
    // A new place that holds nothing yet is not there, or not yet anything.
    if (!isEmpty || Object.values(now).some((look) => /^[0-7]{3} /.test(look) && !look.startsWith('folder')))
      found.push(`does not verify: ${String(error)}`)
  }
  return found
}

async function faultsOfNextRun(direction: Direction, root: string, done: State, wasDone: boolean): Promise<string[]> {
  const found: string[] = []
  try {
    await convertIn(direction, root)
  } catch (error) {
    const {code} = error as {code?: string}
    if (!wasDone || (code !== 'DESTINATION_EXISTS' && code !== 'IDENTITY_CLASH'))
      found.push(`the next run fails: ${String(error)}`)
  }
  const after = differences(stateOf(path.join(root, 'to'), {withWork: true}), done)
  if (after.length > 0) found.push(`after the next run it differs: ${after.slice(0, 5).join(', ')}`)
  try {
    await requireSound(direction, root)
  } catch (error) {
    found.push(`after the next run it does not verify: ${String(error)}`)
  }
  return found
}

async function convertIn(direction: Direction, root: string, sources = root): Promise<void> {
  await convert(placed(direction.source, sources), placed(direction.destination, root), direction.options)
}

async function requireSound(direction: Direction, root: string): Promise<void> {
  const report = await verify(placed(direction.verified ?? direction.destination, root))
  if (!report.ok) throw new Error(JSON.stringify(report))
}

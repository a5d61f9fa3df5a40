import {InternalError, TransshipError, type ErrorCode} from '../model/errors.js'
import type {Note, WorkOptions} from '../model/events.js'
import {asConnectionError, orAborted, withTimeLimit} from '../engine-api/connection-error.js'
import type {ContainerManager, StopOutcome} from './container-manager.js'
import type {ContainerRow} from './container-row.js'
import {isAlive} from './container-row.js'
import {listContainers, nameOf, type ManagerReport} from './list-containers.js'
import {selectContainer} from './select-container.js'

/** How long a manager may take to answer beyond the time the container itself has. */
const ANSWER_MS = 5000
/** As Docker's. */
const DEFAULT_TIMEOUT_SECONDS = 10

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly suggestions: readonly string[]
}

/** What became of one container that was to be ended. */
export interface ContainerOutcome {
  /** As the user named it. */
  readonly asked: string
  readonly outcome: StopOutcome | 'failed'
  /** 0, or the exit code of the failure. */
  readonly exitCode: number
  readonly id?: string
  readonly name?: string
  /** Who made it. */
  readonly manager?: string
  /** Connection that ended it. */
  readonly via?: string
  /** Connections that were tried in vain before. */
  readonly attempts: readonly {readonly via: string; readonly error: Failure}[]
  readonly error?: Failure
}

export interface EndResult {
  readonly containers: readonly ContainerOutcome[]
  readonly managers: readonly ManagerReport[]
  /** What managers could not tell of single containers when they were asked for all. */
  readonly notes: readonly Note[]
  /** 0 when all were ended, else the largest exit code. */
  readonly exitCode: number
}

export interface KillOptions extends WorkOptions {
  /** How long a manager may take to answer. Default: 5000. */
  readonly answerMs?: number
}

export interface StopContainersOptions extends KillOptions {
  /** Time to end by itself. Default: 10. */
  readonly timeoutSeconds?: number
  /** Kill what has not ended by then. Default: false. */
  readonly kill?: boolean
}

/**
 * Asks containers to end: through the manager that made them, and when that does not answer, through the one below it
 * (containerd, Host Compute Service). Failures are told per container; throws only `INTERRUPTED`.
 */
export function stopContainers(
  managers: readonly ContainerManager[],
  ids: readonly string[],
  options: StopContainersOptions = {},
): Promise<EndResult> {
  const {timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, kill = false} = options
  const limitMs = timeoutSeconds * 1000 + (options.answerMs ?? ANSWER_MS)
  return endContainers(managers, ids, options, (manager, row) =>
    withTimeLimit(limitMs, options.signal, (signal) =>
      settle(manager.stop(row, {timeoutSeconds, kill, signal}), manager, signal),
    ),
  )
}

/** Ends containers at once, in the same way. */
export function killContainers(
  managers: readonly ContainerManager[],
  ids: readonly string[],
  options: KillOptions = {},
): Promise<EndResult> {
  return endContainers(managers, ids, options, (manager, row) =>
    withTimeLimit(options.answerMs ?? ANSWER_MS, options.signal, (signal) =>
      settle(manager.kill(row, {signal}), manager, signal),
    ),
  )
}

type End = (manager: ContainerManager, row: ContainerRow) => Promise<StopOutcome>

async function settle(
  work: Promise<StopOutcome>,
  manager: ContainerManager,
  signal: AbortSignal,
): Promise<StopOutcome> {
  try {
    return await orAborted(work, signal)
  } catch (error) {
    throw asConnectionError(error, manager, signal)
  }
}

async function endContainers(
  managers: readonly ContainerManager[],
  ids: readonly string[],
  options: KillOptions,
  end: End,
): Promise<EndResult> {
  const listed = await listContainers(managers, {
    all: true,
    ...(options.signal === undefined ? {} : {signal: options.signal}),
  })
  const asked = [...new Set(ids)]
  const containers = await Promise.all(
    asked.map(async (text) => {
      const outcome = await endOne(managers, listed.managers, listed.containers, text, end)
      options.onEvent?.({kind: 'done', id: text, summary: outcome.outcome})
      return outcome
    }),
  )
  const {managers: reports, notes} = listed
  return {containers, managers: reports, notes, exitCode: Math.max(0, ...containers.map(({exitCode}) => exitCode))}
}

async function endOne(
  managers: readonly ContainerManager[],
  reports: readonly ManagerReport[],
  rows: readonly ContainerRow[],
  asked: string,
  end: End,
): Promise<ContainerOutcome> {
  const found = attemptSelect(rows, asked)
  if (found instanceof TransshipError) {
    const silent = reports.filter(({state}) => state === 'failed').map(nameOf)
    const failure = failureOf(found)
    const why = silent.length === 0 ? '' : ` These did not answer: ${silent.join(', ')}.`
    return {
      asked,
      outcome: 'failed',
      exitCode: found.exitCode,
      attempts: [],
      error: {...failure, message: failure.message + why},
    }
  }
  const {id, name, manager} = found
  const known = {asked, id, name, manager}
  if (!isAlive(found)) return {...known, outcome: 'already-stopped', exitCode: 0, attempts: []}
  const attempts: {via: string; error: Failure}[] = skipped(reports, found)
  let last: TransshipError | undefined
  for (const candidate of candidates(managers, found)) {
    const via = nameOf(candidate)
    try {
      return {...known, outcome: await end(candidate, found), exitCode: 0, via, attempts}
    } catch (error) {
      if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
      last = error
      attempts.push({via, error: failureOf(error)})
      // The manager works; it is the container that does not end. Another way in would not change that.
      if (isContainersOwn(error)) break
    }
  }
  last ??= new InternalError('INTERNAL', {what: `No manager of container ${id} is connected.`})
  return {...known, outcome: 'failed', exitCode: last.exitCode, attempts, error: failureOf(last)}
}

/** The owner's own connections first, then what works below them. */
function candidates(managers: readonly ContainerManager[], row: ContainerRow): readonly ContainerManager[] {
  const seeing = managers.filter((manager) => row.seenBy.includes(nameOf(manager)))
  return [...seeing.filter(({isFallback}) => !isFallback), ...seeing.filter(({isFallback}) => isFallback)]
}

/** The owner that was silent when the containers were listed is passed over, and that is told. */
function skipped(reports: readonly ManagerReport[], row: ContainerRow): {via: string; error: Failure}[] {
  return reports
    .filter((report) => report.state === 'failed' && report.name === row.manager)
    .flatMap((report) => (report.error === undefined ? [] : [{via: nameOf(report), error: report.error}]))
}

function isContainersOwn(error: TransshipError): boolean {
  return error.code === 'TIMED_OUT' && error.at.path !== undefined
}

function attemptSelect(rows: readonly ContainerRow[], text: string): ContainerRow | TransshipError {
  try {
    return selectContainer(rows, text)
  } catch (error) {
    if (error instanceof TransshipError) return error
    throw error
  }
}

function failureOf({code, message, suggestions}: TransshipError): Failure {
  return {code, message, suggestions}
}

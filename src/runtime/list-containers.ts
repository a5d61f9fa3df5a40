import {EnvironmentError, TransshipError, type ErrorCode} from '../model/errors.js'
import type {Note, WorkOptions} from '../model/events.js'
import {asConnectionError, isAbsent, orAborted, withTimeLimit} from '../engine-api/connection-error.js'
import type {ContainerFault, ContainerManager} from './container-manager.js'
import type {ContainerRow, ContainerSighting} from './container-row.js'
import {joinSightings} from './join-sightings.js'

/** Nobody waits longer than 5 s for the list; the rest is for starting and for putting it together. */
export const LIST_TIMEOUT_MS = 4000

/** What became of asking one manager. */
export interface ManagerReport {
  readonly name: string
  readonly endpoint: string
  /** `absent`: nobody listens there. `failed`: somebody does, and refused or did not answer; see `error`. */
  readonly state: 'answered' | 'absent' | 'failed'
  readonly containers: number
  readonly error?: {readonly code: ErrorCode; readonly message: string; readonly suggestions: readonly string[]}
}

export interface ContainerList {
  readonly containers: readonly ContainerRow[]
  readonly managers: readonly ManagerReport[]
  /** What a manager could not tell of one of its containers or namespaces; the subject is its id or name. */
  readonly notes: readonly Note[]
}

export interface ListContainersOptions extends WorkOptions {
  /** Also those that do not run. Default: false. */
  readonly all?: boolean
  /** Only those of this owner. */
  readonly manager?: string
  /** Default: `LIST_TIMEOUT_MS`. */
  readonly timeoutMs?: number
}

/**
 * Every container of the host with the manager that made it. All managers are asked at once; one that hangs or refuses
 * is reported beside the answers of the others. Throws only `INTERRUPTED`, when the signal aborts.
 */
export async function listContainers(
  managers: readonly ContainerManager[],
  options: ListContainersOptions = {},
): Promise<ContainerList> {
  const answers = await Promise.all(managers.map((manager) => ask(manager, options)))
  options.signal?.throwIfAborted()
  const rows = joinSightings(answers.map(({report, sightings}) => ({seenBy: nameOf(report), sightings})))
  const wanted = options.manager?.toLowerCase()
  return {
    containers: wanted === undefined ? rows : rows.filter((row) => row.manager.toLowerCase() === wanted),
    managers: answers.map(({report}) => report),
    notes: answers.flatMap(({notes}) => notes),
  }
}

/**
 * The same for people: failures are told as notes, and `ENGINE_UNAVAILABLE` is thrown when nobody at all answers, since an
 * empty list would say that nothing runs.
 */
export async function listHostContainers(
  managers: readonly ContainerManager[],
  options: ListContainersOptions = {},
): Promise<ContainerList> {
  const list = await listContainers(managers, options)
  const failed = list.managers.filter(({state}) => state === 'failed')
  if (!list.managers.some(({state}) => state === 'answered')) {
    throw new EnvironmentError('ENGINE_UNAVAILABLE', {
      what: 'No container manager answers on this host.',
      why: list.managers.map((report) => report.error?.message ?? nameOf(report)).join(' '),
      suggestions: [
        ...new Set(failed.flatMap(({error}) => error?.suggestions ?? [])),
        'Set its address in DOCKER_HOST, CONTAINER_HOST or CONTAINERD_ADDRESS.',
      ],
    })
  }
  for (const {name, error} of failed) {
    if (error !== undefined)
      options.onEvent?.({kind: 'note', code: 'manager-failed', message: error.message, subject: name})
  }
  for (const note of list.notes) options.onEvent?.({kind: 'note', ...note})
  return list
}

/** How rows and reports name a connection: two engines of one kind are told apart by their endpoint. */
export function nameOf(manager: {readonly name: string; readonly endpoint: string}): string {
  return manager.endpoint === '' ? manager.name : `${manager.name} (${manager.endpoint})`
}

async function ask(
  manager: ContainerManager,
  {all = false, timeoutMs = LIST_TIMEOUT_MS, signal}: ListContainersOptions,
): Promise<{report: ManagerReport; sightings: readonly ContainerSighting[]; notes: readonly Note[]}> {
  const {name, endpoint} = manager
  const notes: Note[] = []
  const onFault = ({subject, message}: ContainerFault): void => {
    notes.push({code: 'container-unreadable', message: `${nameOf(manager)}: ${message}`, subject})
  }
  try {
    const sightings = await withTimeLimit(timeoutMs, signal, async (limited) => {
      try {
        return await orAborted(manager.list({all, signal: limited, onFault}), limited)
      } catch (error) {
        throw asConnectionError(error, manager, limited)
      }
    })
    return {report: {name, endpoint, state: 'answered', containers: sightings.length}, sightings, notes}
  } catch (error) {
    if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
    const {code, message, suggestions} = error
    const state = manager.isGuess && isAbsent(error) ? 'absent' : 'failed'
    return {
      report: {name, endpoint, state, containers: 0, error: {code, message, suggestions}},
      sightings: [],
      notes: [],
    }
  }
}

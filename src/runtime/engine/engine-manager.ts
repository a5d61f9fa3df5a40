import {TransshipError} from '../../model/errors.js'
import {asConnectionError, pause, TimeLimitReached, withTimeLimit} from '../../engine-api/connection-error.js'
import type {ContainerManager, ListOptions, StopOptions, StopOutcome} from '../container-manager.js'
import {parseContainerState, type ContainerSighting} from '../container-row.js'
import {mapConcurrently} from '../../model/map-concurrently.js'
import {stillRunning} from '../still-running.js'
import {requireAnswer} from '../../engine-api/answers.js'
import {isEngineVersion, isPodman} from '../../engine-api/engine-version.js'
import {formatEngineEndpoint, type EngineEndpoint} from '../../engine-api/endpoint.js'
import {EngineClient} from '../../engine-api/engine-client.js'
import {
  isContainerDetails,
  isContainerList,
  isContainerStatistics,
  isContainerSummary,
  type ContainerDetails,
  type ContainerStatistics,
  type ContainerSummary,
} from './schema.js'

/** How many containers are asked about at once: enough to hide the latency of a socket. */
const CONCURRENCY = 8
/** Numbers are a nicety: an engine that is slow to count must not cost the list. */
const STATISTICS_MS = 1500
/** An engine may wait for a container that hangs, and everybody would wait with it. */
const DETAILS_MS = 2000
/** Docker's client sends the same: engines without a stop signal in the configuration use it. */
const DEFAULT_STOP_SIGNAL = 'SIGTERM'

export interface EngineManagerOptions {
  readonly isGuess: boolean
}

/** Docker Engine or Podman by the engine API. Source: Docker Engine API 1.41, docs.docker.com/engine/api. */
export class EngineManager implements ContainerManager {
  readonly name: string
  readonly endpoint: string
  readonly isFallback = false
  readonly isGuess: boolean
  readonly #client: EngineClient

  constructor(name: 'docker' | 'podman', endpoint: EngineEndpoint, options: EngineManagerOptions) {
    this.name = name
    this.endpoint = formatEngineEndpoint(endpoint)
    this.isGuess = options.isGuess
    this.#client = new EngineClient(endpoint, name)
  }

  async list({all, signal, onFault}: ListOptions): Promise<readonly ContainerSighting[]> {
    const path = `/containers/json?all=${all}`
    const [version, containers] = await Promise.all([this.#version(signal), this.#client.get(path, signal)])
    const summaries = requireAnswer(isContainerList, containers, path)
    const rows = await mapConcurrently(summaries, CONCURRENCY, async (listed) => {
      // Of a container that is listed in some odd way, its id is known, and it can be asked itself.
      const summary = isContainerSummary(listed) ? listed : {Id: listed.Id}
      const tell = (error: unknown): void => {
        const fault = asConnectionError(error, this, signal)
        if (signal.aborted || !(fault instanceof TransshipError) || fault.code === 'INTERRUPTED') throw error
        onFault?.({subject: summary.Id, message: fault.message})
      }
      try {
        if (summary !== listed) requireAnswer(isContainerSummary, listed, path)
      } catch (error) {
        tell(error)
      }
      try {
        return await this.#describe(summary, version, signal)
      } catch (error) {
        tell(error)
        return sightingOf(summary, {}, version)
      }
    })
    return rows.filter((row) => row !== undefined)
  }

  async stop(target: ContainerSighting, options: StopOptions): Promise<StopOutcome> {
    if (options.kill) {
      // The engine does both steps itself; what it had to use in the end, it does not tell.
      return this.#act(target.id, `stop?t=${options.timeoutSeconds}`, options.signal, 'stopped')
    }
    const details = await this.#inspect(target.id, options.signal)
    if (details === undefined || !isRunning(details)) return 'already-stopped'
    // `stop` would kill after its time, so the stop signal is sent as it is and the end waited for.
    const stopSignal = signalOf(details.Config?.StopSignal)
    const sent = await this.#act(target.id, `kill?signal=${stopSignal}`, options.signal, 'stopped')
    if (sent === 'stopped') await this.#untilEnded(target, options)
    return sent
  }

  kill(target: ContainerSighting, options: {readonly signal: AbortSignal}): Promise<StopOutcome> {
    return this.#act(target.id, 'kill?signal=SIGKILL', options.signal, 'killed')
  }

  close(): void {
    // A connection lasts as long as its request.
  }

  async #version(signal: AbortSignal): Promise<{manager: string; os: string | undefined}> {
    const version = requireAnswer(isEngineVersion, await this.#client.get('/version', signal), '/version')
    return {manager: isPodman(version) ? 'podman' : 'docker', os: version.Os}
  }

  /** Undefined when the container went away meanwhile: those are not there to be listed. */
  async #describe(
    summary: ContainerSummary,
    version: {manager: string; os: string | undefined},
    signal: AbortSignal,
  ): Promise<ContainerSighting | undefined> {
    const details = await withTimeLimit(DETAILS_MS, signal, (limited) => this.#inspect(summary.Id, limited))
    if (details === undefined) return undefined
    const {state, ...known} = sightingOf(summary, details, version)
    const statistics = state === 'running' ? await this.#findStatistics(summary.Id, signal) : undefined
    return {...known, state, ...measured(statistics, known.os)}
  }

  async #inspect(id: string, signal: AbortSignal): Promise<ContainerDetails | undefined> {
    const path = `/containers/${encodeURIComponent(id)}/json`
    const {status, body} = await this.#client.request('GET', path, signal)
    if (status === 404) return undefined
    if (status !== 200) throw this.#client.refusal(status, body, `GET ${path}`)
    return requireAnswer(isContainerDetails, body, path)
  }

  async #findStatistics(id: string, signal: AbortSignal): Promise<ContainerStatistics | undefined> {
    // `one-shot` spares the second sample that older engines wait a second for.
    const path = `/containers/${encodeURIComponent(id)}/stats?stream=false&one-shot=true`
    try {
      const body = await withTimeLimit(STATISTICS_MS, signal, (limited) => this.#client.get(path, limited))
      return isContainerStatistics(body) ? body : undefined
    } catch (error) {
      if (signal.aborted || !(error instanceof TransshipError)) throw error
      return undefined
    }
  }

  async #act(id: string, action: string, signal: AbortSignal, success: StopOutcome): Promise<StopOutcome> {
    const path = `/containers/${encodeURIComponent(id)}/${action}`
    const {status, body} = await this.#client.request('POST', path, signal)
    if (status === 304) return 'already-stopped'
    if (status === 409 || status === 500) {
      // 'Is not running' is told as a conflict, by old engines as a failure; so are other things.
      const details = await this.#inspect(id, signal).catch((error: unknown) => {
        // The refusal itself says more than that it cannot be asked about either.
        if (signal.aborted || !(error instanceof TransshipError)) throw error
        return undefined
      })
      if (details !== undefined && !isRunning(details)) return 'already-stopped'
    }
    if (status < 200 || status >= 300) throw this.#client.refusal(status, body, `POST ${path}`)
    return success
  }

  async #untilEnded(target: ContainerSighting, {timeoutSeconds, signal}: StopOptions): Promise<void> {
    await withTimeLimit(timeoutSeconds * 1000, signal, async (limited) => {
      for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
        const details = await this.#inspect(target.id, limited)
        if (details === undefined || !isRunning(details)) return
        await pause(wait, limited)
      }
    }).catch((error: unknown) => {
      const cause = error instanceof TransshipError ? error.cause : error
      const isLate =
        error instanceof TimeLimitReached || (error instanceof TransshipError && error.code === 'TIMED_OUT')
      if (!isLate || signal.aborted) throw asConnectionError(error, this, signal)
      throw stillRunning(target, timeoutSeconds, cause)
    })
  }
}

/** What the list of all tells of a container, and what it tells itself where it can be asked. */
function sightingOf(
  summary: ContainerSummary,
  details: Partial<ContainerDetails>,
  version: {readonly manager: string; readonly os: string | undefined},
): ContainerSighting {
  const {Pid: pid, StartedAt: startedAt, Status: status} = details.State ?? {}
  const os = details.Platform === undefined || details.Platform === '' ? version.os : details.Platform
  const image = summary.Image ?? details.Config?.Image
  const {HostConfig: host} = details
  return {
    id: summary.Id,
    name: (summary.Names?.[0] ?? details.Name ?? '').replace(/^\//, ''),
    manager: version.manager,
    ...(image === undefined ? {} : {image}),
    state: parseContainerState(summary.State ?? status ?? ''),
    ...(os === undefined ? {} : {os}),
    ...(details.Id === undefined ? {} : {isolation: host?.Isolation === 'hyperv' ? 'hyperv' : 'process'}),
    ...(pid === undefined || pid === 0 ? {} : {pid}),
    // Engines say year 1 for a container that never ran.
    ...(startedAt === undefined || startedAt.startsWith('0001-') ? {} : {startedAt}),
  }
}

function isRunning(details: ContainerDetails): boolean {
  return details.State.Running ?? parseContainerState(details.State.Status ?? '') === 'running'
}

/** Docker says SIGTERM or nothing, Podman the number. */
function signalOf(text: string | undefined): string {
  return text === undefined || !/^[A-Za-z0-9+]{1,20}$/.test(text) ? DEFAULT_STOP_SIGNAL : encodeURIComponent(text)
}

function measured(statistics: ContainerStatistics | undefined, os: string | undefined) {
  const memoryBytes = statistics?.memory_stats?.commitbytes ?? statistics?.memory_stats?.usage
  const total = statistics?.cpu_stats?.cpu_usage?.total_usage
  // Windows engines count in 100 ns, the others in 1 ns.
  const perSecond = os === 'windows' ? 1e7 : 1e9
  return {
    ...(memoryBytes === undefined ? {} : {memoryBytes}),
    ...(total === undefined ? {} : {cpuSeconds: total / perSecond}),
  }
}

import {TransshipError} from '../../model/errors.js'
import {orAborted, pause, withTimeLimit} from '../../engine-api/connection-error.js'
import type {ContainerManager, ListOptions, StopOptions, StopOutcome} from '../container-manager.js'
import {parseContainerState, type ContainerSighting} from '../container-row.js'
import {mapConcurrently} from '../../model/map-concurrently.js'
import {stillRunning} from '../still-running.js'
import type {ComputeAnswer, ComputeService} from './compute-service.js'
import {openComputeService} from './open-compute-service.js'
import {classifyResult, resultError} from './result-code.js'
import {parseProperties, parseSystems, type ComputeSystem, type ComputeSystemProperties} from './schema.js'

const ENUMERATE_MS = 3500
/** Numbers are a nicety: a guest that is slow to count must not cost the list. */
const PROPERTIES_MS = 1500
/** Every call occupies a thread while it waits. */
const CONCURRENCY = 4
const TERMINATE_MS = 10_000
const CONTAINERS = JSON.stringify({Types: ['Container']})
const NUMBERS = JSON.stringify({PropertyTypes: ['Statistics', 'ProcessList']})

/** Every container of a Windows host, whoever made it, straight through the Host Compute Service. */
export class HostComputeManager implements ContainerManager {
  readonly name = 'host-compute-service'
  readonly endpoint = ''
  readonly isFallback = true
  readonly isGuess = false
  readonly #open: () => Promise<ComputeService>
  #service: Promise<ComputeService> | undefined

  constructor(open: () => Promise<ComputeService> = () => openComputeService()) {
    this.#open = open
  }

  async list({all, signal, onFault}: ListOptions): Promise<readonly ContainerSighting[]> {
    const service = await this.#opened()
    const systems = await enumerate(service, signal, (subject, message) => onFault?.({subject, message}))
    const wanted = systems.filter((system) => all || stateOf(system) !== 'stopped')
    return mapConcurrently(wanted, CONCURRENCY, async (system) =>
      describe(system, stateOf(system) === 'running' ? await findNumbers(service, system.Id, signal) : {}),
    )
  }

  async stop(target: ContainerSighting, options: StopOptions): Promise<StopOutcome> {
    const service = await this.#opened()
    const began = performance.now()
    const limitMs = options.timeoutSeconds * 1000
    const answer = await orAborted(service.shutDown(target.id, limitMs), options.signal)
    const kind = classifyResult(answer.result)
    if (kind === 'already-stopped' || kind === 'not-found') return 'already-stopped'
    // A container that cannot be asked is not yet one that cannot be killed.
    if (kind === 'failed' && !options.kill) throw refusal(answer, 'shut down', target)
    const restMs = limitMs - (performance.now() - began)
    if (kind !== 'failed' && (await hasEnded(service, target.id, restMs, options.signal))) return 'stopped'
    if (!options.kill) throw stillRunning(target, options.timeoutSeconds)
    return this.kill(target, options)
  }

  async kill(target: ContainerSighting, {signal}: {readonly signal: AbortSignal}): Promise<StopOutcome> {
    const service = await this.#opened()
    const answer = await orAborted(service.terminate(target.id, TERMINATE_MS), signal)
    const kind = classifyResult(answer.result)
    if (kind === 'already-stopped' || kind === 'not-found') return 'already-stopped'
    if (kind === 'failed') throw refusal(answer, 'end', target)
    if (await hasEnded(service, target.id, TERMINATE_MS, signal)) return 'killed'
    throw stillRunning(target, TERMINATE_MS / 1000)
  }

  close(): void {
    this.#service = undefined
  }

  #opened(): Promise<ComputeService> {
    this.#service ??= this.#open()
    return this.#service
  }
}

async function enumerate(
  service: ComputeService,
  signal: AbortSignal,
  onOdd?: (id: string, message: string) => void,
): Promise<readonly ComputeSystem[]> {
  const {result, document} = await orAborted(service.enumerate(CONTAINERS, ENUMERATE_MS), signal)
  if (classifyResult(result) !== 'done') {
    throw resultError(result, 'The Host Compute Service refused to list the containers.', document)
  }
  return parseSystems(document, onOdd)
}

async function findNumbers(service: ComputeService, id: string, signal: AbortSignal): Promise<ComputeSystemProperties> {
  try {
    return await withTimeLimit(PROPERTIES_MS, signal, async (limited) => {
      const {result, document} = await orAborted(service.properties(id, NUMBERS, PROPERTIES_MS), limited)
      return classifyResult(result) === 'done' ? parseProperties(document) : {}
    })
  } catch (error) {
    if (signal.aborted) throw error
    return {}
  }
}

/** Polls, since an answer of 'pending' brings no other word of the end. */
async function hasEnded(service: ComputeService, id: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
    const system = (await enumerate(service, signal)).find(({Id}) => Id === id)
    if (system === undefined || stateOf(system) === 'stopped') return true
    if (performance.now() + wait > deadline) return false
    await pause(wait, signal)
  }
}

function stateOf(system: ComputeSystem) {
  return system.Stopped === true ? 'stopped' : parseContainerState(system.State ?? '')
}

function refusal({result, document}: ComputeAnswer, verb: string, target: ContainerSighting): TransshipError {
  return resultError(result, `The Host Compute Service refused to ${verb} container ${target.id}.`, document)
}

function describe(system: ComputeSystem, {Statistics, ProcessList = []}: ComputeSystemProperties): ContainerSighting {
  const memoryBytes = Statistics?.Memory?.MemoryUsageCommitBytes
  const ticks = Statistics?.Processor?.TotalRuntime100ns
  const startedAt = Statistics?.ContainerStartTime
  const [first] = [...ProcessList].sort((left, right) => age(left) - age(right))
  return {
    id: system.Id,
    name: system.Name === undefined || system.Name === '' ? system.Id : system.Name,
    // Shown as it is: only its creator knows what an owner means.
    manager: system.Owner ?? '',
    state: stateOf(system),
    os: (system.RuntimeOsType ?? 'windows').toLowerCase(),
    ...(first?.ProcessId === undefined ? {} : {pid: first.ProcessId}),
    ...(memoryBytes === undefined ? {} : {memoryBytes}),
    ...(ticks === undefined ? {} : {cpuSeconds: ticks / 1e7}),
    ...(startedAt === undefined ? {} : {startedAt}),
  }
}

function age(process: {readonly CreateTimestamp?: string}): number {
  const time = Date.parse(process.CreateTimestamp ?? '')
  return Number.isNaN(time) ? Number.MAX_SAFE_INTEGER : time
}

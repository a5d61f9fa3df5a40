import {InputError, TransshipError} from '../../model/errors.js'
import {pause, TimeLimitReached, withTimeLimit} from '../../engine-api/connection-error.js'
import type {ContainerManager, ListOptions, StopOptions, StopOutcome} from '../container-manager.js'
import {parseContainerState, type ContainerSighting} from '../container-row.js'
import {mapConcurrently} from '../../model/map-concurrently.js'
import {requireSignalNumber} from '../signals.js'
import {stillRunning} from '../still-running.js'
import {LazyContainerdClient} from './lazy-client.js'
import type {ContainerMessage, TaskMessage} from '../../engine-api/containerd/services.js'

/** Namespaces asked at once. */
const CONCURRENCY = 4
/** Numbers are a nicety: a shim that is slow to count must not cost the list. */
const METRICS_MS = 1500
/** Where nerdctl, ctr and the CRI plugin keep an image's stop signal. Source: containerd containers.go, StopSignalLabel. */
const STOP_SIGNAL_LABEL = 'io.containerd.image.config.stop-signal'

/** Who works in a namespace; any other name is containerd's own user. */
const OWNERS: Readonly<Record<string, string>> = {moby: 'docker', 'k8s.io': 'kubernetes', buildkit: 'buildkit'}

/** containerd, all of its namespaces, by gRPC. */
export class ContainerdManager implements ContainerManager {
  readonly name = 'containerd'
  readonly endpoint: string
  readonly isFallback = true
  readonly isGuess: boolean
  readonly #client: LazyContainerdClient

  constructor(path: string, options: {readonly isGuess: boolean}) {
    this.#client = new LazyContainerdClient(path)
    this.endpoint = this.#client.endpoint
    this.isGuess = options.isGuess
  }

  async list({all, signal, onFault}: ListOptions): Promise<readonly ContainerSighting[]> {
    const {namespaces} = await this.#client.call('containerd.services.namespaces.v1.Namespaces/List', {}, {signal})
    const failures: unknown[] = []
    const rows = await mapConcurrently(namespaces, CONCURRENCY, async ({name}) => {
      try {
        return await this.#listNamespace(name, all, signal)
      } catch (error) {
        if (signal.aborted || !(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
        failures.push(error)
        onFault?.({subject: name, message: error.message})
        return []
      }
    })
    // Where no namespace can be listed, it is containerd that does not answer.
    if (failures.length > 0 && failures.length === namespaces.length) throw failures[0]
    return rows.flat()
  }

  async countImages({signal}: {readonly signal: AbortSignal}): Promise<ReadonlyMap<string, number>> {
    const {namespaces} = await this.#client.call('containerd.services.namespaces.v1.Namespaces/List', {}, {signal})
    const counted = await mapConcurrently(namespaces, CONCURRENCY, async ({name}) => {
      const {images} = await this.#client.call(
        'containerd.services.images.v1.Images/List',
        {},
        {namespace: name, signal},
      )
      return [name, images.length] as const
    })
    return new Map(counted)
  }

  async stop(target: ContainerSighting, options: StopOptions): Promise<StopOutcome> {
    const label = await this.#findStopSignal(target, options.signal)
    const outcome = await this.#signal(target, requireSignalNumber(label ?? 'SIGTERM'), false, options.signal)
    if (outcome === 'already-stopped') return outcome
    if (await this.#hasEnded(target, options.timeoutSeconds * 1000, options.signal)) return 'stopped'
    if (!options.kill) throw stillRunning(target, options.timeoutSeconds)
    return this.kill(target, options)
  }

  async kill(target: ContainerSighting, {signal}: {readonly signal: AbortSignal}): Promise<StopOutcome> {
    const outcome = await this.#signal(target, requireSignalNumber('SIGKILL'), true, signal)
    if (outcome === 'already-stopped') return outcome
    const limit = 10_000
    if (!(await this.#hasEnded(target, limit, signal))) throw stillRunning(target, limit / 1000)
    return 'killed'
  }

  close(): void {
    this.#client.close()
  }

  async #listNamespace(namespace: string, all: boolean, signal: AbortSignal): Promise<readonly ContainerSighting[]> {
    const scope = {namespace, signal}
    const [{containers}, {tasks}] = await Promise.all([
      this.#client.call('containerd.services.containers.v1.Containers/List', {}, scope),
      this.#client.call('containerd.services.tasks.v1.Tasks/List', {}, scope),
    ])
    const taskOf = new Map(tasks.map((task) => [task.containerId === '' ? task.id : task.containerId, task]))
    const shown = containers.filter(({id}) => all || isAliveTask(taskOf.get(id)))
    const hasRunning = shown.some(({id}) => isAliveTask(taskOf.get(id)))
    const numbers = hasRunning ? await this.#findNumbers(namespace, signal) : new Map<string, object>()
    return shown.map((container) => ({
      ...describe(container, taskOf.get(container.id), namespace),
      ...numbers.get(container.id),
    }))
  }

  async #findNumbers(namespace: string, signal: AbortSignal) {
    try {
      const {metrics} = await withTimeLimit(METRICS_MS, signal, (limited) =>
        this.#client.call('containerd.services.tasks.v1.Tasks/Metrics', {filters: []}, {namespace, signal: limited}),
      )
      const decode = await this.#client.metricsDecoder()
      return new Map(metrics.map((metric) => [metric.id, decode(metric)]))
    } catch (error) {
      if (signal.aborted || !(error instanceof TransshipError)) throw error
      return new Map<string, {memoryBytes?: number; cpuSeconds?: number}>()
    }
  }

  async #findStopSignal(target: ContainerSighting, signal: AbortSignal): Promise<string | undefined> {
    const {containers} = await this.#client.call(
      'containerd.services.containers.v1.Containers/List',
      {filters: [`id==${JSON.stringify(target.id)}`]},
      scopeOf(target, signal),
    )
    const container = containers.find(({id}) => id === target.id)
    if (container === undefined) {
      throw new InputError('NOT_FOUND', {
        what: `containerd does not have the container ${target.id}.`,
        at: {path: target.id},
      })
    }
    const label = container.labels[STOP_SIGNAL_LABEL]
    return label === undefined || label === '' ? undefined : label
  }

  async #findTask(target: ContainerSighting, signal: AbortSignal): Promise<TaskMessage | undefined> {
    try {
      const answer = await this.#client.call(
        'containerd.services.tasks.v1.Tasks/Get',
        {containerId: target.id},
        scopeOf(target, signal),
      )
      return answer.process ?? undefined
    } catch (error) {
      if (error instanceof TransshipError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  /** `all` reaches every process of the container, so that none outlives the first one. */
  async #signal(target: ContainerSighting, number: number, all: boolean, signal: AbortSignal): Promise<StopOutcome> {
    if (!isAliveTask(await this.#findTask(target, signal))) return 'already-stopped'
    try {
      await this.#client.call(
        'containerd.services.tasks.v1.Tasks/Kill',
        {containerId: target.id, signal: number, all},
        scopeOf(target, signal),
      )
      return 'stopped'
    } catch (error) {
      // It ended between the two calls.
      if (error instanceof TransshipError && error.code === 'NOT_FOUND') return 'already-stopped'
      throw error
    }
  }

  async #hasEnded(target: ContainerSighting, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    try {
      return await withTimeLimit(timeoutMs, signal, async (limited) => {
        for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
          if (!isAliveTask(await this.#findTask(target, limited))) return true
          await pause(wait, limited)
        }
      })
    } catch (error) {
      const isLate =
        error instanceof TimeLimitReached || (error instanceof TransshipError && error.code === 'TIMED_OUT')
      if (isLate && !signal.aborted) return false
      throw error
    }
  }
}

function scopeOf(target: ContainerSighting, signal: AbortSignal) {
  return {...(target.namespace === undefined ? {} : {namespace: target.namespace}), signal}
}

function isAliveTask(task: TaskMessage | undefined): boolean {
  return task !== undefined && task.status !== 'STOPPED'
}

function describe(container: ContainerMessage, task: TaskMessage | undefined, namespace: string): ContainerSighting {
  const runtime = container.runtime?.name ?? ''
  const isAliveNow = isAliveTask(task)
  return {
    id: container.id,
    // Tools that work on containerd keep the name people use in a label.
    name: container.labels['nerdctl/name'] ?? container.labels['io.kubernetes.container.name'] ?? container.id,
    manager: OWNERS[namespace] ?? 'containerd',
    namespace,
    ...(container.image === '' ? {} : {image: container.image}),
    state: task === undefined ? 'created' : parseContainerState(task.status),
    os: runtime.includes('runhcs') ? 'windows' : 'linux',
    ...(task === undefined || task.pid === 0 || !isAliveNow ? {} : {pid: task.pid}),
  }
}

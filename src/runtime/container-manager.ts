import type {ContainerSighting} from './container-row.js'

export interface ListOptions {
  /** Also those that do not run. */
  readonly all: boolean
  readonly signal: AbortSignal
  /** Takes what the manager does not tell of one container or namespace, which is listed as far as it is known. */
  readonly onFault?: (fault: ContainerFault) => void
}

/** What could not be told of one of many. */
export interface ContainerFault {
  /** Id of a container, or name of a namespace. */
  readonly subject: string
  readonly message: string
}

export interface StopOptions {
  /** How long the container may take to end by itself. */
  readonly timeoutSeconds: number
  /** Kill what has not ended by then; else it is left running and `TIMED_OUT` is thrown. */
  readonly kill: boolean
  readonly signal: AbortSignal
}

/** `already-stopped` when nothing was left to do. */
export type StopOutcome = 'stopped' | 'killed' | 'already-stopped'

/**
 * Connection to one container manager of the host. Nothing is connected before the first call, calls may overlap, and
 * each ends when its signal aborts, whatever the manager does. `stop` and `kill` give `already-stopped` for a container
 * that does not run, and throw `NOT_FOUND` for one that the manager does not know, `NO_ACCESS` where it may not be
 * reached, `ENGINE_UNAVAILABLE` when nobody answers, `TIMED_OUT` when the answer took too long. `list` throws only what
 * concerns all containers: one that cannot be asked about must not hide the others.
 */
export interface ContainerManager {
  /** What it is called in reports: `docker`, `podman`, `containerd`, `host-compute-service`. */
  readonly name: string
  /** Where it is reached, as a user would write it; empty for an API of the system. */
  readonly endpoint: string
  /** True when it works below the others: stop and kill reach it only where the owner does not do them. */
  readonly isFallback: boolean
  /** True when the endpoint is a guess, so that finding nobody there is no fault. */
  readonly isGuess: boolean
  list(options: ListOptions): Promise<readonly ContainerSighting[]>
  /** Of a manager whose images transship reads: how many each of its namespaces has. */
  countImages?(options: {readonly signal: AbortSignal}): Promise<ReadonlyMap<string, number>>
  stop(target: ContainerSighting, options: StopOptions): Promise<StopOutcome>
  kill(target: ContainerSighting, options: {readonly signal: AbortSignal}): Promise<StopOutcome>
  close(): void
}

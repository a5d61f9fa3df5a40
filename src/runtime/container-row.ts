/** What a container is doing, in the words all managers share. */
export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'stopping' | 'stopped' | 'unknown'

/** Container as one manager sees it. */
export interface ContainerSighting {
  /** The manager's own id, whole. */
  readonly id: string
  readonly name: string
  /** Who made it: `docker`, `podman`, `kubernetes`, `containerd`, `buildkit`; an unknown owner verbatim. */
  readonly manager: string
  /** containerd's namespace; absent elsewhere. */
  readonly namespace?: string
  /** Image or package it was made from, as the manager names it. */
  readonly image?: string
  readonly state: ContainerState
  /** `linux`, `windows` … */
  readonly os?: string
  /** `process` shares the host's kernel, `hyperv` has its own. */
  readonly isolation?: 'process' | 'hyperv'
  /** Process id on the host, of the container's first process. */
  readonly pid?: number
  /** Memory in use now: what the manager calls usage, or committed bytes on Windows. */
  readonly memoryBytes?: number
  /** Processor time used since the start, all processors together. */
  readonly cpuSeconds?: number
  /** RFC 3339, UTC. */
  readonly startedAt?: string
}

/** One container of the host, whoever sees it. */
export interface ContainerRow extends ContainerSighting {
  /** Names of the manager connections that see it, the richest answer first. */
  readonly seenBy: readonly string[]
}

const STATES: Readonly<Record<string, ContainerState>> = {
  configured: 'created',
  created: 'created',
  dead: 'stopped',
  exited: 'stopped',
  initialized: 'created',
  paused: 'paused',
  pausing: 'paused',
  removing: 'stopped',
  restarting: 'restarting',
  running: 'running',
  saved: 'paused',
  savedastemplate: 'paused',
  stopped: 'stopped',
  stopping: 'stopping',
}

/** The shared word for a manager's own; `unknown` for one that is new to us. */
export function parseContainerState(text: string): ContainerState {
  return STATES[text.toLowerCase()] ?? 'unknown'
}

/** True while the container has, or may have, processes: what stopping is for. */
export function isAlive(row: ContainerSighting): boolean {
  return row.state !== 'created' && row.state !== 'stopped'
}

import {readFileSync, readlinkSync} from 'node:fs'
import {hostname} from 'node:os'
import {findSystemCode} from '../model/errors.js'

/** A process as a file can name it, for processes that come later or run elsewhere. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /**
   * Where `pid` and `started` mean what they mean here: this start of this system, and in it this space of process ids, as
   * containers have their own. Absent of processes that do not tell.
   */
  readonly space?: string
  /** When it started, in a unit of its own; tells apart processes that had one id after another. */
  readonly started?: string
}

/**
 * Whether a process still runs. `unknown`: it is of another host, of a container that may be called like this one, or of
 * a time before a restart of this host, or this system does not tell processes of one id apart.
 */
export type Liveness = 'alive' | 'dead' | 'unknown'

let own: Required<ProcessIdentity> | undefined

/** This process. */
export function thisProcess(): Required<ProcessIdentity> {
  own ??= {
    pid: process.pid,
    host: hostname(),
    space: findLinuxSpace() ?? process.platform,
    started: findLinuxProcess('self')?.started ?? String(Math.round(performance.timeOrigin)),
  }
  return own
}

/** Whether a process runs, as far as this one can tell. */
export function livenessOf({pid, host, space, started}: ProcessIdentity): Liveness {
  const here = thisProcess()
  if (host !== here.host) return 'unknown'
  if (space === undefined || started === undefined) return isRunning(pid) ? 'alive' : 'dead'
  if (space !== here.space) return 'unknown'
  if (pid === here.pid && started === here.started) return 'alive'
  if (!isRunning(pid)) return 'dead'
  const now = findLinuxProcess(pid)
  if (now === undefined) return 'unknown'
  return now.started === started && !now.isDefunct ? 'alive' : 'dead'
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return findSystemCode(error) === 'EPERM'
  }
}

/** Undefined where there is no Linux, or it hides them. */
function findLinuxSpace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

/** Of /proc/PID/stat, field 3 and field 22: clock ticks between the start of the system and that of the process. Source: proc(5). */
function findLinuxProcess(pid: number | 'self'): {readonly started: string; readonly isDefunct: boolean} | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets, which may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, started] = [fields[0], fields[19]]
    return started === undefined ? undefined : {started, isDefunct: state === 'Z' || state === 'X'}
  } catch {
    return undefined
  }
}

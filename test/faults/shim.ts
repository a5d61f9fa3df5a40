import {spawnSync} from 'node:child_process'
import {closeSync, openSync, readSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from '../helpers/snapshot.js'

const SOURCE = path.join(PROJECT, 'test', 'faults', 'fault-shim.c')

/** The kinds of system calls that the shim can let fail. */
export const CALLS = [
  'open',
  'read',
  'write',
  'fsync',
  'rename',
  'link',
  'mkdir',
  'remove',
  'truncate',
  'times',
] as const
export type Call = (typeof CALLS)[number]

/** What happens to the program, and where: see fault-shim.c. */
export interface Fault {
  readonly calls: readonly Call[]
  /** Number of the call, from 1; 0: none, the calls are only counted. */
  readonly at: number
  readonly sticky?: boolean
  /** What the call fails with; 0: a write or read that moves half of the bytes. */
  readonly errno?: number
  readonly signal?: number
  /** Seconds by which the wall clock jumps. */
  readonly clock?: number
}

/** Compiles the shim; tells why it cannot. */
export function compileShim(folder: string): {readonly library: string} | {readonly why: string} {
  if (process.platform !== 'linux') return {why: 'system calls can only be made to fail on Linux'}
  const library = path.join(folder, 'fault-shim.so')
  const options = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', library, SOURCE, '-ldl']
  const run = spawnSync('gcc', options, {encoding: 'utf8'})
  if (run.error !== undefined) return {why: 'gcc is not installed'}
  return run.status === 0 ? {library} : {why: `the shim does not compile: ${run.stderr}`}
}

export interface ShimOptions {
  readonly library: string
  /** Calls on what lies in this folder. */
  readonly under: string
  /** A file that tells afterwards how many calls were met. */
  readonly counter: string
}

export function shimEnvironment(
  fault: Fault,
  {library, under, counter}: ShimOptions,
): Readonly<Record<string, string>> {
  writeFileSync(counter, Buffer.alloc(8))
  return {
    LD_PRELOAD: library,
    FAULT_UNDER: under,
    FAULT_COUNTER: counter,
    FAULT_CALLS: fault.calls.join(','),
    FAULT_AT: String(fault.at),
    FAULT_STICKY: fault.sticky === true ? '1' : '0',
    ...(fault.errno === undefined ? {} : {FAULT_ERRNO: String(fault.errno)}),
    ...(fault.signal === undefined ? {} : {FAULT_SIGNAL: String(fault.signal)}),
    ...(fault.clock === undefined ? {} : {FAULT_CLOCK: String(fault.clock)}),
  }
}

/** How many calls the program made that were meant. */
export function countedCalls(counter: string): number {
  const handle = openSync(counter, 'r')
  try {
    const bytes = Buffer.alloc(8)
    readSync(handle, bytes, 0, 8, 0)
    return Number(bytes.readBigUInt64LE(0))
  } finally {
    closeSync(handle)
  }
}

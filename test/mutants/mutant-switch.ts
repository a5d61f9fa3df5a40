import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {getEnvironmentData, isMainThread, setEnvironmentData, threadId} from 'node:worker_threads'

/*
 * Imported by every instrumented module. `MUTANT_ACTIVE` is the number of the mutant that a process begins with, and
 * `MUTANT_HITS` a folder in which each leaves the numbers of those that it came by. All threads of a process share both.
 */

const KEY = 'transship-mutants'
const MOST = 65_536

const shared = sharedMemory()
const active = new Int32Array(shared, 0, 1)
const hits = new Uint8Array(shared, 4)

function sharedMemory(): SharedArrayBuffer {
  const given = getEnvironmentData(KEY)
  if (given instanceof SharedArrayBuffer) return given
  const made = new SharedArrayBuffer(4 + MOST)
  new Int32Array(made, 0, 1)[0] = Number(process.env['MUTANT_ACTIVE'] ?? '-1')
  setEnvironmentData(KEY, made)
  return made
}

export function isActive(id: number): boolean {
  hits[id] = 1
  return id === active[0]
}

/** Switches a mutant on for this process and those that it spawns; -1: none. */
export function activate(id: number): void {
  active[0] = id
  process.env['MUTANT_ACTIVE'] = String(id)
}

/** The mutants that were come by since the last call. */
export function takeHits(): number[] {
  const found = [...hits.keys()].filter((id) => hits[id] === 1)
  hits.fill(0)
  return found
}

const folder = process.env['MUTANT_HITS']
if (folder !== undefined && isMainThread)
  process.once('exit', () => {
    mkdirSync(folder, {recursive: true})
    writeFileSync(path.join(folder, `${process.pid}-${threadId}.json`), JSON.stringify(takeHits()))
  })

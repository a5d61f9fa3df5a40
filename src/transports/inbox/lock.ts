import {randomBytes} from 'node:crypto'
import {existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {hostname} from 'node:os'
import path from 'node:path'
import {asTransshipError, EnvironmentError, findSystemCode} from '../../model/errors.js'

/*
 * One writer a repository. The lock is a file that names its holder; one whose process is gone is taken over, and what it
 * left behind is undone.
 */

const LOCK_NAME = '.lock'
export const WORK_PREFIX = '.tmp-'
/** Inside a work folder: packages that were moved out of the way of their replacements. */
export const REPLACED = 'replaced'

interface Holder {
  readonly pid: number
  readonly host: string
}

export class RepositoryLock {
  readonly #file: string

  private constructor(file: string) {
    this.#file = file
  }

  /** Takes the lock of an existing folder. Throws `LOCKED` naming the holder. */
  static take(root: string): RepositoryLock {
    const file = path.join(root, LOCK_NAME)
    const own = path.join(root, `${LOCK_NAME}-${randomBytes(6).toString('hex')}`)
    try {
      writeFileSync(own, JSON.stringify({pid: process.pid, host: hostname()} satisfies Holder), {flag: 'wx'})
      place(own, file)
    } catch (error) {
      throw asTransshipError(error, {reference: `inbox:${root}`})
    } finally {
      // Also after a failed write: a full disk leaves an empty file.
      rmSync(own, {force: true})
    }
    const lock = new RepositoryLock(file)
    cleanUp(root)
    return lock
  }

  release(): void {
    rmSync(this.#file, {force: true})
  }
}

/** A link appears with its content, so that no one ever reads a half-written lock. */
function place(own: string, file: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      linkSync(own, file)
      return
    } catch (error) {
      if (findSystemCode(error) !== 'EEXIST') throw error
    }
    requireDead(findHolder(file), file)
    takeAway(file, `${own}-dead`)
  }
  throw new EnvironmentError('LOCKED', {
    what: 'Another process has just taken the repository.',
    suggestions: ['Wait until it is done.'],
    at: {reference: `inbox:${path.dirname(file)}`},
  })
}

function requireDead(holder: Holder | undefined, file: string): void {
  if (holder === undefined || !isAlive(holder)) return
  throw new EnvironmentError('LOCKED', {
    what: 'Another process is writing to the repository.',
    why: `It is process ${holder.pid} on ${holder.host}.`,
    suggestions: ['Wait until it is done.', `If it is gone for sure, delete ${file}.`],
    at: {reference: `inbox:${path.dirname(file)}`},
  })
}

/** Takes a dead lock away. Of two that find it dead at once, the slower one may meet the quicker one's, which goes back. */
function takeAway(file: string, aside: string): void {
  try {
    renameSync(file, aside)
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return
    throw error
  }
  try {
    requireDead(findHolder(aside), file)
  } catch (error) {
    linkSync(aside, file)
    throw error
  } finally {
    rmSync(aside, {force: true})
  }
}

function findHolder(file: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof holder !== 'object' || holder === null || !('pid' in holder) || !('host' in holder)) return undefined
    return typeof holder.pid === 'number' && typeof holder.host === 'string'
      ? {pid: holder.pid, host: holder.host}
      : undefined
  } catch {
    return undefined
  }
}

/** Of another host nothing can be told, so its lock counts. */
function isAlive({pid, host}: Holder): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return findSystemCode(error) === 'EPERM'
  }
}

/** Undoes what a writer that was killed has left: moved packages come back, begun ones go. Only under the lock. */
function cleanUp(root: string): void {
  for (const name of readdirSync(root)) {
    const work = path.join(root, name)
    const holder = name.startsWith(`${LOCK_NAME}-`) ? findHolder(work) : undefined
    if (holder !== undefined && !isAlive(holder)) rmSync(work, {force: true})
    if (!name.startsWith(WORK_PREFIX)) continue
    restoreReplaced(root, work)
    rmSync(work, {recursive: true, force: true})
  }
}

/** True when a writer works on the repository, or one that was killed left something. */
export function hasLeftovers(root: string): boolean {
  return readdirSync(root).some((name) => name.startsWith(WORK_PREFIX) || name.startsWith(LOCK_NAME))
}

/** Moves packages back whose replacement has not taken their place. */
export function restoreReplaced(root: string, work: string): void {
  const replaced = path.join(work, REPLACED)
  if (!existsSync(replaced)) return
  for (const name of readdirSync(replaced)) {
    if (!existsSync(path.join(root, name))) renameSync(path.join(replaced, name), path.join(root, name))
  }
}

/** A new work folder inside the repository, so that finished packages only need a rename. */
export function makeWorkFolder(root: string): string {
  const work = path.join(root, `${WORK_PREFIX}${randomBytes(6).toString('hex')}`)
  mkdirSync(work)
  return work
}

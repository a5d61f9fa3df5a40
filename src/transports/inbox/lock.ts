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
      try {
        place(own, file)
      } finally {
        rmSync(own, {force: true})
      }
    } catch (error) {
      throw asTransshipError(error, {reference: `inbox:${root}`})
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
    const holder = findHolder(file)
    if (holder !== undefined && isAlive(holder)) {
      throw new EnvironmentError('LOCKED', {
        what: 'Another process is writing to the repository.',
        why: `It is process ${holder.pid} on ${holder.host}.`,
        suggestions: ['Wait until it is done.', `If it is gone for sure, delete ${file}.`],
      })
    }
    // Its process is gone. Two that find this at once meet again at the link, and one of them wins.
    rmSync(file, {force: true})
  }
  throw new EnvironmentError('LOCKED', {what: 'Another process has just taken the repository.'})
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
    if (!name.startsWith(WORK_PREFIX)) continue
    const work = path.join(root, name)
    restoreReplaced(root, work)
    rmSync(work, {recursive: true, force: true})
  }
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

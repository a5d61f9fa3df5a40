import {randomBytes} from 'node:crypto'
import {linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {hostname} from 'node:os'
import path from 'node:path'
import {asTransshipError, EnvironmentError, findSystemCode} from '../../model/errors.js'

/** Name of the lock, and what the names of locks begin with that are being made. */
export const LOCK_NAME = '.lock'

interface Holder {
  readonly pid: number
  readonly host: string
}

/** One writer a folder. The lock is a file that names its holder; one whose process is gone is taken over. */
export class FolderLock {
  readonly #file: string

  private constructor(file: string) {
    this.#file = file
  }

  /** Takes the lock of an existing folder, or of one file in it by another name; `reference` is for messages. Throws `LOCKED` naming the holder. */
  static take(root: string, reference: string, name = LOCK_NAME): FolderLock {
    const file = path.join(root, name)
    const own = path.join(root, `${name}-${randomBytes(6).toString('hex')}`)
    try {
      writeFileSync(own, JSON.stringify({pid: process.pid, host: hostname()} satisfies Holder), {flag: 'wx'})
      place(own, file, reference)
    } catch (error) {
      throw asTransshipError(error, {reference})
    } finally {
      // Also after a failed write: a full disk leaves an empty file.
      rmSync(own, {force: true})
    }
    const lock = new FolderLock(file)
    removeDeadLocks(root, name)
    return lock
  }

  release(): void {
    rmSync(this.#file, {force: true})
  }
}

/** Locks that were being made when their process was killed. */
function removeDeadLocks(root: string, lockName: string): void {
  for (const name of readdirSync(root)) {
    const holder = name.startsWith(`${lockName}-`) ? findHolder(path.join(root, name)) : undefined
    if (holder !== undefined && !isAlive(holder)) rmSync(path.join(root, name), {force: true})
  }
}

/** A link appears with its content, so that no one ever reads a half-written lock. */
function place(own: string, file: string, reference: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      linkSync(own, file)
      return
    } catch (error) {
      if (findSystemCode(error) !== 'EEXIST') throw error
    }
    requireDead(findHolder(file), file, reference)
    takeAway(file, `${own}-dead`, reference)
  }
  throw new EnvironmentError('LOCKED', {
    what: 'Another process has just begun to write there.',
    suggestions: ['Wait until it is done.'],
    at: {reference},
  })
}

function requireDead(holder: Holder | undefined, file: string, reference: string): void {
  if (holder === undefined || !isAlive(holder)) return
  throw new EnvironmentError('LOCKED', {
    what: 'Another process is writing there.',
    why: `It is process ${holder.pid} on ${holder.host}.`,
    suggestions: ['Wait until it is done.', `If it is gone for sure, delete ${file}.`],
    at: {reference},
  })
}

/** Takes a dead lock away. Of two that find it dead at once, the slower one may meet the quicker one's, which goes back. */
function takeAway(file: string, aside: string, reference: string): void {
  try {
    renameSync(file, aside)
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return
    throw error
  }
  try {
    requireDead(findHolder(aside), file, reference)
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

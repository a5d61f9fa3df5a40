import {randomBytes} from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {asTransshipError, EnvironmentError, findSystemCode} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {trace} from '../model/trace.js'
import {removeTree} from './remove-tree.js'
import {readOpened} from './safe-open.js'
import {pathAside, removeLeftLocks} from './left-locks.js'
import {findLock, MAX_LOCK_BYTES, parseHolder, type FoundLock, type Holder} from './lock-file.js'
import {livenessOf, thisProcess} from './process-identity.js'

/** Name of the lock, and what the names of locks begin with that are being made. */
export const LOCK_NAME = '.lock'

/** How often a lock is written again while it is held. */
const RENEW_EVERY_MS = 10_000
/** After so many renewals that did not come, two minutes, a holder counts as gone: it may only have been busy or paused. */
const MOST_MISSED = 12
/** Whoever finds a lock in its way may find that it has changed when it takes it away. */
const MOST_TRIES = 3

/** Neither through a link that took the place of the lock, nor waiting at a pipe. */
const RENEW_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK

export interface LockOptions extends WorkOptions {
  /** For messages. */
  readonly reference: string
  /** Of the file, in its folder. */
  readonly lockName?: string | undefined
}

/**
 * One writer a folder, on a file system that machines may share. The lock is a file that names its holder and is written
 * again every ten seconds. A holder that is gone for sure is taken over from at once; one of which that cannot be told, on
 * another host or in another container, when its lock is not renewed for two minutes. As it might have been paused only,
 * every holder asks with `requireHeld` before what it did becomes visible.
 */
export class FolderLock {
  readonly #file: string
  readonly #content: string
  readonly #reference: string
  readonly #timer: NodeJS.Timeout

  private constructor(file: string, content: string, reference: string) {
    this.#file = file
    this.#content = content
    this.#reference = reference
    this.#timer = setInterval(() => {
      this.#renew()
    }, RENEW_EVERY_MS)
    this.#timer.unref()
  }

  /**
   * Takes the lock of an existing folder, or of one file in it by another name. May wait some minutes, which it tells as a
   * step. Throws `LOCKED` naming the holder.
   */
  static async take(root: string, options: LockOptions): Promise<FolderLock> {
    const {reference, lockName = LOCK_NAME} = options
    const file = path.join(root, lockName)
    // No two locks are alike, so that a holder knows its own.
    const token = randomBytes(12).toString('hex')
    const holder = {...thisProcess(), renewedEveryMs: RENEW_EVERY_MS, token}
    const content = JSON.stringify(holder satisfies Holder)
    try {
      await place(file, content, options)
    } catch (error) {
      throw asTransshipError(error, {reference})
    }
    trace('lock', () => `took ${file}`)
    const lock = new FolderLock(file, content, reference)
    try {
      removeLeftLocks(root, lockName)
      return lock
    } catch (error) {
      lock.release()
      throw asTransshipError(error, {reference})
    }
  }

  /**
   * Throws `LOCKED` when the lock was taken over, as this process was paused for longer than a holder may be silent, and
   * `IO_FAILED` or the like when the lock cannot be read.
   */
  requireHeld(): void {
    const found = this.#find()
    if (found?.content === this.#content) return
    const holder = parseHolder(found?.content ?? '')
    throw new EnvironmentError('LOCKED', {
      what: 'Another process took over the lock while this one was paused, or someone deleted it.',
      why:
        holder === undefined
          ? `The lock ${this.#file} no longer exists.`
          : `The lock now belongs to ${nameOf(holder)}.`,
      suggestions: ['Run the command again when the other process has finished.'],
      at: {reference: this.#reference},
    })
  }

  release(): void {
    clearInterval(this.#timer)
    // A lock that was taken over is another's.
    const isHeld = this.#isHeld()
    if (isHeld) rmSync(this.#file, {force: true})
    trace('lock', () => (isHeld ? `released ${this.#file}` : `lost ${this.#file}`))
  }

  /** Throws the system's error where the lock cannot be read: nobody need have taken it over. */
  #find(): FoundLock | undefined {
    try {
      return findLock(this.#file)
    } catch (error) {
      throw asTransshipError(error, {reference: this.#reference})
    }
  }

  /** False also for one that cannot be read: a failing end must not hide what failed before. */
  #isHeld(): boolean {
    try {
      return findLock(this.#file)?.content === this.#content
    } catch {
      return false
    }
  }

  /** Writes what is there already: the file server gives it a new time, and who reads meanwhile reads the same. */
  #renew(): void {
    try {
      const fd = openSync(this.#file, RENEW_FLAGS)
      try {
        // What is open is the file that was read: it cannot become another's before it is written.
        if (readOpened(fd, MAX_LOCK_BYTES, this.#file).toString('utf8') === this.#content)
          writeSync(fd, this.#content, 0)
      } finally {
        closeSync(fd)
      }
    } catch {
      // The next time it may succeed; if none does, requireHeld tells.
    }
  }
}

/** A link appears with its content, so that no one ever reads a half-written lock. */
async function place(file: string, content: string, options: LockOptions): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (isPlaced(file, content)) return
    const found = findLock(file)
    // A file server may have done what it then says has failed.
    if (found?.content === content) return
    if (found === undefined) continue
    await requireGone(found, file, options)
    takeAway(file, found.content, options)
  }
  throw inUse('Another process has just started to write there.', options.reference)
}

function isPlaced(file: string, content: string): boolean {
  const own = pathAside(file)
  try {
    writeFileSync(own, content, {flag: 'wx'})
    linkSync(own, file)
    return true
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'EEXIST') return false
    // The file beside it could be made, so that it is links that are not.
    if (code !== undefined && NO_LINKS.includes(code) && existsSync(own)) throw noLinks(path.dirname(file), error)
    throw error
  } finally {
    // Also after a failed write: a full disk leaves an empty file.
    // If it cannot be removed, whoever takes the lock later does so.
    removeTree(own)
  }
}

/** What systems say where there are no hard links; Windows of a FAT disk EISDIR, since libuv makes that of it. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EISDIR', 'EINVAL']

function noLinks(folder: string, cause: unknown): EnvironmentError {
  return new EnvironmentError('IO_FAILED', {
    what: `The file system of '${folder}' has no hard links, which the lock of a repository needs.`,
    why: `The operating system says ${String(findSystemCode(cause))}.`,
    suggestions: ['Write to another file system, such as ext4, XFS, APFS or NTFS, and copy the result.'],
    at: {path: folder},
    cause,
  })
}

/** Returns when the holder of a lock is gone, or the lock. Throws `LOCKED`. */
async function requireGone(found: FoundLock, file: string, options: LockOptions): Promise<void> {
  const holder = parseHolder(found.content)
  if (holder === undefined) return
  const liveness = livenessOf(holder)
  if (liveness === 'dead') return
  const who = `It is ${nameOf(holder)}`
  if (liveness === 'unknown' && holder.renewedEveryMs !== undefined) {
    if (!(await isRenewed(found, file, {...options, holder, everyMs: holder.renewedEveryMs}))) return
    throw inUse('Another process is writing there.', options.reference, {
      why: `${who}, which has just renewed its lock.`,
    })
  }
  throw inUse('Another process is writing there.', options.reference, {
    why: liveness === 'unknown' ? `${who}; this machine cannot tell whether it still runs.` : `${who}.`,
    suggestion:
      liveness === 'unknown' || holder.space === undefined
        ? `If you are sure that it has ended, delete ${file}.`
        : undefined,
  })
}

/**
 * Watches whether a lock is renewed before so many renewals are due that its holder counts as gone; false also when the
 * lock changes hands. Times of the file are held against each other and never against a clock: those of file servers and
 * of other machines differ from this one's.
 */
async function isRenewed(
  found: FoundLock,
  file: string,
  {holder, everyMs, signal, onEvent}: WorkOptions & {readonly holder: Holder; readonly everyMs: number},
): Promise<boolean> {
  const longestSeconds = Math.ceil((everyMs * MOST_MISSED) / 1000)
  const title = `Waiting up to ${longestSeconds} s to see whether ${nameOf(holder)} still holds the lock ${file}`
  onEvent?.({kind: 'step', id: 'lock', title})
  // Looks are counted, not time: should this process be paused as well, it still looks as often.
  for (let looks = 0; looks < 2 * MOST_MISSED; looks++) {
    await sleep(everyMs / 2, undefined, signal === undefined ? {} : {signal}).catch(() => undefined)
    signal?.throwIfAborted()
    const now = findLock(file)
    if (now?.content !== found.content) break
    if (now.modifiedNs !== found.modifiedNs) return true
  }
  onEvent?.({kind: 'done', id: 'lock', summary: 'it has ended'})
  return false
}

/** Takes a lock away that was found dead. Of two that do so at once, the slower one may meet the quicker one's, which goes back. */
function takeAway(file: string, dead: string, {reference}: LockOptions): void {
  const aside = pathAside(file)
  try {
    renameSync(file, aside)
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return
    throw error
  }
  try {
    if (findLock(aside)?.content === dead) {
      trace('lock', () => `took ${file} away from a holder that is gone: ${dead}`)
      return
    }
    try {
      linkSync(aside, file)
    } catch (error) {
      // A third has placed its own: the quicker one will find that it holds the lock no more.
      if (findSystemCode(error) !== 'EEXIST') throw error
    }
    throw inUse('Another process has just started to write there.', reference)
  } finally {
    removeTree(aside)
  }
}

function nameOf({pid, host}: Holder): string {
  return `process ${pid} on ${host}`
}

function inUse(
  what: string,
  reference: string,
  {why, suggestion}: {readonly why?: string; readonly suggestion?: string | undefined} = {},
): EnvironmentError {
  return new EnvironmentError('LOCKED', {
    what,
    ...(why === undefined ? {} : {why}),
    suggestions: ['Wait until it has finished.', ...(suggestion === undefined ? [] : [suggestion])],
    at: {reference},
  })
}

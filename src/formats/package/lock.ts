import {randomBytes} from 'node:crypto'
import {existsSync, mkdirSync, readdirSync, renameSync, rmSync} from 'node:fs'
import path from 'node:path'
import type {WorkOptions} from '../../model/events.js'
import {FolderLock, LOCK_NAME} from '../../disk/folder-lock.js'

/** Inside a work folder: packages that were moved out of the way of their replacements. */
export const REPLACED = 'replaced'

/** Where packages are put, and under which names the work on them is done. */
export interface WorkPlace {
  readonly root: string
  /** For messages. */
  readonly reference: string
  /** Of work folders; nothing else in the folder may begin so. */
  readonly workPrefix: string
  readonly lockName?: string
}

/** The lock of a repository; what a writer that was killed has left behind is undone when it is taken. `LOCKED`. */
export async function lockRepository(place: WorkPlace, options: WorkOptions): Promise<FolderLock> {
  const {root, reference, lockName} = place
  const lock = await FolderLock.take(root, {...options, reference, lockName})
  try {
    cleanUp(place)
  } catch (error) {
    lock.release()
    throw error
  }
  return lock
}

/** Undoes what a writer that was killed has left: moved packages come back, begun ones go. Only under the lock. */
function cleanUp({root, workPrefix}: WorkPlace): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith(workPrefix)) continue
    const work = path.join(root, name)
    restoreReplaced(root, work)
    rmSync(work, {recursive: true, force: true})
  }
}

/** True when a writer works on the repository, or one that was killed left something. */
export function hasLeftovers({root, workPrefix, lockName = LOCK_NAME}: WorkPlace): boolean {
  return readdirSync(root).some((name) => name.startsWith(workPrefix) || name.startsWith(lockName))
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
export function makeWorkFolder({root, workPrefix}: WorkPlace): string {
  const work = path.join(root, `${workPrefix}${randomBytes(6).toString('hex')}`)
  mkdirSync(work)
  return work
}

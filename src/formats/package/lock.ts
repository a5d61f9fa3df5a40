import {mkdirSync, readdirSync} from 'node:fs'
import path from 'node:path'
import type {WorkOptions} from '../../model/events.js'
import {FolderLock, LOCK_NAME} from '../../disk/folder-lock.js'
import {removeLeftoversInside} from '../../disk/own-leftovers.js'
import {isWorkOf, lockedWorkName} from '../../disk/work-name.js'

export {REPLACED, settleWork as restoreReplaced} from '../../disk/own-leftovers.js'

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
  const {root, reference, workPrefix, lockName} = place
  const lock = await FolderLock.take(root, {...options, reference, lockName})
  // Moved packages come back, begun ones go.
  removeLeftoversInside(root, workPrefix, options)
  return lock
}

/** True when a writer works on the repository, or one that was killed left something. */
export function hasLeftovers({root, workPrefix, lockName = LOCK_NAME}: WorkPlace): boolean {
  return readdirSync(root).some((name) => isWorkOf(name, workPrefix) || name.startsWith(lockName))
}

/** A new work folder inside the repository, so that finished packages only need a rename. */
export function makeWorkFolder({root, workPrefix}: WorkPlace): string {
  const work = path.join(root, lockedWorkName(workPrefix))
  mkdirSync(work)
  return work
}

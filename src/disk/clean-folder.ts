import {lstatSync, readdirSync, renameSync, statSync, unlinkSync} from 'node:fs'
import path from 'node:path'
import {asTransshipError, findSystemCode, InputError, TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {FolderLock, LOCK_NAME} from './folder-lock.js'
import {isLeftLock} from './left-locks.js'
import {findHolder} from './lock-file.js'
import {findLeftovers, removeLeftover, type EndKnownBy, type Leftover} from './own-leftovers.js'
import {livenessOf} from './process-identity.js'
import {lockedWorkName, parseWorkName} from './work-name.js'

/** What was found in a folder under a name that this program gives to its work, and what became of it. */
export interface CleanedItem {
  readonly name: string
  /** `in-use`: a process still works with it, or may; `kept`: it could not be removed. */
  readonly outcome: 'removed' | 'in-use' | 'kept'
  readonly why?: string
}

export interface CleanReport {
  readonly folder: string
  readonly items: readonly CleanedItem[]
}

/** Locks that only this program makes: of a repository or layout, of a package's file, of a batch's journal. */
const OWN_LOCK = /^(?:\.lock|\..+\.(?:appx|msix)\.lock|.+\.journal\.lock)$/is

/**
 * Removes from a folder what runs that were killed have left in it, and what others have put there under names that
 * block a run; packages that were moved out of the way come back first. Nothing in use is touched, no link is followed, and
 * no other name. Throws `NOT_FOUND`, `NO_ACCESS` for the folder itself.
 */
export async function cleanFolder(folder: string, options: WorkOptions = {}): Promise<CleanReport> {
  let names: string[]
  try {
    if (!statSync(folder).isDirectory()) throw notAFolder(folder)
    names = readdirSync(folder)
  } catch (error) {
    throw asTransshipError(error, {path: folder})
  }
  const items: CleanedItem[] = []
  const locks = new Set(names.filter((name) => OWN_LOCK.test(name)))
  // Work without a lock of its own in a repository whose lock is gone: taking the lock tells that no one works there.
  if (names.some((name) => isLocked(name, LOCK_NAME))) locks.add(LOCK_NAME)
  for (const lockName of [...locks].sort()) items.push(...(await cleanUnderLock(folder, lockName, options)))
  const isRest = (name: string) => ![...locks].some((lockName) => isLocked(name, lockName))
  items.push(...removeFound(folder, isRest, 'process'))
  return {folder, items: items.sort((left, right) => (left.name < right.name ? -1 : 1))}
}

function notAFolder(folder: string): InputError {
  return new InputError('UNRECOGNISED_FORMAT', {
    what: `'${folder}' is not a folder.`,
    suggestions: ['Give the folder in which a run was interrupted.'],
    at: {path: folder},
  })
}

/** True for work that is only done under that lock. */
function isLocked(name: string, lockName: string): boolean {
  const prefix = parseWorkName(name)?.prefix
  if (lockName === LOCK_NAME) return prefix === '.tmp-' || prefix === '.appx-tmp-'
  return prefix !== undefined && `${prefix.slice(0, -'.tmp-'.length)}.lock` === lockName
}

async function cleanUnderLock(folder: string, lockName: string, options: WorkOptions): Promise<CleanedItem[]> {
  const items: CleanedItem[] = []
  const wasThere = isThere(path.join(folder, lockName))
  const blocked = removeIrregular(folder, lockName)
  if (blocked !== undefined) items.push(blocked)
  if (blocked?.outcome === 'kept') return items
  try {
    const holder = findHolder(path.join(folder, lockName))
    if (holder === 'none of ours') {
      return [...items, {name: lockName, outcome: 'kept', why: 'It is no lock that transship makes.'}]
    }
    if (holder !== undefined && livenessOf(holder) !== 'dead') {
      const why = `It is held by process ${holder.pid} on ${holder.host}.`
      return [...items, {name: lockName, outcome: 'in-use', why}]
    }
    const leftLocks: string[] = []
    for (const name of readdirSync(folder).filter((each) => isLeftLock(each, lockName))) {
      const irregular = removeIrregular(folder, name)
      if (irregular === undefined) leftLocks.push(name)
      else items.push(irregular)
    }
    const lock = await FolderLock.take(folder, {...options, reference: folder, lockName})
    try {
      items.push(...removeFound(folder, (name) => isLocked(name, lockName), 'lock'))
    } finally {
      lock.release()
    }
    if (wasThere && blocked === undefined) items.push({name: lockName, outcome: 'removed'})
    for (const name of leftLocks) if (!isThere(path.join(folder, name))) items.push({name, outcome: 'removed'})
    return items
  } catch (error) {
    const known = asTransshipError(error, {path: folder})
    if (!(known instanceof TransshipError)) throw known
    return [...items, {name: lockName, outcome: known.code === 'LOCKED' ? 'in-use' : 'kept', why: known.what}]
  }
}

function isThere(place: string): boolean {
  return lstatSync(place, {throwIfNoEntry: false}) !== undefined
}

/** A link, pipe or device in the place of a lock goes: the name alone is removed, and only if it is still what it was. */
function removeIrregular(folder: string, lockName: string): CleanedItem | undefined {
  const file = path.join(folder, lockName)
  const found = lstatSync(file, {throwIfNoEntry: false})
  if (found === undefined || found.isFile()) return undefined
  if (found.isDirectory()) return {name: lockName, outcome: 'kept', why: 'It is a folder, which transship never makes.'}
  const aside = path.join(folder, lockedWorkName('.tmp-'))
  try {
    renameSync(file, aside)
    if (lstatSync(aside).isFile()) {
      renameSync(aside, file)
      return undefined
    }
    unlinkSync(aside)
    return {name: lockName, outcome: 'removed', why: 'It was no regular file.'}
  } catch (error) {
    return {name: lockName, outcome: 'kept', why: systemReason(error)}
  }
}

function systemReason(error: unknown): string {
  return `The operating system says ${findSystemCode(error) ?? 'no more'}.`
}

function removeFound(folder: string, isMeant: (name: string) => boolean, by: EndKnownBy): CleanedItem[] {
  return findLeftovers(folder, isMeant, by).map((leftover) => removeOne(folder, leftover))
}

function removeOne(folder: string, leftover: Leftover): CleanedItem {
  const {name, state} = leftover
  if (state === 'in-use')
    return {
      name,
      outcome: 'in-use',
      why: 'Its process runs, or may: it ran elsewhere or before a restart, less than a day ago.',
    }
  if (state === 'dead') {
    const why = removeLeftover(folder, leftover)
    return why === undefined ? {name, outcome: 'removed'} : {name, outcome: 'kept', why: capitalised(why)}
  }
  const stats = lstatSync(leftover.path, {throwIfNoEntry: false})
  if (stats?.isDirectory() === true || stats?.isFile() === true) {
    return {name, outcome: 'kept', why: 'It is of another user, or on another device.'}
  }
  try {
    // Of a link or pipe the name alone goes, whatever it leads to.
    unlinkSync(leftover.path)
    return {name, outcome: 'removed', why: 'It was no regular file.'}
  } catch (error) {
    return {name, outcome: 'kept', why: systemReason(error)}
  }
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

import {lstatSync, lutimesSync, readdirSync, renameSync, type Stats} from 'node:fs'
import path from 'node:path'
import {parseFullName} from '../model/package-identity.js'
import type {WorkOptions} from '../model/events.js'
import {findSystemCode} from '../model/errors.js'
import {printable} from '../model/printable.js'
import {insideFolder} from './open-folder.js'
import {removeTree} from './remove-tree.js'
import {isWorkOf, parseWorkName, prefixBeside, SPOOL_PREFIX} from './work-name.js'

/** Inside a work folder: what was moved out of the way of its replacement. */
export const REPLACED = 'replaced'
/** Inside a work folder: a target that is being made, and what is to follow beside it. */
export const NEXT = 'next'

/**
 * Work whose process cannot be asked for, since it ran on another host or before a restart, counts as given up when
 * nothing has touched it for so long. Whoever works touches it each hour, so that clocks may well differ.
 */
const GIVEN_UP_MS = 24 * 3_600_000
const TOUCH_EVERY_MS = 3_600_000

/** What becomes of something that has the name of a left-over. */
export type LeftoverState =
  /** Of a process that is gone: it may go. */
  | 'dead'
  /** Its process runs, or may. */
  | 'in-use'
  /** It has the name, and is no real file or folder of this device and of the right owner. */
  | 'foreign'

export interface Leftover {
  readonly name: string
  readonly path: string
  readonly state: LeftoverState
}

/** Who says that the work of a name is over. */
export type EndKnownBy =
  /** The lock under which it was done, which the caller holds. */
  | 'lock'
  /** The process that the name tells. */
  | 'process'
  /** The caller, who knows that the work was its own; a process that still runs is believed all the same. */
  | 'caller'

/**
 * What has the name of work in a folder. This is the one rule for what may be cleaned: a name that this program makes, a
 * real file or folder and no link, on the folder's own device, of this user or the folder's owner (a superuser: anyone),
 * and of a process that is gone.
 */
export function findLeftovers(folder: string, isMeant: (name: string) => boolean, by: EndKnownBy): Leftover[] {
  let names: string[]
  let above: Stats
  try {
    above = lstatSync(path.join(folder, '.'))
    names = readdirSync(folder)
  } catch {
    // What is not there or cannot be read holds nothing of ours that could be removed.
    return []
  }
  const found: Leftover[] = []
  for (const name of names.sort()) {
    if (parseWorkName(name) === undefined || !isMeant(name)) continue
    const stats = find(path.join(folder, name))
    if (stats === undefined) continue
    const state = isOurs(stats, above) ? stateOf(name, stats, by) : 'foreign'
    found.push({name, path: path.join(folder, name), state})
  }
  return found
}

function find(file: string): Stats | undefined {
  try {
    return lstatSync(file, {throwIfNoEntry: false})
  } catch {
    return undefined
  }
}

function isOurs(stats: Stats, above: Stats): boolean {
  if (!stats.isFile() && !stats.isDirectory()) return false
  return stats.dev === above.dev && isOfRightOwner(stats, above)
}

/** Windows tells no owner here; its own access lists hold there. */
function isOfRightOwner({uid}: Stats, above: Stats): boolean {
  const own = process.geteuid?.()
  return own === undefined || own === 0 || uid === own || uid === above.uid
}

function stateOf(name: string, stats: Stats, by: EndKnownBy): LeftoverState {
  if (by === 'lock') return 'dead'
  const liveness = parseWorkName(name)?.liveness
  if (liveness === 'alive') return 'in-use'
  if (liveness === 'dead' || by === 'caller') return 'dead'
  return Date.now() - stats.mtimeMs > GIVEN_UP_MS ? 'dead' : 'in-use'
}

/**
 * Removes what earlier writers of a file or folder, who had no lock, have left beside it. What cannot be removed is told
 * as a note and holds nothing up.
 */
export function removeLeftovers(target: string, options: WorkOptions & {readonly by?: EndKnownBy} = {}): void {
  clean(path.dirname(path.resolve(target)), findLeftoversOf(target, options.by ?? 'process'), options)
}

/** True when an earlier writer of a file or folder has left something beside it that `removeLeftovers` brings in order. */
export function hasLeftoversBeside(target: string): boolean {
  return findLeftoversOf(target, 'process').some(({state}) => state === 'dead')
}

function findLeftoversOf(target: string, by: EndKnownBy): Leftover[] {
  const prefix = prefixBeside(path.resolve(target))
  return findLeftovers(path.dirname(path.resolve(target)), (name) => isWorkOf(name, prefix), by)
}

/** Does what `removeLeftovers` does inside a folder whose lock the caller holds, of names that begin with `prefix`. */
export function removeLeftoversInside(folder: string, prefix: string, options: WorkOptions = {}): void {
  clean(
    folder,
    findLeftovers(folder, (name) => isWorkOf(name, prefix), 'lock'),
    options,
  )
}

/** The same for the spools in a folder that everyone writes to. */
export function removeOwnSpools(folder: string): void {
  clean(
    folder,
    findLeftovers(folder, (name) => isWorkOf(name, SPOOL_PREFIX), 'process'),
    {},
  )
}

function clean(folder: string, found: readonly Leftover[], {onEvent}: WorkOptions): void {
  for (const leftover of found) {
    if (leftover.state === 'in-use') continue
    const why = leftover.state === 'foreign' ? FOREIGN : removeLeftover(folder, leftover)
    if (why === undefined) continue
    onEvent?.({
      kind: 'note',
      code: 'left-over-kept',
      message: `It has the name of what an interrupted run leaves, and stays: ${why} To look into it: transship doctor --clean ${printable(folder)}`,
      subject: leftover.path,
    })
  }
}

const FOREIGN = 'it is a link, pipe or device, on another device, or of another user.'

/**
 * Puts back what a dead left-over had moved out of the way, and removes it. Tells why it could not, and leaves it then:
 * what was moved away may be the only copy.
 */
export function removeLeftover(folder: string, {path: work}: Pick<Leftover, 'path'>): string | undefined {
  try {
    settleWork(folder, work)
  } catch (error) {
    return reasonOf(error)
  }
  const failure = removeTree(work)
  return failure === undefined ? undefined : reasonOf(failure)
}

function reasonOf(error: unknown): string {
  const code = findSystemCode(error)
  return code === undefined ? 'it cannot be removed.' : `the operating system says ${code}.`
}

/**
 * Brings a place in order that a writer has left between two renames. What was to follow beside a target that is in its
 * place follows; else what was moved out of the way comes back, wherever its place is free. Only out of real folders of
 * one device and one owner, and only names that this program puts there. Throws the system's errors.
 */
export function settleWork(root: string, work: string): void {
  if (find(work)?.isDirectory() !== true) return
  const target = targetOf(work)
  insideFolder(work, (at, above) => {
    moveOut(`${at.toString()}/${NEXT}`, above, (from, name, stats) => {
      const isDone =
        target !== undefined && !isThere(`${at.toString()}/${NEXT}/${target}`) && isThere(path.join(root, target))
      if (isDone && stats.isFile() && name.startsWith(`${target}.`)) moveToFree(from, path.join(root, name))
    })
    moveOut(`${at.toString()}/${REPLACED}`, above, (from, name, stats) => {
      const isOfTarget = target !== undefined && (name === target || name.startsWith(`${target}.`))
      if (isOfTarget || isPackage(name, from, stats)) moveToFree(from, path.join(root, name))
    })
  })
}

/** What `.NAME.tmp-…` is work on. */
function targetOf(work: string): string | undefined {
  return /^\.(.+)\.tmp-$/s.exec(parseWorkName(path.basename(work))?.prefix ?? '')?.[1]
}

function moveOut(folder: string, above: Stats, move: (from: string, name: string, stats: Stats) => void): void {
  if (find(folder)?.isDirectory() !== true) return
  insideFolder(folder, (at, {dev, uid}) => {
    if (dev !== above.dev || uid !== above.uid) return
    for (const name of readdirSync(at)) {
      const from = `${at.toString()}/${name}`
      const stats = find(from)
      if (stats?.dev === dev && (stats.isFile() || stats.isDirectory())) move(from, name, stats)
    }
  })
}

function isThere(place: string): boolean {
  return find(place) !== undefined
}

function moveToFree(from: string, to: string): void {
  if (!isThere(to)) renameSync(from, to)
}

/** As repositories keep them: a folder with metadata, a file of a package, or whatever has the full name of one. */
function isPackage(name: string, place: string, stats: Stats): boolean {
  if (name.startsWith('.')) return false
  if (stats.isFile() ? /\.(?:appx|msix)$/i.test(name) : find(path.join(place, 'metadata.json'))?.isFile() === true)
    return true
  try {
    parseFullName(name)
    return true
  } catch {
    return false
  }
}

/** Touches what a writer makes now and then, so that it never looks given up, until the function is called that it returns. */
export function keepFresh(work: string): () => void {
  const timer = setInterval(() => {
    try {
      const now = new Date()
      lutimesSync(work, now, now)
    } catch {
      // A network may be gone for a while; the next time it may succeed.
    }
  }, TOUCH_EVERY_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
  }
}

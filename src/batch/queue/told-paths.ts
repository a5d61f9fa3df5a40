import path from 'node:path'
import {findReference} from '../../transports/catalog.js'
import {isLocal, pathIn} from '../place.js'
import type {Unit} from '../unit.js'

/** Where a machine sees the files of a plan. */
export interface PlanPlace {
  readonly folder: string
  /** Of all that machines share, where it is given. */
  readonly root?: string
}

/** One side of the same unit: how it is written there, and where its paths lie there. */
export interface UnitPlace extends PlanPlace {
  readonly unit: Pick<Unit, 'source' | 'destination'>
}

/**
 * What a worker tells of a unit, with paths as this machine names them: those of the unit itself as its plan does, others
 * below the plan's folder or the root. All texts in it are looked through, for messages name paths as well.
 */
export function toldHere<T>(value: T, there: UnitPlace, here: UnitPlace): T {
  const pairs = new Map<string, string>()
  const add = (from: string | undefined, to: string | undefined) => {
    // The top of a file system is the beginning of every path.
    if (from !== undefined && to !== undefined && !/^(?:[A-Za-z]:)?[\\/]?$/.test(from) && from !== to)
      pairs.set(from, to)
  }
  add(localPath(there.unit.destination, there.folder), localPath(here.unit.destination, here.folder))
  add(localPath(there.unit.source, there.folder), localPath(here.unit.source, here.folder))
  add(there.folder, here.folder)
  add(there.root, here.root)
  if (pairs.size === 0) return value
  // Of two that fit, the longer says more.
  const froms = [...pairs.keys()].sort((one, other) => other.length - one.length)
  const pattern = new RegExp(`(?<![\\w./\\\\-])(${froms.map(escaped).join('|')})${BEHIND}`, 'g')
  const inText = (text: string) =>
    text.replace(pattern, (whole, from: string, rest: string | undefined) => {
      const to = pairs.get(from)
      if (to === undefined) return whole
      return rest === undefined ? to : path.join(to, from.includes('\\') ? rest.replaceAll('\\', '/') : rest)
    })
  return mapped(value, inText) as T
}

/** What is below a path, or the end of a path: then no character that could go on with its last name. */
const BEHIND = String.raw`(?:([/\\][^\s'"\])},;:@]*)|(?=$|[\s'"\])},;:@]|\.(?:\s|$)))`

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function localPath(text: string, folder: string): string | undefined {
  const reference = findReference(text)
  if (reference === undefined) return pathIn(folder, text)
  return isLocal(reference) ? pathIn(folder, reference.path) : undefined
}

function mapped(value: unknown, inText: (text: string) => string): unknown {
  if (typeof value === 'string') return inText(value)
  if (Array.isArray(value)) return value.map((each) => mapped(each, inText))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapped(each, inText)]))
}

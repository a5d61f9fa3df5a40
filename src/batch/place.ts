import path from 'node:path'
import {formatReference} from '../transports/catalog.js'
import type {Reference} from '../model/reference.js'
import type {PlanOptions} from './plan-schema.js'

/** Transports whose locations are names, not paths. */
const REMOTE = new Set(['docker', 'docker-daemon', 'containerd'])
/** Transports of one thing a path: writing there twice would be writing over it. */
const HOLDS_ONE = new Set(['docker-archive', 'oci-archive', 'layout'])

export function isLocal({transport}: Reference): boolean {
  return !REMOTE.has(transport)
}

/** True when several items may be written to the place, one after the other. */
export function holdsMany(reference: Reference): boolean {
  const {transport, path: place} = reference
  return !HOLDS_ONE.has(transport) && !(transport === 'appx' && /\.appx$/i.test(place))
}

/** True of places of packages. */
export function holdsPackages({transport}: Reference): boolean {
  return transport === 'inbox' || transport === 'appx'
}

function isAbsolute(text: string): boolean {
  return path.isAbsolute(text) || /^[A-Za-z]:[\\/]/.test(text)
}

/** A path of the plan as one of this process; `folder` is the plan's. */
export function pathIn(folder: string, text: string): string {
  return isAbsolute(text) ? text : path.join(folder, text)
}

/** A reference of the plan as one of this process. */
export function referenceIn(folder: string, reference: Reference): Reference {
  return isLocal(reference) ? {...reference, path: pathIn(folder, reference.path)} : reference
}

/** A reference of this process as one of the plan: its path is relative to the plan's folder, with `/`, where it lies in it. */
export function referenceFrom(folder: string, reference: Reference): Reference {
  if (!isLocal(reference)) return reference
  const relative = path.relative(folder, reference.path)
  const isFar = isAbsolute(relative) || relative.startsWith(`..${path.sep}..${path.sep}..`)
  return {...reference, path: isFar ? reference.path : relative.replaceAll(path.sep, '/') || '.'}
}

/** Under which two references meet that lead to one file, folder, repository or image. Case is ignored, as on Windows. */
export function placeKey(folder: string, reference: Reference, options: PlanOptions = {}): string {
  const {selector: _, ...place} = reference
  if (reference.transport === 'docker-daemon') {
    const {engine, 'engine-context': context} = options
    return JSON.stringify([formatReference(place), engine ?? context ?? ''])
  }
  if (!isLocal(reference)) return formatReference(place)
  return path.resolve(pathIn(folder, reference.path)).toLowerCase()
}

/** Tag that stands in where the name of an image at a registry or an engine has none; undefined where nothing does. */
export function selectorOf({transport, path: place, selector}: Reference): string | undefined {
  return selector ?? (REMOTE.has(transport) && place !== '' && !place.endsWith('/') ? 'latest' : undefined)
}

/** The same for several tags beside a name without one. */
export function selectorsOf(reference: Reference, tags: readonly string[] = []): readonly (string | undefined)[] {
  return reference.selector === undefined && reference.transport === 'docker' && tags.length > 0
    ? tags.map((tag) => /:([^:/]+)$/.exec(tag)?.[1] ?? tag)
    : [selectorOf(reference)]
}

import {existsSync, mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {REPLACED} from './lock.js'
import type {PackagePlace, SealedPackage} from './package-place.js'

/** A package that waits in a work folder for its place. */
export interface NamedPackage extends Pick<SealedPackage, 'path'> {
  /** Entry that it is to become. */
  readonly name: string
  /** Entry that has to make room. */
  readonly displaced: string | undefined
}

/** What has been moved from a work folder to its place, so that it can be taken back. */
export class PlacedPackages {
  readonly #place: PackagePlace
  readonly #packages: NamedPackage[] = []
  #marker: string | undefined

  constructor(place: PackagePlace) {
    this.#place = place
  }

  put(named: NamedPackage, work: string): void {
    putInPlace(this.#place, named, work)
    this.#packages.push(named)
  }

  putMarker(work: string): void {
    this.#marker = writeMarker(this.#place, work)
  }

  /** Throws where a package cannot be moved: then what it has displaced must stay in the work folder as well. */
  takeBack(): void {
    const {root} = this.#place
    for (const {name, path: from} of this.#packages.splice(0).reverse()) renameSync(path.join(root, name), from)
    if (this.#marker !== undefined) rmSync(this.#marker, {force: true})
    this.#marker = undefined
  }
}

/** Moves a package from the work folder to its place; what was there goes into the work folder. */
function putInPlace({root}: PackagePlace, {path: from, name, displaced}: NamedPackage, work: string): void {
  if (displaced !== undefined) {
    mkdirSync(path.join(work, REPLACED), {recursive: true})
    renameSync(path.join(root, displaced), path.join(work, REPLACED, displaced))
  }
  renameSync(from, path.join(root, name))
}

/** Writes the file that tells what the folder is, where it is not there; gives its path then. */
export function writeMarker({marker, root}: PackagePlace, work: string): string | undefined {
  if (marker === undefined) return undefined
  const place = path.join(root, marker.name)
  if (existsSync(place)) return undefined
  const file = path.join(work, marker.name)
  writeFileSync(file, marker.bytes, {flush: true})
  renameSync(file, place)
  return place
}

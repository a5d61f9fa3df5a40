import {existsSync, mkdirSync, renameSync, writeFileSync} from 'node:fs'
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

/** Moves a package from the work folder to its place; what was there goes into the work folder. */
export function putInPlace({root}: PackagePlace, {path: from, name, displaced}: NamedPackage, work: string): void {
  if (displaced !== undefined) {
    mkdirSync(path.join(work, REPLACED), {recursive: true})
    renameSync(path.join(root, displaced), path.join(work, REPLACED, displaced))
  }
  renameSync(from, path.join(root, name))
}

/** Writes the file that tells what the folder is, where it is not there. */
export function writeMarker({marker, root}: PackagePlace, work: string): void {
  if (marker === undefined || existsSync(path.join(root, marker.name))) return
  const file = path.join(work, marker.name)
  writeFileSync(file, marker.bytes, {flush: true})
  renameSync(file, path.join(root, marker.name))
}

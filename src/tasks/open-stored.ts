import {readFileSync} from 'node:fs'
import path from 'node:path'
import type {PackagePlaceOnDisk, StoredPackage} from '../formats/package/repository.js'
import {METADATA, storedIn} from '../formats/package/write-package.js'
import {readPackageFile} from '../transports/appx/read-package.js'

/** A package by where it lies; who opens it closes it. */
export async function openStored({kind, path: place}: PackagePlaceOnDisk): Promise<StoredPackage> {
  return kind === 'file' ? readPackageFile(place) : storedIn(place, readFileSync(path.join(place, METADATA)))
}

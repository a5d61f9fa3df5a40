import {createHash} from 'node:crypto'
import {lstatSync} from 'node:fs'
import path from 'node:path'
import {TransshipError} from '../../model/errors.js'
import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {INDEX_NAME, readIndex, recipeOf} from './package-entries.js'
import type {StoredPackage} from './repository.js'

/**
 * A word for what the files of a package look like now, without reading them: which files and folders they are, their
 * sizes and times. Another word after a file was written, replaced, added or removed. Undefined where it cannot be told,
 * as of a payload that has no index to name its files.
 */
export function seenOf(stored: StoredPackage): string | undefined {
  const {place, files} = stored
  if (place === undefined) return undefined
  const hash = createHash('sha256')
  try {
    if (place.kind === 'file') {
      const {dev, ino, size, mtimeNs, ctimeNs} = lstatSync(place.path, {bigint: true})
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
    }
    const index = readIndex(stored)
    if (index === undefined) return undefined
    const folders = new Set<string>()
    const see = (name: string) => {
      hash.update(`${name}\0${files.find(name, name)?.stamp ?? ''}\0`)
    }
    // A name that was added shows in the time of its folder.
    const seeFolder = (folder: string) => {
      if (folders.has(folder)) return
      folders.add(folder)
      see(folder)
    }
    for (const name of [INDEX_NAME, recipeOf(stored)?.file ?? INDEX_NAME]) see(name)
    for (const {path: name} of index.lines()) {
      see(name)
      if (name.endsWith(DIRECTORY_CARRIER_SUFFIX)) seeFolder(name.slice(0, -DIRECTORY_CARRIER_SUFFIX.length))
      const parent = path.posix.dirname(name)
      seeFolder(parent === '.' ? '' : parent)
    }
    return hash.digest('hex')
  } catch (error) {
    // What cannot be looked at is read, which tells why.
    if (error instanceof TransshipError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

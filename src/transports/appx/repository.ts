import {closeSync, statSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import path from 'node:path'
import {fillBuffer} from '../../disk/fill-buffer.js'
import {openRegular} from '../../disk/safe-open.js'
import {asTransshipError, TransshipError} from '../../model/errors.js'
import {foldPath} from '../../model/layer-path.js'
import {formatFullName, identityKey, isSamePackage, parseFullName} from '../../model/package-identity.js'
import type {Reference} from '../../model/reference.js'
import {distinct, isFullName, type Repository} from '../../formats/package/repository.js'
import type {Fault} from '../../model/transport.js'
import {readPackageFile, type AppxPackage} from './read-package.js'
import {APPX, EXTENSION, GRAMMAR} from './reference.js'

/** What a reference leads to: one file, or a folder of them. */
export interface AppxPlace {
  readonly kind: 'file' | 'folder'
  readonly path: string
  readonly exists: boolean
}

/** `.appx` may be left out of the name of a file. What is not there is a file if it is called like one, else a folder. */
export function findPlace({path: stated}: Pick<Reference, 'path'>): AppxPlace {
  for (const file of [stated, `${stated}${EXTENSION}`]) {
    const stats = statSync(file, {throwIfNoEntry: false})
    if (stats !== undefined && (file === stated || stats.isFile()))
      return {kind: stats.isDirectory() ? 'folder' : 'file', path: file, exists: true}
  }
  return {kind: isPackageName(stated) ? 'file' : 'folder', path: stated, exists: false}
}

function isPackageName(name: string): boolean {
  return name.toLowerCase().endsWith(EXTENSION)
}

/** A file of this kind is opened as a package; of bundles, opening tells that they are not read. */
const RECOGNISED = /\.(?:appx|msix)(?:bundle)?$/i

/** True for a package, or a folder that holds one and is no repository. */
export async function isAppxPlace(place: string): Promise<boolean> {
  if (hasZipMagic(place)) return RECOGNISED.test(place)
  const names: string[] = await readdir(place).catch(() => [])
  return (
    !names.includes('repository.json') &&
    names.some((name) => isPackageName(name) && hasZipMagic(path.join(place, name)))
  )
}

function hasZipMagic(file: string): boolean {
  try {
    const {fd} = openRegular(file, {links: 'followed'})
    try {
      const bytes = Buffer.alloc(4)
      return fillBuffer(fd, bytes, 0) === 4 && bytes.readUInt32LE(0) === 0x04034b50
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}

/** Reads the packages of a place; see `Repository` for what becomes of those that cannot be read. */
export async function readPlace(reference: Reference): Promise<Repository<AppxPackage>> {
  const place = findPlace(reference)
  return place.kind === 'folder' ? readFolder(place.path) : readFile(place.path)
}

interface Found {
  readonly packages: AppxPackage[]
  readonly faults: Fault[]
  readonly unreadable: Map<string, TransshipError>
}

async function readFolder(root: string): Promise<Repository<AppxPackage>> {
  const found = await readFiles(root, await packageNames(root))
  return repositoryOf({kind: 'folder', path: root, exists: true}, distinct(found))
}

async function packageNames(root: string): Promise<readonly string[]> {
  try {
    const children = await readdir(root, {withFileTypes: true})
    const files = children.filter((child) => child.isFile() && isPackageName(child.name) && !child.name.startsWith('.'))
    return files.map((child) => child.name).sort((left, right) => (left < right ? -1 : 1))
  } catch (error) {
    throw asTransshipError(error, {reference: `${APPX}:${root}`})
  }
}

async function readFiles(root: string, names: readonly string[]): Promise<Found> {
  const packages: AppxPackage[] = []
  const faults: Fault[] = []
  const unreadable = new Map<string, TransshipError>()
  for (const name of names) {
    try {
      const stored = await readPackageFile(path.join(root, name))
      stored.close()
      packages.push(stored)
    } catch (error) {
      if (!(error instanceof TransshipError)) throw error
      faults.push({code: error.code, message: error.message, subject: name})
      const fullName = name.slice(0, -EXTENSION.length)
      if (isFullName(fullName)) unreadable.set(identityKey(parseFullName(fullName)), error)
    }
  }
  return {packages, faults, unreadable}
}

/** All packages of a folder, whatever else is wrong with it. */
export async function readNeighbours(root: string): Promise<Found> {
  return readFiles(root, await packageNames(root))
}

/** One package; what it depends on is looked for in the files beside it. */
async function readFile(file: string): Promise<Repository<AppxPackage>> {
  const top = await readPackageFile(file)
  top.close()
  const {packages: beside, unreadable} = await readBeside(file, top)
  return repositoryOf({kind: 'file', path: file, exists: true}, {packages: [top], faults: [], unreadable}, beside)
}

/** By the name that an export gives them; only when that does not do, every file is looked into. */
async function readBeside(file: string, top: AppxPackage): Promise<Found> {
  const found: Found = {packages: [], faults: [], unreadable: new Map()}
  if (top.metadata.dependencies.length === 0) return found
  const root = path.dirname(file)
  const names = (await packageNames(root)).filter((name) => name !== path.basename(file))
  let [next] = top.metadata.dependencies
  while (next !== undefined && found.packages.length < names.length) {
    const wanted = foldPath(`${formatFullName(next)}${EXTENSION}`)
    const name = names.find((each) => foldPath(each) === wanted)
    const one = name === undefined ? undefined : await readFiles(root, [name])
    const [stored] = one?.packages ?? []
    if (stored === undefined || !isSamePackage(stored.metadata.identity, next)) return readFiles(root, names)
    found.packages.push(stored)
    next = stored.metadata.dependencies[0]
  }
  return found
}

/** A place that has been read, or is still to be made. */
export function repositoryOf(
  place: AppxPlace,
  found: Pick<Repository<AppxPackage>, 'packages' | 'faults' | 'unreadable' | 'clashing'> = {
    packages: [],
    faults: [],
    unreadable: new Map(),
  },
  beside: Repository['packages'] = [],
): Repository<AppxPackage> {
  return {
    root: place.kind === 'folder' ? place.path : path.dirname(place.path),
    ...found,
    beside,
    referenceTo: (identity) =>
      GRAMMAR.format({
        transport: APPX,
        path: place.path,
        ...(identity === undefined || place.kind === 'file' ? {} : {selector: formatFullName(identity)}),
      }),
    close: () => {
      for (const stored of found.packages) stored.close()
      for (const stored of beside) stored.close?.()
    },
  }
}

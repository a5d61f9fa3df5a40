import {readdir} from 'node:fs/promises'
import path from 'node:path'
import {asTransshipError, findSystemCode, InputError, TransshipError, UsageError} from '../../model/errors.js'
import {foldPath} from '../../model/layer-path.js'
import {
  findPaddedVersion,
  formatFullName,
  identityKey,
  parseFullName,
  type PackageIdentity,
} from '../../model/package-identity.js'
import type {Fault} from '../transport.js'
import {findSmallFile} from '../shared/transport-layout/small-file.js'
import {decodeDocument, type PackageDocument} from './metadata.js'

/** A package of a repository: its folder and what its metadata.json says. */
export interface StoredPackage extends PackageDocument {
  readonly folderName: string
  readonly folder: string
}

export interface Repository {
  readonly root: string
  /** By full name. */
  readonly packages: readonly StoredPackage[]
  /** Folders that are no usable packages, and why. */
  readonly faults: readonly Fault[]
  /** The same as errors, by the identity that the folder is named after. */
  readonly unreadable: ReadonlyMap<string, TransshipError>
}

/** The document carries labels and extensions, never content. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024

/** True when the folder is a repository or looks like one: its marker, or a package in it. */
export async function isRepository(folder: string): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => [])
  if (names.includes('repository.json')) return true
  return names.some(
    (name) =>
      isFullName(name) &&
      findSmallFile(path.join(folder, name, 'metadata.json'), MAX_METADATA_BYTES, name) !== undefined,
  )
}

function isFullName(name: string): boolean {
  try {
    parseFullName(name)
    return true
  } catch {
    return false
  }
}

/**
 * Reads all packages of a repository. What cannot be read is told as a fault and left out: one bad package must not
 * hide the others. Throws `NOT_FOUND` and the like for the folder itself, `IDENTITY_CLASH` for two packages of one identity.
 */
export async function readRepository(root: string): Promise<Repository> {
  let children
  try {
    children = await readdir(root, {withFileTypes: true})
  } catch (error) {
    throw asTransshipError(error, {reference: `inbox:${root}`})
  }
  const packages: StoredPackage[] = []
  const faults: Fault[] = []
  const unreadable = new Map<string, TransshipError>()
  for (const child of children.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    if (!child.isDirectory() || child.name.startsWith('.')) continue
    try {
      packages.push(readPackage(root, child.name))
    } catch (error) {
      if (!(error instanceof TransshipError)) throw error
      faults.push({code: error.code, message: error.message, subject: child.name})
      if (isFullName(child.name)) unreadable.set(identityKey(parseFullName(child.name)), error)
    }
  }
  requireDistinct(packages)
  return {root, packages, faults, unreadable}
}

function readPackage(root: string, folderName: string): StoredPackage {
  const folder = path.join(root, folderName)
  const place = `${folderName}/metadata.json`
  const bytes = findSmallFile(path.join(folder, 'metadata.json'), MAX_METADATA_BYTES, place)
  if (bytes === undefined) {
    throw new InputError('PACKAGE_INCOMPLETE', {
      what: `The folder '${folderName}' holds no metadata.json.`,
      why: 'It is written last, so the package was never completed; or the folder is none.',
      suggestions: ['Write the package again, and delete this folder.'],
      at: {path: place},
    })
  }
  return {folderName, folder, ...decodeDocument(bytes, folderName)}
}

function requireDistinct(packages: readonly StoredPackage[]): void {
  const seen = new Map<string, StoredPackage>()
  for (const stored of packages) {
    const key = identityKey(stored.metadata.identity)
    const other = seen.get(key)
    if (other !== undefined) {
      throw new InputError('IDENTITY_CLASH', {
        what: `Two packages have one identity: '${other.folderName}' and '${stored.folderName}'.`,
        why: 'Publisher and name are compared case-insensitively.',
        suggestions: ['Remove one of the two folders.'],
      })
    }
    seen.set(key, stored)
  }
}

/** The package of just that identity. */
export function findPackage(repository: Repository, identity: PackageIdentity): StoredPackage | undefined {
  const key = identityKey(identity)
  return repository.packages.find((stored) => identityKey(stored.metadata.identity) === key)
}

/**
 * The one package that a selector names: by full name, by name, or by name and version. Without one, the only package that
 * no other depends on. Throws `NOT_FOUND`, or `AMBIGUOUS_SELECTION` listing what there is.
 */
export function selectPackage(repository: Repository, selector: string | undefined): StoredPackage {
  const {packages, unreadable} = repository
  const isNamed = (identity: PackageIdentity) => selector === undefined || isSelected(identity, selector)
  const fitting = (selector === undefined ? tops(packages) : packages).filter(({metadata}) =>
    isNamed(metadata.identity),
  )
  // What cannot be read may be the one that is meant; without a selector any of them may.
  const broken = [...unreadable].find(([key]) => isNamed(parseFullName(key)))?.[1]
  if (broken !== undefined && (fitting.length === 0 || selector === undefined)) throw broken
  const [first, second] = fitting
  if (first !== undefined && second === undefined) return first
  const full = (list: readonly StoredPackage[]) =>
    list.slice(0, 20).map((stored) => `inbox:${repository.root}:${formatFullName(stored.metadata.identity)}`)
  if (first !== undefined) {
    throw new UsageError('AMBIGUOUS_SELECTION', {
      what: `${selector === undefined ? 'The repository' : `'${selector}'`} stands for ${fitting.length} packages.`,
      suggestions: ['Name one of these, or give --all.', ...full(fitting)],
      at: {reference: `inbox:${repository.root}`},
    })
  }
  throw new InputError('NOT_FOUND', {
    what:
      selector === undefined
        ? 'The repository holds no complete package.'
        : `The repository holds no package '${selector}'.`,
    suggestions: full(packages),
    at: {reference: `inbox:${repository.root}`},
  })
}

/** Packages that nothing depends on; of OS packages alone, all. */
function tops(packages: readonly StoredPackage[]): readonly StoredPackage[] {
  const needed = new Set(packages.flatMap((stored) => stored.metadata.dependencies.map(identityKey)))
  const free = packages.filter((stored) => !needed.has(identityKey(stored.metadata.identity)))
  const applications = free.filter((stored) => !stored.metadata.isOsImage)
  return applications.length > 0 ? applications : free
}

function isSelected(identity: PackageIdentity, selector: string): boolean {
  const wanted = foldPath(selector)
  if (wanted === identityKey(identity) || wanted === foldPath(identity.name)) return true
  const underscore = selector.lastIndexOf('_')
  const version = underscore < 0 ? undefined : findPaddedVersion(selector.slice(underscore + 1))
  if (version !== identity.version) return false
  const before = foldPath(selector.slice(0, underscore))
  return before === foldPath(identity.name) || before === foldPath(`${identity.publisher}_${identity.name}`)
}

/** True when the folder is not there at all. */
export async function isMissing(folder: string): Promise<boolean> {
  try {
    await readdir(folder)
    return false
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return true
    throw asTransshipError(error, {path: folder})
  }
}

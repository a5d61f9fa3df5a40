import {readdir} from 'node:fs/promises'
import {asTransshipError, findSystemCode, InputError, TransshipError, UsageError} from '../../model/errors.js'
import {groupByEach} from '../../model/group-by.js'
import {foldPath} from '../../model/layer-path.js'
import {findPaddedVersion, identityKey, parseFullName, type PackageIdentity} from '../../model/package-identity.js'
import type {Fault} from '../../model/transport.js'
import type {Warning} from '../../model/fault-sink.js'
import type {LayoutFiles} from '../transport-layout/layout-files.js'
import type {PackageDocument} from './metadata.js'

/** Where a package lies, for who opens it anew: a folder with its metadata.json, or a container. */
export interface PackagePlaceOnDisk {
  readonly kind: 'folder' | 'file'
  readonly path: string
}

/** A package of a repository: what its metadata.json says, and its files. */
export interface StoredPackage extends PackageDocument {
  /** Of the folder or file that it is, in the repository; for messages as well. */
  readonly entryName: string
  readonly files: LayoutFiles
  /** Absent where it cannot be opened anew by its place alone. */
  readonly place?: PackagePlaceOnDisk
  /** Closes what reading has opened; it may be read again. */
  close?(): void
  /** What is worth telling of how it is kept. */
  readonly warnings?: readonly Warning[]
}

/** Packages in one place. */
export interface Repository<P extends StoredPackage = StoredPackage> {
  /** The folder that they lie in. */
  readonly root: string
  /** By full name. */
  readonly packages: readonly P[]
  /** Packages beside those of the reference, which may only serve as dependencies. */
  readonly beside?: readonly StoredPackage[]
  /** Packages that share an identity, so that none of them can be meant; they still build on others. */
  readonly clashing?: readonly StoredPackage[]
  /** Entries that are no usable packages, and why. */
  readonly faults: readonly Fault[]
  /** The same as errors, by the identity that the entry is named after. */
  readonly unreadable: ReadonlyMap<string, TransshipError>
  /** The reference of a package in it; of the place itself without one. */
  referenceTo(identity?: PackageIdentity): string
  /** Closes what packages hold open; they may be read again. */
  close(): void
}

/** True for the full name of a package. */
export function isFullName(name: string): boolean {
  try {
    parseFullName(name)
    return true
  } catch {
    return false
  }
}

/** What reading the entries of a place has found. */
export interface FoundPackages<P extends StoredPackage> {
  readonly packages: readonly P[]
  readonly faults: readonly Fault[]
  readonly unreadable: ReadonlyMap<string, TransshipError>
  readonly clashing?: readonly StoredPackage[]
}

/**
 * Leaves out packages of one identity: which of them is meant cannot be known, and the others must not be hidden. Each is
 * a fault `IDENTITY_CLASH`, which asking for it throws.
 */
export function distinct<P extends StoredPackage>({packages, faults, unreadable}: FoundPackages<P>): FoundPackages<P> {
  const byKey = new Map<string, P[]>()
  for (const stored of packages) {
    const key = identityKey(stored.metadata.identity)
    byKey.set(key, [...(byKey.get(key) ?? []), stored])
  }
  const clashes: Fault[] = []
  const broken = new Map(unreadable)
  const kept = new Set<P>()
  for (const [key, same] of byKey) {
    const [first, second] = same
    if (first !== undefined && second === undefined) kept.add(first)
    if (first === undefined || second === undefined) continue
    const clash = new InputError('IDENTITY_CLASH', {
      what: `Two packages have the same identity: '${first.entryName}' and '${second.entryName}'.`,
      why: 'Publisher and name are compared case-insensitively.',
      suggestions: ['Remove one of the two.'],
    })
    broken.set(key, clash)
    for (const {entryName} of same) clashes.push({code: clash.code, message: clash.message, subject: entryName})
  }
  const clashing = packages.filter((stored) => !kept.has(stored))
  for (const stored of clashing) stored.close?.()
  return {
    packages: packages.filter((stored) => kept.has(stored)),
    faults: [...faults, ...clashes],
    unreadable: broken,
    clashing,
  }
}

/** The package of just that identity. */
export function findPackage(
  {packages, beside = []}: Pick<Repository, 'packages' | 'beside'>,
  identity: PackageIdentity,
): StoredPackage | undefined {
  const key = identityKey(identity)
  return keyed(packages).get(key) ?? keyed(beside).get(key)
}

/** Lists are never changed in place; one of a thousand packages is asked a thousand times. */
const KEYED = new WeakMap<readonly StoredPackage[], ReadonlyMap<string, StoredPackage>>()

function keyed(packages: readonly StoredPackage[]): ReadonlyMap<string, StoredPackage> {
  const known = KEYED.get(packages)
  if (known !== undefined) return known
  const made = new Map<string, StoredPackage>()
  for (const stored of packages) {
    const key = identityKey(stored.metadata.identity)
    if (!made.has(key)) made.set(key, stored)
  }
  KEYED.set(packages, made)
  return made
}

/**
 * The one package that a selector names: by full name, by name, or by name and version. Without one, the only package that
 * no other depends on. Throws `NOT_FOUND`, or `AMBIGUOUS_SELECTION` listing what there is.
 */
export function selectPackage<P extends StoredPackage>(repository: Repository<P>, selector: string | undefined): P {
  const {packages, unreadable} = repository
  const fitting = selector === undefined ? tops(packages) : packagesNamed(packages, selector)
  // What cannot be read may be the one that is meant; without a selector any of them may.
  const broken = [...unreadable].find(([key]) => selector === undefined || isNamed(parseFullName(key), selector))?.[1]
  if (broken !== undefined && (fitting.length === 0 || selector === undefined)) throw broken
  const [first, second] = fitting
  if (first !== undefined && second === undefined) return first
  const full = (list: readonly StoredPackage[]) =>
    list.slice(0, 20).map((stored) => repository.referenceTo(stored.metadata.identity))
  if (first !== undefined) {
    throw new UsageError('AMBIGUOUS_SELECTION', {
      what: `${selector === undefined ? 'The repository' : `'${selector}'`} matches ${fitting.length} packages.`,
      suggestions: ['Name one of these, or pass --all.', ...full(fitting)],
      at: {reference: repository.referenceTo()},
    })
  }
  throw new InputError('NOT_FOUND', {
    what:
      selector === undefined
        ? 'The repository holds no complete package.'
        : `The repository holds no package '${selector}'.`,
    suggestions: full(packages),
    at: {reference: repository.referenceTo()},
  })
}

/** Packages that nothing depends on; of OS packages alone, all. */
function tops<P extends StoredPackage>(packages: readonly P[]): readonly P[] {
  const needed = new Set(packages.flatMap((stored) => stored.metadata.dependencies.map(identityKey)))
  const free = packages.filter((stored) => !needed.has(identityKey(stored.metadata.identity)))
  const applications = free.filter((stored) => !stored.metadata.isOsImage)
  return applications.length > 0 ? applications : free
}

/** All that a selector may call a package by: its full name, its name, and with a version one of both. */
function namesOf({publisher, name, version}: PackageIdentity): readonly string[] {
  const own = [name, `${publisher}_${name}`].map((each) => `${foldPath(each)}\0${version}`)
  return [foldPath(name), identityKey({publisher, name, version}), ...own]
}

function namesIn(selector: string): readonly string[] {
  const underscore = selector.lastIndexOf('_')
  const version = underscore < 0 ? undefined : findPaddedVersion(selector.slice(underscore + 1))
  const versioned = version === undefined ? [] : [`${foldPath(selector.slice(0, underscore))}\0${version}`]
  return [foldPath(selector), ...versioned]
}

function isNamed(identity: PackageIdentity, selector: string): boolean {
  const names = namesOf(identity)
  return namesIn(selector).some((name) => names.includes(name))
}

const NAMED = new WeakMap<readonly StoredPackage[], ReadonlyMap<string, readonly StoredPackage[]>>()

/** The packages that a selector names, in their order. */
export function packagesNamed<P extends StoredPackage>(packages: readonly P[], selector: string): readonly P[] {
  const known = NAMED.get(packages) as ReadonlyMap<string, readonly P[]> | undefined
  const named = known ?? groupByEach(packages, ({metadata}) => namesOf(metadata.identity))
  NAMED.set(packages, named)
  const found = new Set(namesIn(selector).flatMap((name) => named.get(name) ?? []))
  return found.size < 2 ? [...found] : packages.filter((stored) => found.has(stored))
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

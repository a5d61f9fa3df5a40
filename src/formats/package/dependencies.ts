import {InputError} from '../../model/errors.js'
import type {PackageDependency} from '../../model/image.js'
import {formatFullName, identityKey, isSamePackage, type PackageIdentity} from '../../model/package-identity.js'
import {differenceOf, isMarked, markOf} from './payload-mark.js'
import {findPackage, type Repository, type StoredPackage} from './repository.js'

/** A package and what it builds on, base first. */
export interface DependencyChain {
  readonly packages: readonly StoredPackage[]
  /** What the lowest package depends on and cannot be had here. */
  readonly missing?: MissingDependency
}

export interface MissingDependency {
  readonly identity: PackageDependency
  /** `DEPENDENCY_MISMATCH`: another payload lies under its name. */
  readonly code: 'DEPENDENCY_MISSING' | 'DEPENDENCY_MISMATCH'
  /** For the user. */
  readonly why: string
}

export interface ResolveOptions {
  /** Take another version of a dependency when the one named is missing, and another payload under its name. */
  readonly acceptBaseMismatch: boolean
  readonly onMismatch: (message: string) => void
}

/**
 * Resolves what a package depends on, by exact identity and, where it was recorded, by payload: a delta only fits the very
 * payload it was made on. Throws `DEPENDENCY_CYCLE` and `DEPENDENCY_MISMATCH` (architecture) with the chain.
 */
export function resolveDependencies(
  repository: Repository,
  top: StoredPackage,
  options: ResolveOptions,
): DependencyChain {
  const chain: StoredPackage[] = [top]
  const seen = new Set([identityKey(top.metadata.identity)])
  for (let next = dependencyOf(top); next !== undefined;) {
    const names = () => chain.map((stored) => formatFullName(stored.metadata.identity)).join(' -> ')
    const found = findPackage(repository, next) ?? findMismatch(repository, next, options)
    if (found === undefined) {
      const why = `${nearMisses(repository, next)} Needed by ${names()}.`
      return {packages: chain.reverse(), missing: {identity: next, code: 'DEPENDENCY_MISSING', why}}
    }
    const difference = isSamePackage(found.metadata.identity, next) ? differenceOf(next, markOf(found)) : undefined
    if (difference !== undefined && !options.acceptBaseMismatch) {
      const why = `${difference}${rightPayload(repository, next)} Needed by ${names()}.`
      return {packages: chain.reverse(), missing: {identity: next, code: 'DEPENDENCY_MISMATCH', why}}
    }
    if (difference !== undefined) options.onMismatch(`${formatFullName(next)}: ${difference}`)
    if (seen.has(identityKey(found.metadata.identity))) {
      throw new InputError('DEPENDENCY_CYCLE', {
        what: 'The packages depend on each other in a circle.',
        why: `${names()} -> ${formatFullName(found.metadata.identity)}.`,
        suggestions: ['Restore their metadata.json from a copy.'],
      })
    }
    requireArchitecture(top, found)
    seen.add(identityKey(found.metadata.identity))
    chain.push(found)
    next = dependencyOf(found)
  }
  return {packages: chain.reverse()}
}

function dependencyOf({metadata}: StoredPackage): PackageDependency | undefined {
  return metadata.dependencies[0]
}

/** Where the payload is that was recorded, if it is there under another name. */
function rightPayload({packages, beside = []}: Repository, wanted: PackageDependency): string {
  const isIt = (stored: StoredPackage) => {
    const mark = markOf(stored)
    const isComparable = isMarked(mark) && (wanted.diffId === undefined) === (mark.diffId === undefined)
    return isComparable && differenceOf(wanted, mark) === undefined
  }
  const found = isMarked(wanted) ? [...packages, ...beside].find(isIt) : undefined
  return found === undefined ? '' : ` The right payload exists as ${formatFullName(found.metadata.identity)}.`
}

/** Other versions of a package, newest first. */
function otherVersions({packages}: Repository, wanted: PackageIdentity): readonly StoredPackage[] {
  const parts = (stored: StoredPackage) => stored.metadata.identity.version.split('.').map(Number)
  return packages
    .filter(({metadata: {identity}}) => isSamePackage({...identity, version: wanted.version}, wanted))
    .sort((left, right) => {
      const [a, b] = [parts(left), parts(right)]
      const index = a.findIndex((part, position) => part !== b[position])
      return index < 0 ? 0 : (b[index] ?? 0) - (a[index] ?? 0)
    })
}

function nearMisses(repository: Repository, wanted: PackageIdentity): string {
  const broken = repository.unreadable.get(identityKey(wanted))
  if (broken !== undefined) return `The repository holds it, but transship cannot read it: ${broken.message}`
  const others = otherVersions(repository, wanted)
  if (others.length === 0) return 'The repository does not hold it.'
  const names = others.map(({metadata: {identity}}) => formatFullName(identity)).join(', ')
  return `The repository holds only other versions: ${names}. A payload only fits the one it was made on. Pass --accept-base-mismatch to use the newest.`
}

function findMismatch(
  repository: Repository,
  wanted: PackageIdentity,
  {acceptBaseMismatch, onMismatch}: ResolveOptions,
): StoredPackage | undefined {
  const [newest] = acceptBaseMismatch ? otherVersions(repository, wanted) : []
  if (newest !== undefined)
    onMismatch(`${formatFullName(newest.metadata.identity)} is used in place of ${formatFullName(wanted)}.`)
  return newest
}

function requireArchitecture(top: StoredPackage, dependency: StoredPackage): void {
  const [wanted, found] = [top.metadata.architecture, dependency.metadata.architecture]
  if (wanted === found || wanted === 'neutral' || found === 'neutral') return
  throw new InputError('DEPENDENCY_MISMATCH', {
    what: `${formatFullName(top.metadata.identity)} is for ${wanted}, but depends on ${formatFullName(dependency.metadata.identity)} for ${found}.`,
    suggestions: ['Pass --base REFERENCE with a package of the right architecture.'],
  })
}

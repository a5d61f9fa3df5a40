import type {Digest} from '../../model/digest.js'
import {EnvironmentError} from '../../model/errors.js'
import type {PackageDependency} from '../../model/image.js'
import {formatFullName, identityKey, isSamePackage, type PackageIdentity} from '../../model/package-identity.js'
import type {DestinationOptions, PackageDraft} from '../../model/transport.js'
import {dependencyError} from './dependency-error.js'
import {differenceOf, markOf} from './payload-mark.js'
import {findPackage, type Repository, type StoredPackage} from './repository.js'
import {isBeside, saysOther} from './standing.js'
import {isSameAsStored} from './write-package.js'

export function keyOf({metadata}: StoredPackage): string {
  return identityKey(metadata.identity)
}

/** The packages of a place as a work leaves them: what it has begun to write, and what was there before. */
export class HeldPackages {
  readonly #repository: () => Repository
  /** By identity key. */
  readonly #begun: ReadonlyMap<string, {readonly stored: StoredPackage}>
  readonly #options: Pick<DestinationOptions, 'acceptBaseMismatch' | 'replace'>
  /** Keys of packages that the work found to be there already. */
  readonly #met = new Set<string>()

  constructor(
    repository: () => Repository,
    begun: ReadonlyMap<string, {readonly stored: StoredPackage}>,
    options: Pick<DestinationOptions, 'acceptBaseMismatch' | 'replace'>,
  ) {
    this.#repository = repository
    this.#begun = begun
    this.#options = options
  }

  #all(): readonly StoredPackage[] {
    const begun = [...this.#begun.values()].map(({stored}) => stored)
    return [...begun, ...this.#repository().packages.filter((stored) => !this.#begun.has(keyOf(stored)))]
  }

  /**
   * The package of that identity that a new one would replace. Throws `IDENTITY_CLASH` where several have it, and the
   * system's errors where it cannot be read: it may be whole.
   */
  existing(identity: PackageIdentity): StoredPackage | undefined {
    const {packages, unreadable} = this.#repository()
    const broken = unreadable.get(identityKey(identity))
    if (broken?.code === 'IDENTITY_CLASH' || broken instanceof EnvironmentError) throw broken
    return findPackage({packages}, identity)
  }

  /** What another builds on; undefined also where several have that identity, since it cannot be known which is meant. */
  #find(identity: PackageIdentity): StoredPackage | undefined {
    const {packages} = this.#repository()
    return this.#begun.get(identityKey(identity))?.stored ?? findPackage({packages}, identity)
  }

  /** The package is what the work has to write: nothing is left to be done. */
  meet(stored: StoredPackage): void {
    this.#met.add(keyOf(stored))
  }

  /** True when the work wrote it, or found it to be what was to be written. */
  isMet(stored: StoredPackage): boolean {
    return this.#met.has(keyOf(stored)) || this.#begun.has(keyOf(stored))
  }

  /** What says other things gives way to the draft when it is to be replaced, unless this very work wrote or found it. */
  isToSayOther(draft: PackageDraft, there: StoredPackage): boolean {
    return this.#options.replace === true && !this.isMet(there) && saysOther(draft, there)
  }

  /** The package that was made from a layer as an operating system, or as a change to `below`. */
  findOs(diffId: Digest, below: PackageIdentity | undefined): PackageIdentity | undefined {
    const isIt = (stored: StoredPackage) => {
      const {dependencies, isOsImage} = stored.metadata
      const [dependency] = dependencies
      const isInPlace = below === undefined ? isOsImage : dependency !== undefined && isSamePackage(dependency, below)
      return isInPlace && markOf(stored).diffId === diffId
    }
    return this.#all().find(isIt)?.metadata.identity
  }

  /** The package that the draft is already, as far as can be told without reading its layer. Throws `IDENTITY_CLASH`. */
  findSame(draft: PackageDraft): StoredPackage | undefined {
    const {identity} = draft.metadata
    const there = this.#begun.get(identityKey(identity))?.stored ?? this.existing(identity)
    if (there !== undefined && isSameAsStored(draft, there)) return there
    if (draft.mayBeRenamed !== true) return undefined
    return this.#all().find((stored) => isBeside(stored.metadata.identity, identity) && isSameAsStored(draft, stored))
  }

  /**
   * The draft with what is recorded of its dependencies: the payload that this very work found or wrote. What is only there
   * must be what the draft says that it was made on. Throws `DEPENDENCY_MISMATCH`.
   */
  recorded(draft: PackageDraft): PackageDraft {
    const dependencies = draft.metadata.dependencies.map((dependency): PackageDependency => {
      const there = this.#find(dependency)
      if (there === undefined) return dependency
      const {publisher, name, version} = dependency
      const found = {publisher, name, version, ...markOf(there)}
      if (this.isMet(there)) return there.payload.Kind === 'none' ? {...found, ...dependency} : found
      const difference = differenceOf(dependency, found)
      if (difference === undefined) return {...found, ...dependency}
      if (this.#options.acceptBaseMismatch === true) return dependency
      const why = `${formatFullName(draft.metadata.identity)} depends on it. ${difference}`
      throw dependencyError(this.#repository().referenceTo(dependency), {isMismatch: true, why})
    })
    return {...draft, metadata: {...draft.metadata, dependencies}}
  }

  /** The payloads that hard links may lead to: of the dependencies, nearest first. */
  lower(draft: PackageDraft): readonly StoredPackage[] {
    const lower: StoredPackage[] = []
    for (let next = draft.metadata.dependencies[0]; next !== undefined && lower.length < 1000;) {
      const stored = this.#find(next) ?? findPackage(this.#repository(), next)
      if (stored === undefined) break
      lower.push(stored)
      next = stored.metadata.dependencies[0]
    }
    return lower
  }
}

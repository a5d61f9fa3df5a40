import {execFile} from 'node:child_process'
import {closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {promisify} from 'node:util'
import {parseDigest} from '../../model/digest.js'
import {asTransshipError, InputError, TransshipError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {PackageMetadata} from '../../model/image.js'
import {formatFullName, identityKey, type PackageIdentity} from '../../model/package-identity.js'
import type {
  DestinationOptions,
  ListItem,
  PackageArtifact,
  PackageDestination,
  PackageDraft,
} from '../../model/transport.js'
import type {FolderLock} from '../../disk/folder-lock.js'
import {MadeFolders} from '../../disk/made-folders.js'
import {removeTree} from '../../disk/remove-tree.js'
import {payloadArtifact, type PayloadFigures} from '../transport-layout/payload-artifact.js'
import {hasLeftovers, lockRepository, makeWorkFolder, REPLACED, restoreReplaced, type WorkPlace} from './lock.js'
import {listItemOf} from './open-package.js'
import {findPackage, type Repository, type StoredPackage} from './repository.js'
import {isWhole} from './verify-packages.js'
import {isSameAsStored, isSamePackage, onlyAddsImage, writePackage, type WrittenPackage} from './write-package.js'

interface Told {
  /** Undefined of a stub, and of a payload without an index. */
  readonly figures: PayloadFigures | undefined
  readonly unchanged: boolean
  readonly bytesWritten: number
}

/** A package as the place keeps it: in the work folder still. */
export interface SealedPackage {
  /** Of the folder or file. */
  readonly path: string
  /** The package as it can be read there. */
  readonly stored: StoredPackage
  readonly bytesWritten: number
}

/** What differs between places that keep packages. */
export interface PackagePlace extends WorkPlace {
  /** False: the folder is to be made. */
  readonly exists: boolean
  /** It has room for one package only. */
  readonly holdsOne?: true
  /** A package is kept as a file there: the folder it is written into first does not stay. */
  readonly keepsFiles?: true
  /** Reads what is there now. */
  read(): Promise<Repository>
  /** What a package is to be called there; `existing` is the one in its place. */
  nameOf(identity: PackageIdentity, existing: StoredPackage | undefined): string
  /** Makes of a package that was written as a folder what the place keeps. */
  seal(written: WrittenPackage, work: string, options: WorkOptions): Promise<SealedPackage>
  /** A file that tells what the folder is; written when it is not there. */
  readonly marker?: {readonly name: string; readonly bytes: string}
}

/** Begun packages by identity, and what stands in their place now. */
interface Pending extends SealedPackage {
  readonly payload: WrittenPackage['payload']
  readonly name: string
  /** Entry that has to make room. */
  readonly displaced: string | undefined
}

/**
 * Opens a place for writing packages. Each is written into a work folder inside it and renamed at `commit`, so that a
 * reader sees it whole or not at all.
 */
export async function createPackages(place: PackagePlace, options: DestinationOptions): Promise<PackageDestination> {
  return new PackagesDestination(place, await place.read(), options)
}

class PackagesDestination implements PackageDestination {
  readonly holds = 'packages'
  readonly holdsOne?: true
  readonly #place: PackagePlace
  #repository: Repository
  readonly #replace: boolean
  readonly #pending = new Map<string, Pending>()
  #lock: FolderLock | undefined
  #work: string | undefined
  #made: MadeFolders | undefined
  #again = 0
  /** What `commit` has moved to its place. */
  readonly #placed: Pending[] = []

  constructor(place: PackagePlace, repository: Repository, options: DestinationOptions) {
    this.#place = place
    if (place.holdsOne === true) this.holdsOne = true
    this.#repository = repository
    this.#replace = options.replace ?? false
  }

  findPackage(identity: PackageIdentity): Promise<ListItem | undefined> {
    const stored = findPackage(this.#repository, identity)
    return Promise.resolve(stored === undefined ? undefined : listItemOf(this.#repository, stored))
  }

  async write(draft: PackageDraft, options: WorkOptions): Promise<PackageArtifact> {
    const {identity} = draft.metadata
    const key = identityKey(identity)
    const known = this.#pending.get(key)?.stored ?? (this.#replace ? undefined : this.#existing(identity))
    if (known !== undefined && isSameAsStored(draft, known)) return this.#unchanged(draft, known)
    const work = await this.#begin(options)
    this.#requireRoom(identity)
    const existing = this.#existing(identity)
    const begun = this.#pending.get(key)
    if (begun === undefined && existing !== undefined && isSameAsStored(draft, existing))
      if (await this.#mayStay(existing, options)) return this.#unchanged(draft, existing)
    const folder = begun === undefined ? work : this.#beside(work)
    const written = await this.#whileHeld(() =>
      writePackage(path.join(folder, formatFullName(identity)), draft, {
        ...options,
        lower: this.#lower(draft),
        isForFile: this.#place.keepsFiles === true,
      }),
    )
    // What this very conversion wrote is not there to be replaced by it.
    const kept = begun?.stored ?? (this.#replace ? undefined : existing)
    if (kept !== undefined) {
      if (isSamePackage(draft, written, kept)) {
        removeTree(written.folder)
        return this.#unchanged(draft, kept)
      }
      if (kept.payload.Kind !== 'none' && !onlyAddsImage(draft, written, kept))
        throw this.#clash(written, kept, begun !== undefined)
    }
    const name = begun?.name ?? this.#place.nameOf(identity, existing)
    const displaced = begun === undefined ? (existing?.entryName ?? this.#occupant(name)) : begun.displaced
    const sealed = await this.#whileHeld(() => this.#place.seal(written, folder, options))
    if (begun !== undefined) {
      begun.stored.close?.()
      removeTree(begun.path)
    }
    this.#pending.set(key, {...sealed, payload: written.payload, name, displaced})
    return this.#artifact(draft.metadata, draft, {
      figures: written.payload,
      unchanged: false,
      bytesWritten: sealed.bytesWritten,
    })
  }

  /** A folder for a package that is written already in this work: several images may share one. */
  #beside(work: string): string {
    const folder = path.join(work, `again-${this.#again++}`)
    mkdirSync(folder)
    return folder
  }

  /** Who takes a lock over clears the work folder: that says more than that files are not there. */
  async #whileHeld<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      this.#lock?.requireHeld()
      throw error
    }
  }

  /** What is to be replaced by its equal is read first: there is nothing to be done, unless it is damaged. */
  async #mayStay(existing: StoredPackage, {signal}: WorkOptions): Promise<boolean> {
    return !this.#replace || isWhole(this.#repository, existing, signal === undefined ? {} : {signal})
  }

  /** The package of that identity that a new one would replace. */
  #existing(identity: PackageIdentity): StoredPackage | undefined {
    return findPackage({packages: this.#repository.packages}, identity)
  }

  #requireRoom(identity: PackageIdentity): void {
    if (this.#place.holdsOne !== true || this.#pending.size === 0 || this.#pending.has(identityKey(identity))) return
    throw new UsageError('BAD_OPTION', {
      what: 'A file holds one package, and there is another to write.',
      why: `${formatFullName(identity)} would be the second.`,
      suggestions: ['Name a folder: each package gets a file of its own there.'],
      at: {reference: this.#place.reference},
    })
  }

  /** Something else has the name that the package is to get. */
  #occupant(name: string): string | undefined {
    if (!existsSync(path.join(this.#place.root, name))) return undefined
    if (this.#replace) return name
    throw new InputError('DESTINATION_EXISTS', {
      what: `'${name}' exists already, and is another package or none.`,
      suggestions: ['Choose another name, or give --replace.'],
      at: {reference: this.#place.reference},
    })
  }

  /** The payloads that hard links may lead to: of the dependencies, nearest first. */
  #lower(draft: PackageDraft): readonly StoredPackage[] {
    const lower: StoredPackage[] = []
    for (let next = draft.metadata.dependencies[0]; next !== undefined && lower.length < 1000;) {
      const stored = this.#pending.get(identityKey(next))?.stored ?? findPackage(this.#repository, next)
      if (stored === undefined) break
      lower.push(stored)
      next = stored.metadata.dependencies[0]
    }
    return lower
  }

  #unchanged(draft: PackageDraft, {metadata, payload}: StoredPackage): PackageArtifact {
    const {Digest: text, Bytes: bytes = 0, Entries: entries = 0} = payload
    const digest = text === undefined ? undefined : parseDigest(text)
    const figures = digest === undefined ? undefined : {digest, bytes, entries}
    return this.#artifact(metadata, draft, {figures, unchanged: true, bytesWritten: 0})
  }

  #artifact({identity, dependencies}: PackageMetadata, draft: PackageDraft, told: Told): PackageArtifact {
    const {figures, unchanged, bytesWritten} = told
    return {
      kind: 'package',
      reference: this.#repository.referenceTo(identity),
      identity,
      dependencies,
      unchanged,
      layers: figures === undefined ? [] : [payloadArtifact(draft.layer?.diffId, figures)],
      bytesWritten,
    }
  }

  #clash(written: WrittenPackage, existing: StoredPackage, isOwn: boolean): InputError {
    const fullName = formatFullName(existing.metadata.identity)
    return new InputError('IDENTITY_CLASH', {
      what: isOwn
        ? `Two different packages would be called '${fullName}'.`
        : `The repository holds another package '${fullName}' already.`,
      why: `${isOwn ? "The first one's" : 'Its'} payload is ${existing.payload.Digest ?? 'not indexed'}, the new one ${written.payload?.digest ?? 'a stub'}${
        existing.docker?.ConfigDigest === undefined ? '' : `; it came from the image ${existing.docker.ConfigDigest}`
      }.`,
      suggestions: isOwn
        ? ['Convert them one by one, and give --name, --publisher or --package-version.']
        : ['Give --name, --publisher or --package-version.', 'Give --replace to overwrite it.'],
      at: {reference: this.#repository.referenceTo(existing.metadata.identity)},
    })
  }

  /** The work folder, made with the lock at the first write. */
  async #begin(options: WorkOptions): Promise<string> {
    if (this.#work !== undefined) return this.#work
    const {root, reference, exists} = this.#place
    try {
      if (!exists) this.#made = MadeFolders.make(root)
    } catch (error) {
      throw asTransshipError(error, {reference})
    }
    this.#lock = await lockRepository(this.#place, options)
    try {
      // Until now another writer may have changed it, or one that was killed have left it in need of repair.
      this.#repository.close()
      this.#repository = await this.#place.read()
      this.#work = makeWorkFolder(this.#place)
    } catch (error) {
      throw asTransshipError(error, {reference})
    }
    return this.#work
  }

  async commit(options: WorkOptions): Promise<void> {
    const {root, reference, exists} = this.#place
    if (this.#work === undefined) {
      this.#repository.close()
      // All is there already; what a killed run left may be there as well.
      if (exists && hasLeftovers(this.#place)) await this.#cleanUp(options)
      return
    }
    await flushFileSystem(root)
    this.#closeFiles()
    try {
      this.#lock?.requireHeld()
      for (const pending of this.#pending.values()) this.#put(pending, this.#work)
      this.#mark(this.#work)
      flushFolder(root)
    } catch (error) {
      throw asTransshipError(error, {reference})
    }
    this.#placed.length = 0
    this.#made = undefined
    this.#end()
  }

  /** What is left of a writer that still works is its own. */
  async #cleanUp(options: WorkOptions): Promise<void> {
    try {
      const lock = await lockRepository(this.#place, options)
      lock.release()
    } catch (error) {
      if (!(error instanceof TransshipError) || error.code !== 'LOCKED') throw error
    }
  }

  #put(pending: Pending, work: string): void {
    const {displaced, name} = pending
    const {root} = this.#place
    if (displaced !== undefined) {
      mkdirSync(path.join(work, REPLACED), {recursive: true})
      renameSync(path.join(root, displaced), path.join(work, REPLACED, displaced))
    }
    renameSync(pending.path, path.join(root, name))
    this.#placed.push(pending)
  }

  #mark(work: string): void {
    const {marker, root} = this.#place
    if (marker === undefined || existsSync(path.join(root, marker.name))) return
    const file = path.join(work, marker.name)
    writeFileSync(file, marker.bytes, {flush: true})
    renameSync(file, path.join(root, marker.name))
  }

  abort(): Promise<void> {
    const {root} = this.#place
    this.#closeFiles()
    for (const pending of this.#placed.splice(0).reverse()) renameSync(path.join(root, pending.name), pending.path)
    if (this.#work !== undefined) restoreReplaced(root, this.#work)
    this.#end()
    this.#made?.remove()
    return Promise.resolve()
  }

  /** A file that is open cannot be moved on every system. */
  #closeFiles(): void {
    this.#repository.close()
    for (const {stored} of this.#pending.values()) stored.close?.()
  }

  #end(): void {
    if (this.#work !== undefined) removeTree(this.#work)
    this.#work = undefined
    this.#lock?.release()
    this.#lock = undefined
  }
}

/** Makes everything written durable before the renames do it: one call for all files where the system has it. */
async function flushFileSystem(folder: string): Promise<void> {
  if (process.platform !== 'linux') return
  // A missing or old coreutils leaves durability to the system's own pace; atomicity does not depend on it.
  await promisify(execFile)('sync', ['--file-system', folder]).catch(() => undefined)
}

function flushFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

import {execFile} from 'node:child_process'
import {closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {promisify} from 'node:util'
import {parseDigest} from '../../model/digest.js'
import {asTransshipError, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {PackageMetadata} from '../../model/image.js'
import {formatFullName, identityKey, type PackageIdentity} from '../../model/package-identity.js'
import type {Reference} from '../../model/reference.js'
import type {DestinationOptions, ListItem, PackageArtifact, PackageDestination, PackageDraft} from '../transport.js'
import type {FolderLock} from '../shared/folder-lock.js'
import {MadeFolders} from '../shared/made-folders.js'
import {payloadArtifact, type PayloadFigures} from '../shared/transport-layout/payload-artifact.js'
import {hasLeftovers, lockRepository, makeWorkFolder, REPLACED, restoreReplaced} from './lock.js'
import {formatInboxReference, INBOX} from './reference.js'
import {findPackage, isMissing, readRepository, type Repository, type StoredPackage} from './repository.js'
import {listItemOf} from './source.js'
import {isSameAsStored, isSamePackage, onlyAddsImage, writePackage, type WrittenPackage} from './write-package.js'

const MARKER = 'repository.json'
const MARKER_BYTES = '{"Format":"transship-repository","FormatVersion":1}\r\n'

interface Told {
  /** Undefined of a stub, and of a payload without an index. */
  readonly figures: PayloadFigures | undefined
  readonly unchanged: boolean
  readonly bytesWritten: number
}

/** Begun packages by identity, and what stands in their place now. */
interface Pending extends WrittenPackage {
  readonly existing?: StoredPackage
}

/**
 * Opens a repository for writing; it is made if it is not there. Packages are written into a work folder inside it and
 * renamed at `commit`, so that a reader sees each package whole or not at all.
 */
export async function createRepository(reference: Reference, options: DestinationOptions): Promise<PackageDestination> {
  const root = reference.path
  const isNew = await isMissing(root)
  const repository = isNew
    ? {root, packages: [], faults: [], unreadable: new Map<string, never>()}
    : await readRepository(root)
  return new InboxDestination(repository, isNew, options)
}

class InboxDestination implements PackageDestination {
  readonly holds = 'packages'
  #repository: Repository
  readonly #isNew: boolean
  readonly #replace: boolean
  readonly #pending = new Map<string, Pending>()
  #lock: FolderLock | undefined
  #work: string | undefined
  #made: MadeFolders | undefined
  /** What `commit` has moved to its place. */
  readonly #placed: Pending[] = []

  constructor(repository: Repository, isNew: boolean, options: DestinationOptions) {
    this.#repository = repository
    this.#isNew = isNew
    this.#replace = options.replace ?? false
  }

  findPackage(identity: PackageIdentity): Promise<ListItem | undefined> {
    const stored = findPackage(this.#repository, identity)
    return Promise.resolve(stored === undefined ? undefined : listItemOf(this.#repository.root, stored))
  }

  async write(draft: PackageDraft, options: WorkOptions): Promise<PackageArtifact> {
    const {identity} = draft.metadata
    const known = findPackage(this.#repository, identity)
    if (known !== undefined && isSameAsStored(draft, known)) return this.#unchanged(draft, known)
    const work = await this.#begin()
    const existing = findPackage(this.#repository, identity)
    if (existing !== undefined && isSameAsStored(draft, existing)) return this.#unchanged(draft, existing)
    const written = await writePackage(path.join(work, formatFullName(identity)), draft, {
      ...options,
      lower: this.#lower(draft),
    })
    if (existing !== undefined) {
      if (!this.#replace && isSamePackage(draft, written, existing)) {
        rmSync(written.folder, {recursive: true, force: true})
        return this.#unchanged(draft, existing)
      }
      if (!this.#replace && existing.payload.Kind !== 'none' && !onlyAddsImage(draft, written, existing))
        throw this.#clash(written, existing)
    }
    this.#pending.set(identityKey(identity), {...written, ...(existing === undefined ? {} : {existing})})
    return this.#artifact(draft.metadata, draft, {
      figures: written.payload,
      unchanged: false,
      bytesWritten: written.bytesWritten,
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
      reference: this.#referenceOf(identity),
      identity,
      dependencies,
      unchanged,
      layers: figures === undefined ? [] : [payloadArtifact(draft.layer?.diffId, figures)],
      bytesWritten,
    }
  }

  #referenceOf(identity: PackageIdentity): string {
    return formatInboxReference({transport: INBOX, path: this.#repository.root, selector: formatFullName(identity)})
  }

  #clash(written: WrittenPackage, existing: StoredPackage): InputError {
    const fullName = formatFullName(existing.metadata.identity)
    return new InputError('IDENTITY_CLASH', {
      what: `The repository holds another package '${fullName}' already.`,
      why: `Its payload is ${existing.payload.Digest ?? 'not indexed'}, the new one ${written.payload?.digest ?? 'a stub'}${
        existing.docker?.ConfigDigest === undefined ? '' : `; it came from the image ${existing.docker.ConfigDigest}`
      }.`,
      suggestions: ['Give --name, --publisher or --package-version.', 'Give --replace to overwrite it.'],
      at: {reference: this.#referenceOf(existing.metadata.identity)},
    })
  }

  /** The work folder, made with the lock at the first write. */
  async #begin(): Promise<string> {
    if (this.#work !== undefined) return this.#work
    const {root} = this.#repository
    try {
      if (this.#isNew) this.#made = MadeFolders.make(root)
    } catch (error) {
      throw asTransshipError(error, {reference: `inbox:${root}`})
    }
    this.#lock = lockRepository(root)
    try {
      // Until now another writer may have changed it, or one that was killed have left it in need of repair.
      this.#repository = await readRepository(root)
      this.#work = makeWorkFolder(root)
    } catch (error) {
      throw asTransshipError(error, {reference: `inbox:${root}`})
    }
    return this.#work
  }

  async commit(): Promise<void> {
    const {root} = this.#repository
    if (this.#work === undefined) {
      // All is there already; what a killed run left may be there as well.
      if (!this.#isNew && hasLeftovers(root)) lockRepository(root).release()
      return
    }
    await flushFileSystem(root)
    try {
      for (const pending of this.#pending.values()) this.#place(pending, this.#work)
      if (!existsSync(path.join(root, MARKER))) this.#mark(this.#work)
      flushFolder(root)
    } catch (error) {
      throw asTransshipError(error, {reference: `inbox:${root}`})
    }
    this.#placed.length = 0
    this.#made = undefined
    this.#end()
  }

  #place(pending: Pending, work: string): void {
    const {folder, existing} = pending
    const {root} = this.#repository
    if (existing !== undefined) {
      mkdirSync(path.join(work, REPLACED), {recursive: true})
      renameSync(existing.folder, path.join(work, REPLACED, existing.folderName))
    }
    renameSync(folder, path.join(root, path.basename(folder)))
    this.#placed.push(pending)
  }

  #mark(work: string): void {
    const file = path.join(work, MARKER)
    writeFileSync(file, MARKER_BYTES, {flush: true})
    renameSync(file, path.join(this.#repository.root, MARKER))
  }

  abort(): Promise<void> {
    const {root} = this.#repository
    for (const {folder} of this.#placed.splice(0).reverse()) renameSync(path.join(root, path.basename(folder)), folder)
    if (this.#work !== undefined) restoreReplaced(root, this.#work)
    this.#end()
    this.#made?.remove()
    return Promise.resolve()
  }

  #end(): void {
    if (this.#work !== undefined) rmSync(this.#work, {recursive: true, force: true})
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

import {existsSync, mkdirSync, renameSync} from 'node:fs'
import path from 'node:path'
import type {Digest} from '../../model/digest.js'
import {asTransshipError, InputError, TransshipError, UsageError} from '../../model/errors.js'
import {withoutEvents, type WorkOptions} from '../../model/events.js'
import {formatFullName, identityKey, type PackageIdentity} from '../../model/package-identity.js'
import type {
  DestinationOptions,
  ForeseenPackage,
  ListItem,
  PackageArtifact,
  PackageDestination,
  PackageDraft,
} from '../../model/transport.js'
import type {FolderLock} from '../../disk/folder-lock.js'
import {MadeFolders} from '../../disk/made-folders.js'
import {removeTree} from '../../disk/remove-tree.js'
import {Crew} from '../../workers/crew.js'
import {requireReplaceable} from '../../model/replacing.js'
import {payloadArtifact, type PayloadFigures} from '../transport-layout/payload-artifact.js'
import {BegunPayloads} from './begun-payloads.js'
import {dependentsOf} from './dependents.js'
import {hasLeftovers, lockRepository, makeWorkFolder, restoreReplaced} from './lock.js'
import {listItemOf} from './open-package.js'
import type {PackagePlace, SealedPackage} from './package-place.js'
import {figuresOf} from './payload-figures.js'
import {findPin} from './pin-file.js'
import {flushFileSystem, flushFolder} from './flush.js'
import {foreseePackage} from './foresee-package.js'
import {HeldPackages, keyOf} from './held-packages.js'
import {identityClash, requireUnneeded} from './identity-clash.js'
import {findPackage, type Repository, type StoredPackage} from './repository.js'
import {keptFactsOf} from './kept-facts.js'
import {LayerProofs} from './layer-proofs.js'
import {isWhole} from './verify-packages.js'
import {draftBeside, identityTaken, standingOf} from './standing.js'
import {PlacedPackages, writeMarker, type NamedPackage} from './put-in-place.js'
import {supplemented} from './supplement.js'
import {renameWritten, writePackage, type WrittenPackage} from './write-package.js'

interface Told {
  /** Undefined of a stub, and of a payload without an index. */
  readonly figures: PayloadFigures | undefined
  readonly unchanged: boolean
  readonly bytesWritten: number
  /** Undefined when no layer tar is given back. */
  readonly proof: Promise<boolean> | undefined
}

/** What is there stays, or the draft is to be placed as it was written. */
type Settled = {readonly there: StoredPackage} | {readonly draft: PackageDraft; readonly written: WrittenPackage}

/** What stands in the place of a begun package. */
interface Pending extends SealedPackage, NamedPackage {
  readonly payload: WrittenPackage['payload']
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
  readonly #held: HeldPackages
  readonly #crew: Crew
  readonly #proofs: LayerProofs
  readonly #payloads: BegunPayloads
  #lock: FolderLock | undefined
  #work: string | undefined
  #made: MadeFolders | undefined
  #again = 0
  /** What `commit` has moved to its place. */
  #placed: PlacedPackages | undefined

  constructor(place: PackagePlace, repository: Repository, options: DestinationOptions) {
    this.#place = place
    if (place.holdsOne === true) this.holdsOne = true
    this.#repository = repository
    this.#replace = options.replace ?? false
    this.#crew = new Crew(options.concurrency)
    this.#proofs = new LayerProofs(this.#crew)
    this.#payloads = new BegunPayloads(this.#crew, {isForFile: place.keepsFiles === true})
    this.#held = new HeldPackages(() => this.#repository, this.#pending, options)
  }

  findPackage(identity: PackageIdentity): Promise<ListItem | undefined> {
    const stored = findPackage(this.#repository, identity)
    return Promise.resolve(stored === undefined ? undefined : listItemOf(this.#repository, stored))
  }

  findOsPackage(diffId: Digest, below: PackageIdentity | undefined): PackageIdentity | undefined {
    return this.#held.findOs(diffId, below)
  }

  foresee(draft: PackageDraft): ForeseenPackage {
    return foreseePackage(draft, this.#held, this.#repository)
  }

  async write(asked: PackageDraft, options: WorkOptions): Promise<PackageArtifact> {
    const known = this.#replace ? undefined : this.#held.findSame(this.#held.recorded(asked))
    if (known !== undefined) return this.#unchanged(asked, known, options)
    const work = await this.#begin(options)
    // Only now it is sure what is there.
    const draft = this.#held.recorded(asked)
    this.#requireRoom(draft.metadata.identity)
    const same = this.#held.findSame(draft)
    if (same !== undefined && (await this.#mayStay(same, draft, options))) return this.#unchanged(draft, same, options)
    const {written, folder} = await this.#whileHeld(() => this.#written(draft, work, options))
    const placed = await this.#settle(draft, written, options)
    if (!('there' in placed)) return this.#seal(placed, folder, options)
    removeTree(written.folder)
    return this.#unchanged(draft, placed.there, options)
  }

  async begin(asked: PackageDraft, options: WorkOptions): Promise<void> {
    const {lone} = asked
    if (lone === undefined || this.#payloads.has(lone) || this.#isThere(asked)) return
    const work = await this.#begin(options)
    // Only now it is sure what is there.
    if (!this.#isThere(asked)) this.#payloads.begin(asked, lone, this.#beside(work), options)
  }

  /** Something stands where the package is to be, or it is there under another name: that is looked at first. */
  #isThere(draft: PackageDraft): boolean {
    const {identity} = draft.metadata
    try {
      const isTaken = this.#pending.has(identityKey(identity)) || this.#held.existing(identity) !== undefined
      return isTaken || this.#held.findSame(draft) !== undefined
    } catch (error) {
      // `write` tells what is wrong, when it is its turn.
      if (error instanceof InputError) return true
      throw error
    }
  }

  settle(): Promise<void> {
    return this.#payloads.stop()
  }

  async #written(draft: PackageDraft, work: string, options: WorkOptions) {
    const begun = this.#payloads.take(draft)
    const folder = begun === undefined ? this.#folderFor(draft.metadata.identity, work) : path.dirname(begun.folder)
    const target = path.join(folder, formatFullName(draft.metadata.identity))
    const inner = {...options, lower: this.#held.lower(draft), isForFile: this.#place.keepsFiles === true}
    if (begun === undefined) return {folder, written: await this.#crew.here(() => writePackage(target, draft, inner))}
    // It was begun under the name that the draft had then.
    const lone = async () => {
      const payload = await begun.payload
      if (begun.folder !== target) renameSync(begun.folder, target)
      return payload
    }
    return {folder, written: await writePackage(target, draft, {...inner, lone})}
  }

  /** What becomes of a package that has been written: it is there already, or it is to be placed, maybe beside another. */
  async #settle(draft: PackageDraft, written: WrittenPackage, options: WorkOptions): Promise<Settled> {
    const {identity} = draft.metadata
    const begun = this.#pending.get(identityKey(identity))
    const there = begun?.stored ?? this.#held.existing(identity)
    if (there === undefined) return {draft, written}
    const standing = standingOf(draft, written, there)
    const fits = () => this.#neededBy(there, written.stored).length === 0
    if (standing === 'supplement' && (draft.mayBeRenamed !== true || fits()))
      return {draft, written: await supplemented(written, draft, there)}
    // An equal that may not stay is damaged, or says other things.
    if (standing === 'same')
      return begun !== undefined || (await this.#mayStay(there, draft, options)) ? {there} : {draft, written}
    if (draft.mayBeRenamed !== true) {
      if (begun !== undefined || !this.#replace) throw this.#clash(written, there)
      return {draft, written}
    }
    const mark = written.payload?.digest ?? draft.stubOf
    if (mark === undefined) throw this.#clash(written, there)
    const renamed = draftBeside(draft, mark)
    options.onEvent?.(identityTaken(identity, renamed.metadata.identity))
    return this.#settle(renamed, renameWritten(written, renamed), options)
  }

  async #seal(
    {draft, written}: {readonly draft: PackageDraft; readonly written: WrittenPackage},
    folder: string,
    options: WorkOptions,
  ): Promise<PackageArtifact> {
    const {identity} = draft.metadata
    const key = identityKey(identity)
    const begun = this.#pending.get(key)
    const existing = this.#held.existing(identity)
    const name = begun?.name ?? this.#place.nameOf(identity, existing)
    const displaced = begun === undefined ? (existing?.entryName ?? this.#occupant(name)) : begun.displaced
    const sealed = await this.#whileHeld(() => this.#place.seal(written, folder, options))
    if (begun !== undefined) {
      await this.#proofs.settle()
      begun.stored.close?.()
      removeTree(begun.path)
    }
    this.#pending.set(key, {...sealed, payload: written.payload, name, displaced})
    return this.#artifact(sealed.stored, draft, {
      figures: written.payload,
      unchanged: false,
      bytesWritten: sealed.bytesWritten,
      proof: this.#proofs.begin(sealed.stored, {...options, draft, isNew: true}),
    })
  }

  /** In the work folder, or beside a package that is written already in this work: several images may share one. */
  #folderFor(identity: PackageIdentity, work: string): string {
    const isTaken = existsSync(path.join(work, formatFullName(identity)))
    return this.#pending.has(identityKey(identity)) || isTaken ? this.#beside(work) : work
  }

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
  async #mayStay(existing: StoredPackage, draft: PackageDraft, options: WorkOptions): Promise<boolean> {
    if (!this.#replace || this.#held.isMet(existing)) return true
    const isOther = this.#held.isToSayOther(draft, existing)
    return !isOther && isWhole(this.#repository, existing, withoutEvents(options))
  }

  #requireRoom(identity: PackageIdentity): void {
    if (this.#place.holdsOne !== true || this.#pending.size === 0 || this.#pending.has(identityKey(identity))) return
    throw new UsageError('BAD_OPTION', {
      what: 'A file holds one package, and there is another to write.',
      why: `${formatFullName(identity)} would be the second package in it.`,
      suggestions: ['Name a folder. Each package then gets its own file there.'],
      at: {reference: this.#place.reference},
    })
  }

  /** Something else has the name that the package is to get. */
  #occupant(name: string): string | undefined {
    if (!existsSync(path.join(this.#place.root, name))) return undefined
    requireReplaceable(
      {
        what: `'${name}' already exists and is not this package.`,
        instead: ['Choose another name.'],
        at: {reference: this.#place.reference},
      },
      this.#replace,
    )
    return name
  }

  #unchanged(draft: PackageDraft, stored: StoredPackage, options: WorkOptions): PackageArtifact {
    // A stub asks for nothing; what is there need not be what it stands for.
    if (draft.layer !== undefined || draft.stubOf !== undefined) this.#held.meet(stored)
    const figures = figuresOf(stored)
    const key = this.#repository.referenceTo(stored.metadata.identity)
    const proof = this.#proofs.begin(stored, {...options, draft, key, isNew: false})
    return this.#artifact(stored, draft, {figures, unchanged: true, bytesWritten: 0, proof})
  }

  #artifact(stored: StoredPackage, draft: PackageDraft, told: Told): PackageArtifact {
    const {identity, dependencies} = stored.metadata
    const {figures, proof, ...rest} = told
    const pin = findPin(draft, stored.docker)
    const layers =
      figures === undefined
        ? []
        : [{...payloadArtifact(draft.layer?.diffId, figures), ...(pin === undefined ? {} : {pin})}]
    const all = {...rest, ...(proof === undefined ? {} : {proof}), identity, dependencies, layers}
    return {kind: 'package', reference: this.#repository.referenceTo(identity), ...all, keeps: keptFactsOf(stored)}
  }

  #clash(written: WrittenPackage, there: StoredPackage): InputError {
    return identityClash({
      written,
      there,
      isOwn: this.#pending.has(keyOf(there)),
      reference: this.#repository.referenceTo(there.metadata.identity),
      neededBy: this.#neededBy(there, written.stored),
    })
  }

  #all(): readonly StoredPackage[] {
    const {packages, clashing = []} = this.#repository
    return [...packages, ...clashing]
  }

  #neededBy(old: StoredPackage, next: StoredPackage): readonly string[] {
    return dependentsOf({old, next}, this.#all(), new Set(this.#pending.keys()))
  }

  /** What goes for something else that others do not fit is not given up; what this work replaces as well is no matter. */
  async #requireUnneeded(): Promise<void> {
    const neighbours = (await this.#place.neighbours?.()) ?? this.#all()
    const replaced = new Set(this.#pending.keys())
    for (const {displaced, stored: next} of this.#pending.values()) {
      const old = [...this.#repository.packages, ...neighbours].find(({entryName}) => entryName === displaced)
      if (old === undefined) continue
      const reference = this.#repository.referenceTo(old.metadata.identity)
      requireUnneeded(old, dependentsOf({old, next}, neighbours, replaced), reference)
    }
  }

  /** The work folder, made with the lock at the first write. */
  async #begin(options: WorkOptions): Promise<string> {
    if (this.#work !== undefined) return this.#work
    const {root, reference, exists} = this.#place
    try {
      if (!exists) this.#made = MadeFolders.make(root)
      this.#lock = await lockRepository(this.#place, options)
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
    await this.#proofs.settle()
    if (this.#work === undefined) {
      this.#repository.close()
      // All is there already; what a killed run left may be there as well.
      if (exists && hasLeftovers(this.#place)) await this.#cleanUp(options)
      return
    }
    await this.#requireUnneeded()
    await flushFileSystem(root)
    this.#closeFiles()
    try {
      this.#lock?.requireHeld()
      const placed = (this.#placed = new PlacedPackages(this.#place))
      for (const pending of this.#pending.values()) placed.put(pending, this.#work)
      placed.putMarker(this.#work)
      flushFolder(root)
    } catch (error) {
      throw asTransshipError(error, {reference})
    }
    this.#placed = undefined
    this.#made = undefined
    this.#end()
  }

  /** What is left of a writer that still works is its own; one that was killed had perhaps no marker written yet. */
  async #cleanUp(options: WorkOptions): Promise<void> {
    try {
      this.#lock = await lockRepository(this.#place, options)
      this.#work = makeWorkFolder(this.#place)
      writeMarker(this.#place, this.#work)
      this.#end()
    } catch (error) {
      if (!(error instanceof TransshipError) || error.code !== 'LOCKED') throw error
    }
  }

  async abort(): Promise<void> {
    const {root} = this.#place
    await this.#payloads.stop()
    await this.#proofs.stop()
    this.#closeFiles()
    this.#placed?.takeBack()
    if (this.#work !== undefined) restoreReplaced(root, this.#work)
    this.#end()
    this.#made?.remove()
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

import {randomBytes} from 'node:crypto'
import {existsSync, renameSync, rmSync} from 'node:fs'
import path from 'node:path'
import type {HeldBytes} from '../../codecs/compression/held-bytes.js'
import {asTransshipError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {formatFullName} from '../../model/package-identity.js'
import type {Reference} from '../../model/reference.js'
import type {
  DestinationOptions,
  ListItem,
  PackageArtifact,
  PackageDestination,
  PackageDraft,
} from '../../model/transport.js'
import {MadeFolders} from '../../disk/made-folders.js'
import {bareArtifact, requireNewFolder, writeBarePayload} from '../../formats/transport-layout/bare-payload.js'
import {writePieces} from '../../formats/transport-layout/carrier-output.js'
import {indexFileOf} from './layout-folder.js'
import {formatLayoutReference} from './reference.js'

/** Opens a new folder for one transport layout; one that exists is `DESTINATION_EXISTS` without `replace`. */
export function createLayout(reference: Reference, options: DestinationOptions): Promise<PackageDestination> {
  const target = path.resolve(reference.path)
  if (options.replace !== true) {
    const given = formatLayoutReference(reference)
    requireNewFolder(target, reference.path, given, 'Choose another folder, or give --replace.')
  }
  return Promise.resolve(new LayoutDestination(reference, target))
}

/** Holds one layer: what a package's metadata says has no place in a bare layout. */
class LayoutDestination implements PackageDestination {
  readonly holds = 'packages'
  readonly dropsMetadata = true
  readonly #reference: Reference
  readonly #target: string
  #work: string | undefined
  #made: MadeFolders | undefined
  #index: HeldBytes | undefined

  constructor(reference: Reference, target: string) {
    this.#reference = reference
    this.#target = target
  }

  findPackage(): Promise<ListItem | undefined> {
    return Promise.resolve(undefined)
  }

  async write(draft: PackageDraft, options: WorkOptions): Promise<PackageArtifact> {
    const place = {reference: formatLayoutReference(this.#reference), kind: 'A bare transport layout'} as const
    const {layer} = draft
    // A stub stands for what lies elsewhere; of a layout, that are its parents.
    if (layer === undefined) return bareArtifact(draft, place)
    if (this.#work !== undefined) throw this.#secondLayer(formatFullName(draft.metadata.identity))
    const work = `${this.#target}.tmp-${randomBytes(6).toString('hex')}`
    try {
      this.#made = MadeFolders.make(work)
      this.#work = work
    } catch (error) {
      throw asTransshipError(error, {reference: place.reference})
    }
    const written = await writeBarePayload(work, {draft, layer, title: this.#reference.path}, place, options)
    this.#index = written.index
    return written.artifact
  }

  #secondLayer(title: string): UsageError {
    return new UsageError('BAD_OPTION', {
      what: 'A transport layout holds one layer, and the source has more.',
      why: `${title} would be the second.`,
      suggestions: [
        'Give --without-base --layers squash for the application on top of the OS.',
        'Give --os-layers 0 --layers squash for everything in one.',
      ],
    })
  }

  commit(): Promise<void> {
    if (this.#work === undefined || this.#index === undefined) return Promise.resolve()
    try {
      this.#replace(this.#work, this.#index)
    } catch (error) {
      throw asTransshipError(error, {reference: formatLayoutReference(this.#reference)})
    }
    this.#work = undefined
    this.#made = undefined
    return Promise.resolve()
  }

  /** Puts the new layout and its index in their places; if either fails, the old ones are back. */
  #replace(work: string, bytes: HeldBytes): void {
    const index = indexFileOf(this.#target)
    const begun = `${index}.tmp-${randomBytes(6).toString('hex')}`
    const old = `${work}.old`
    const hasOld = existsSync(this.#target)
    let isPlaced = false
    try {
      writePieces(begun, bytes.pieces())
      if (hasOld) renameSync(this.#target, old)
      renameSync(work, this.#target)
      isPlaced = true
      renameSync(begun, index)
    } catch (error) {
      rmSync(begun, {force: true})
      if (isPlaced) renameSync(this.#target, work)
      if (hasOld && existsSync(old)) renameSync(old, this.#target)
      throw error
    }
    rmSync(old, {recursive: true, force: true})
  }

  abort(): Promise<void> {
    if (this.#work !== undefined) rmSync(this.#work, {recursive: true, force: true})
    this.#made?.remove()
    this.#work = undefined
    return Promise.resolve()
  }
}

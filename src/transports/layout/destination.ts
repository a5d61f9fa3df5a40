import {existsSync, mkdirSync, readdirSync, renameSync} from 'node:fs'
import path from 'node:path'
import type {HeldBytes} from '../../codecs/compression/held-bytes.js'
import type {Digest} from '../../model/digest.js'
import {asTransshipError, UsageError} from '../../model/errors.js'
import {withoutEvents, type WorkOptions} from '../../model/events.js'
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
import {requireReplaceable, type Occupant} from '../../model/replacing.js'
import {hasLeftoversBeside, keepFresh, NEXT, removeLeftovers, REPLACED, settleWork} from '../../disk/own-leftovers.js'
import {removeTree} from '../../disk/remove-tree.js'
import {workPathBeside} from '../../disk/work-name.js'
import {bareArtifact, writeBarePayload} from '../../formats/transport-layout/bare-payload.js'
import {writePieces} from '../../formats/transport-layout/carrier-output.js'
import {verifyIndex} from '../../formats/transport-layout/verify-layout.js'
import {digestOfIndex, findLayoutFolder, indexFileOf, openLayoutFolder, readIndexOf} from './layout-folder.js'
import {formatLayoutReference} from './reference.js'

/**
 * Opens a folder for one transport layout. One that exists is `DESTINATION_EXISTS`, unless it is a layout of just the same
 * payload, or a layout that may be replaced; what is no layout is never replaced by one.
 */
export function createLayout(reference: Reference, options: DestinationOptions): Promise<PackageDestination> {
  const target = path.resolve(reference.path)
  const replace = options.replace ?? false
  // Without the index that is written beside each, it cannot be equal; where a writer was killed, it may just be missing.
  const isOther = existsSync(target) && digestOfIndex(target) === undefined && !hasLeftoversBeside(target)
  if (isOther) requireReplaceable(occupantOf(reference), replace)
  return Promise.resolve(new LayoutDestination(reference, target, replace))
}

function occupantOf(reference: Reference): Occupant {
  const isLayout = findLayoutFolder(reference.path) !== undefined || isEmptyFolder(reference.path)
  return {
    what: `'${reference.path}' already exists${isLayout ? ' and differs' : ', and is not a transport layout'}.`,
    instead: ['Choose another folder.'],
    isReplaceable: isLayout,
    at: {reference: formatLayoutReference(reference)},
  }
}

/** Nothing is lost with it. A file, or what cannot be listed, is none: nobody knows what would be. */
function isEmptyFolder(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch {
    return false
  }
}

/** Holds one layer: what a package's metadata says has no place in a bare layout. */
class LayoutDestination implements PackageDestination {
  readonly holds = 'packages'
  readonly dropsMetadata = true
  readonly #reference: Reference
  readonly #target: string
  readonly #mayReplace: boolean
  #work: string | undefined
  #made: MadeFolders | undefined
  #index: HeldBytes | undefined
  #isUnchanged = false
  #stopTouching: (() => void) | undefined

  constructor(reference: Reference, target: string, replace: boolean) {
    this.#reference = reference
    this.#target = target
    this.#mayReplace = replace
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
    removeLeftovers(this.#target, options)
    const work = workPathBeside(this.#target)
    const layout = path.join(work, NEXT, path.basename(this.#target))
    try {
      this.#made = MadeFolders.make(layout)
      this.#work = work
      this.#stopTouching = keepFresh(work)
    } catch (error) {
      throw asTransshipError(error, {reference: place.reference})
    }
    const written = await writeBarePayload(layout, {draft, layer, title: this.#reference.path}, place, options)
    this.#index = written.index
    const {artifact} = written
    if (!existsSync(this.#target)) return artifact
    if (await this.#isThere(written.digest, options)) {
      this.#isUnchanged = true
      return {...artifact, unchanged: true, bytesWritten: 0}
    }
    requireReplaceable(occupantOf(this.#reference), this.#mayReplace)
    return artifact
  }

  /** True when the folder holds just that payload, file by file, and nothing beside it. */
  async #isThere(digest: Digest, work: WorkOptions): Promise<boolean> {
    const found = digestOfIndex(this.#target) === digest ? findLayoutFolder(this.#target) : undefined
    const index = found === undefined ? undefined : readIndexOf(this.#target)
    if (found === undefined || index === undefined) return false
    const options = withoutEvents(work)
    const layout = openLayoutFolder(found, index, options)
    try {
      return layout.scanned.strays.length === 0 && (await verifyIndex(layout, index, options)).faults.length === 0
    } finally {
      layout.close()
    }
  }

  #secondLayer(title: string): UsageError {
    return new UsageError('BAD_OPTION', {
      what: 'A transport layout stores one layer, but the source has more.',
      why: `${title} would be the second package in it.`,
      suggestions: [
        'Pass --without-base --layers squash for only the application on top of the OS.',
        'Pass --os-layers 0 --layers squash for everything in one layer.',
      ],
    })
  }

  commit(): Promise<void> {
    if (this.#work === undefined || this.#index === undefined) return Promise.resolve()
    if (this.#isUnchanged) return this.abort()
    try {
      this.#replace(this.#work, this.#index)
    } catch (error) {
      throw asTransshipError(error, {reference: formatLayoutReference(this.#reference)})
    }
    this.#made = undefined
    return this.abort()
  }

  /**
   * Puts the new layout and its index in their places; if either fails, the old ones are back. A process that is killed
   * in between leaves the work folder, by which `settleWork` does either later.
   */
  #replace(work: string, bytes: HeldBytes): void {
    const index = indexFileOf(this.#target)
    const next = (place: string) => path.join(work, NEXT, path.basename(place))
    let isPlaced = false
    try {
      writePieces(next(index), bytes.pieces())
      mkdirSync(path.join(work, REPLACED))
      for (const place of [this.#target, index]) {
        if (existsSync(place)) renameSync(place, path.join(work, REPLACED, path.basename(place)))
      }
      renameSync(next(this.#target), this.#target)
      isPlaced = true
      renameSync(next(index), index)
    } catch (error) {
      if (isPlaced) renameSync(this.#target, next(this.#target))
      settleWork(path.dirname(this.#target), work)
      throw error
    }
  }

  abort(): Promise<void> {
    this.#stopTouching?.()
    if (this.#work !== undefined) removeTree(this.#work)
    this.#made?.remove()
    this.#work = undefined
    return Promise.resolve()
  }
}

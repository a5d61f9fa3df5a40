import {existsSync, mkdirSync, renameSync} from 'node:fs'
import path from 'node:path'
import type {HeldBytes} from '../../codecs/compression/held-bytes.js'
import {asTransshipError, InputError, UsageError} from '../../model/errors.js'
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
import {keepFresh, NEXT, removeLeftovers, REPLACED, settleWork} from '../../disk/own-leftovers.js'
import {removeTree} from '../../disk/remove-tree.js'
import {workPathBeside} from '../../disk/work-name.js'
import {writePieces} from '../../formats/transport-layout/carrier-output.js'
import {payloadArtifact} from '../../formats/transport-layout/payload-artifact.js'
import {writeLayout} from '../../formats/transport-layout/write-layout.js'
import {indexFileOf} from './layout-folder.js'
import {formatLayoutReference} from './reference.js'

/** Opens a new folder for one transport layout; one that exists is `DESTINATION_EXISTS` without `replace`. */
export function createLayout(reference: Reference, options: DestinationOptions): Promise<PackageDestination> {
  const target = path.resolve(reference.path)
  if (existsSync(target) && options.replace !== true) {
    throw new InputError('DESTINATION_EXISTS', {
      what: `'${reference.path}' exists already.`,
      suggestions: ['Choose another folder, or give --replace.'],
      at: {reference: formatLayoutReference(reference)},
    })
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
  #stopTouching: (() => void) | undefined

  constructor(reference: Reference, target: string) {
    this.#reference = reference
    this.#target = target
  }

  findPackage(): Promise<ListItem | undefined> {
    return Promise.resolve(undefined)
  }

  async write(draft: PackageDraft, options: WorkOptions): Promise<PackageArtifact> {
    const {identity, dependencies} = draft.metadata
    const artifact = {
      kind: 'package',
      reference: formatLayoutReference(this.#reference),
      identity,
      dependencies,
      unchanged: false,
    } as const
    // A stub stands for what lies elsewhere; of a layout, that are its parents.
    if (draft.layer === undefined) return {...artifact, layers: [], bytesWritten: 0}
    if (this.#work !== undefined) throw this.#secondLayer(formatFullName(identity))
    removeLeftovers(this.#target, options)
    const work = workPathBeside(this.#target)
    const layout = path.join(work, NEXT, path.basename(this.#target))
    try {
      this.#made = MadeFolders.make(layout)
      this.#work = work
      this.#stopTouching = keepFresh(work)
    } catch (error) {
      throw asTransshipError(error, {reference: formatLayoutReference(this.#reference)})
    }
    options.onEvent?.({
      kind: 'loss',
      code: 'metadata-not-kept',
      message: 'A bare transport layout holds a payload only; metadata and configuration are left out.',
      subject: formatFullName(identity),
    })
    const written = await writeLayout(layout, draft.layer.entries(options), {
      ...options,
      title: this.#reference.path,
      form: draft.form,
      keepsRecipe: false,
    })
    this.#index = written.index
    const {digest, payloadBytes: bytes, entries} = written
    return {
      ...artifact,
      layers: [payloadArtifact(draft.layer.diffId, {digest, bytes, entries})],
      bytesWritten: bytes,
    }
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

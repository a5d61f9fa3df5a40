import {randomBytes} from 'node:crypto'
import {existsSync, renameSync, rmSync} from 'node:fs'
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
      what: `'${reference.path}' already exists.`,
      suggestions: ['Choose another folder, or pass --replace.'],
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
    const work = `${this.#target}.tmp-${randomBytes(6).toString('hex')}`
    try {
      this.#made = MadeFolders.make(work)
      this.#work = work
    } catch (error) {
      throw asTransshipError(error, {reference: formatLayoutReference(this.#reference)})
    }
    options.onEvent?.({
      kind: 'loss',
      code: 'metadata-not-kept',
      message: 'A bare transport layout stores only the payload. Metadata and configuration were left out.',
      subject: formatFullName(identity),
    })
    const written = await writeLayout(work, draft.layer.entries(options), {
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
      what: 'A transport layout stores one layer, but the source has more.',
      why: `${title} would be the second.`,
      suggestions: [
        'Pass --without-base --layers squash for only the application on top of the OS.',
        'Pass --os-layers 0 --layers squash for everything in one layer.',
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

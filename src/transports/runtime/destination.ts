import {existsSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import path from 'node:path'
import {asTransshipError, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {formatFullName} from '../../model/package-identity.js'
import type {Reference} from '../../model/reference.js'
import {destroyRuntimeLayer, importRuntimeLayer} from '../../runtime/storage/runtime-layers.js'
import {occupied} from '../../model/replacing.js'
import {removeLeftovers} from '../../disk/own-leftovers.js'
import {removeTree} from '../../disk/remove-tree.js'
import {workPathBeside} from '../../disk/work-name.js'
import {writeBarePayload} from '../../formats/transport-layout/bare-payload.js'
import type {
  DestinationOptions,
  ListItem,
  PackageArtifact,
  PackageDestination,
  PackageDraft,
} from '../../model/transport.js'
import {formatRuntimeReference} from './reference.js'
import {requireRuntime} from './source.js'

/** Opens a runtime layer that is yet to be made. Throws `DESTINATION_EXISTS`: Windows makes the folder itself. */
export function createRuntime(reference: Reference, _options: DestinationOptions): Promise<PackageDestination> {
  requireRuntime(reference)
  const target = path.resolve(reference.path)
  if (existsSync(target)) {
    throw occupied({
      what: `'${reference.path}' already exists.`,
      instead: ['Choose a new folder. Windows creates the layer itself.'],
      isReplaceable: false,
      at: {reference: formatRuntimeReference(reference)},
    })
  }
  return Promise.resolve(new RuntimeDestination(reference, target))
}

/** The last layer written becomes the one that was named; those below it lie beside, as `NAME.parent-1`, nearest first. */
class RuntimeDestination implements PackageDestination {
  readonly holds = 'packages'
  readonly dropsMetadata = true
  readonly #reference: Reference
  readonly #target: string
  readonly #layouts: string[] = []
  readonly #imported: string[] = []
  #work: string | undefined

  constructor(reference: Reference, target: string) {
    this.#reference = reference
    this.#target = target
  }

  findPackage(): Promise<ListItem | undefined> {
    return Promise.resolve(undefined)
  }

  async write(draft: PackageDraft, options: WorkOptions): Promise<PackageArtifact> {
    const title = formatFullName(draft.metadata.identity)
    const place = {reference: formatRuntimeReference(this.#reference), kind: 'A runtime layer'} as const
    const {layer} = draft
    if (layer === undefined) {
      throw new InputError('DEPENDENCY_MISSING', {
        what: `A runtime layer needs its parents, but the content of ${title} is missing.`,
        suggestions: ['Pass it with --base REFERENCE.'],
        at: {reference: place.reference},
      })
    }
    const folder = path.join(await this.#workFolder(), String(this.#layouts.length))
    await mkdir(folder)
    const {artifact} = await writeBarePayload(folder, {draft, layer, title}, place, options)
    this.#layouts.push(folder)
    return artifact
  }

  async commit(options: WorkOptions): Promise<void> {
    const above = this.#layouts.length - 1
    for (const [index, layout] of this.#layouts.entries()) {
      const layer = index === above ? this.#target : `${this.#target}.parent-${above - index}`
      await importRuntimeLayer(layout, layer, {parents: [...this.#imported].reverse(), ...options})
      this.#imported.push(layer)
    }
    await this.#clean()
  }

  async abort(): Promise<void> {
    for (const layer of this.#imported.splice(0).reverse()) await destroyRuntimeLayer(layer)
    await this.#clean()
  }

  /** Beside the layer: what was written there has room there. */
  async #workFolder(): Promise<string> {
    try {
      await mkdir(path.dirname(this.#target), {recursive: true})
      if (this.#work !== undefined) return this.#work
      removeLeftovers(this.#target)
      const work = workPathBeside(this.#target)
      await mkdir(work)
      this.#work = work
      return work
    } catch (error) {
      throw asTransshipError(error, {reference: formatRuntimeReference(this.#reference)})
    }
  }

  #clean(): Promise<void> {
    if (this.#work !== undefined) removeTree(this.#work)
    this.#work = undefined
    return Promise.resolve()
  }
}

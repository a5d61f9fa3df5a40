import {createHash} from 'node:crypto'
import {closeSync, mkdirSync, openSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {RecipeEncoder} from '../../codecs/recipe/recipe-file.js'
import {recordingRecipe} from '../../codecs/recipe/record-recipe.js'
import type {Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import type {FileEntry, LayerEntry} from '../../model/layer-entry.js'
import type {LayerPath} from '../../model/layer-path.js'
import {formatFullName} from '../../model/package-identity.js'
import type {PackageDraft} from '../../model/transport.js'
import {LayoutLookup} from '../transport-layout/layout-lookup.js'
import {writePieces} from '../transport-layout/carrier-output.js'
import {writeLayout} from '../transport-layout/write-layout.js'
import type {PayloadFacts} from './metadata.js'
import {INDEX_NAME, openLayout, readIndex} from './package-entries.js'
import {PinWriter} from './pin-file.js'
import type {StoredPackage} from './repository.js'
import type {DockerLayerJson} from './schema.js'

export interface PayloadPartsOptions extends WorkOptions {
  /** The packages below, nearest first: hard links may lead to their files. */
  readonly lower: readonly StoredPackage[]
  /** The folder only comes before a file that is made of it. */
  readonly isForFile?: boolean
}

/** What a package holds of its layer. */
export interface PayloadParts {
  readonly payload: PayloadFacts
  /** What the metadata say of the layer's tar; undefined where no recipe is kept. */
  readonly layer?: DockerLayerJson
}

export type PayloadDraft = Pick<PackageDraft, 'metadata' | 'form' | 'keepRecipe' | 'pins' | 'tap'> & {
  readonly layer: Layer
}

const RECIPE = 'docker/recipe-0.gz'

/** Writes the payload of a package into its folder, with its index, its recipe and the forms that are kept of its layer. */
export async function writePayloadParts(
  folder: string,
  draft: PayloadDraft,
  options: PayloadPartsOptions,
): Promise<PayloadParts> {
  const {keepRecipe, layer} = draft
  const pinWriter = new PinWriter(folder, draft)
  try {
    const recipe = keepRecipe && layer.diffId !== undefined ? new RecipeFile(folder, layer.diffId) : undefined
    const payload = await writePayload(folder, draft, recipe, options)
    const pins = await pinWriter.finish(options)
    if (recipe === undefined) return {payload}
    return {payload, layer: {...recipe.layer, ...(pins.length === 0 ? {} : {Pins: pins})}}
  } finally {
    pinWriter.close()
  }
}

async function writePayload(
  folder: string,
  draft: PayloadDraft,
  recipe: RecipeFile | undefined,
  options: PayloadPartsOptions,
): Promise<PayloadFacts> {
  const lower = new LowerPayloads(options.lower)
  const entries = draft.layer.entries(options)
  const title = formatFullName(draft.metadata.identity)
  let count = 0
  const counted = async function* (): AsyncGenerator<LayerEntry> {
    for await (const entry of recipe === undefined
      ? entries
      : recordingRecipe(entries, (record) => {
          recipe.add(record)
        })) {
      count++
      yield entry
    }
  }
  try {
    const written = await writeLayout(folder, counted(), {
      ...options,
      title,
      form: draft.form,
      keepsRecipe: recipe !== undefined,
      unkeptTimes: options.isForFile === true ? 'ignored' : 'note',
      readLower: (target) => lower.find(target),
    })
    writePieces(path.join(folder, INDEX_NAME), written.index.pieces())
    recipe?.finish(count)
    return {form: draft.form, entries: written.entries, bytes: written.payloadBytes, digest: written.digest}
  } finally {
    recipe?.close()
    lower.close()
  }
}

/** Payloads of the packages below, listed when a hard link first needs them. */
class LowerPayloads {
  readonly #packages: readonly StoredPackage[]
  #lookups: LayoutLookup[] | undefined

  constructor(packages: readonly StoredPackage[]) {
    this.#packages = packages
  }

  /** The file as the nearest package has it; undefined when one deletes it or none holds it. */
  find(target: LayerPath): FileEntry | undefined {
    this.#lookups ??= this.#packages
      .filter(({payload}) => payload.Kind !== 'none')
      .map((stored) => new LayoutLookup(openLayout(stored, readIndex(stored), {})))
    for (const lookup of this.#lookups) {
      if (lookup.isDeleted(target)) return undefined
      const entry = lookup.find(target)
      if (entry !== undefined) return entry.kind === 'file' ? entry : undefined
    }
    return undefined
  }

  close(): void {
    for (const lookup of this.#lookups ?? []) lookup.close()
  }
}

/** The recipe of a package, written while its entries pass. */
class RecipeFile {
  readonly #encoder = new RecipeEncoder()
  readonly #hash = createHash('sha256')
  readonly #diffId: Digest
  #fd: number | undefined
  #digest: Digest | undefined

  constructor(folder: string, diffId: Digest) {
    mkdirSync(path.join(folder, 'docker'), {recursive: true})
    this.#fd = openSync(path.join(folder, RECIPE), 'wx')
    this.#diffId = diffId
  }

  add(record: Parameters<RecipeEncoder['add']>[0]): void {
    const bytes = this.#encoder.add(record)
    if (bytes !== undefined) this.#put(bytes)
  }

  #put(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    writeFileSync(this.#fd ?? -1, bytes)
  }

  finish(entries: number): void {
    this.add({kind: 'end', diffId: this.#diffId, entries})
    this.#put(this.#encoder.flush())
    this.#digest = `sha256:${this.#hash.digest('hex')}` as Digest
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  get layer() {
    return {DiffID: this.#diffId, Recipe: RECIPE, ...(this.#digest === undefined ? {} : {RecipeDigest: this.#digest})}
  }
}

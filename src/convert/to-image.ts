import {findDigest, type Digest} from '../model/digest.js'
import {InputError} from '../model/errors.js'
import {ImageNames, isWholeImage} from '../model/image-names.js'
import type {Note} from '../model/events.js'
import type {Image, Layer, LayerForm, RawDocument} from '../model/image.js'
import {formatFullName, type PackageIdentity} from '../model/package-identity.js'
import {dependencyError} from '../formats/package/dependency-error.js'
import {findDockerName} from '../formats/image-documents/image-name.js'
import type {ImageDraft} from '../model/transport.js'
import {packageTimeOfSeconds} from './created-time.js'
import {LAYER_CHANGED} from './exactness.js'
import {followingNames} from './follow-names.js'
import {referenceOfIdentity} from './identity-mapping.js'
import {
  layerHistory,
  makeImageConfig,
  OWN_HISTORY,
  parseImageConfig,
  rewriteImageConfig,
  type HistoryItem,
  type ImageConfig,
} from './image-config.js'
import type {ConvertOptions} from './options.js'
import {findOsLayers, type OsLayers} from './os-layers.js'
import {groupsOf, requireRange} from './layer-range.js'
import {formatPackageLabel, lostInLabel, PACKAGE_LABEL, type LabelledPackage} from './package-label.js'
import type {LayerMode} from './plan.js'
import {squashLayers} from './squash.js'

export interface ImagePlan {
  readonly mode: LayerMode
  readonly draft: ImageDraft
  /** Source layer indices for each layer of the draft. */
  readonly layers: readonly (readonly number[])[]
  readonly osLayers?: OsLayers
  /** Why converting back will not give the same bytes; complete once the draft has been written. */
  readonly inexact: readonly Note[]
}

/** Plans how packages, a transport layout or an image become an image. Layers are read only to find the OS part of a squash. */
export async function planImage(image: Image, options: ConvertOptions): Promise<ImagePlan> {
  const config = image.config === undefined ? undefined : parseImageConfig(image.config)
  if (options.squashRange !== undefined) requireRange(image, options.squashRange)
  const isSquash = options.layers === 'squash' && image.layers.length > 1
  const osLayers = isSquash ? await findSquashBase(image, config, options) : undefined
  return new ImagePlanner(image, config, options, osLayers).plan()
}

/** Squash keeps the OS layers apart unless `--os-layers 0` folds them in. */
async function findSquashBase(
  image: Image,
  config: ImageConfig | undefined,
  options: ConvertOptions,
): Promise<OsLayers> {
  const packages = image.layers.filter((layer) => layer.package?.isOsImage === true).length
  if (packages > 0 && options.osLayers === undefined) return {count: packages, evidence: ['OS packages of the source']}
  return findOsLayers(image, config, options.osLayers, options)
}

class ImagePlanner {
  readonly #image: Image
  readonly #options: ConvertOptions
  readonly #config: ImageConfig | undefined
  readonly #inexact: Note[] = []
  readonly #layers: readonly Layer[]
  readonly #groups: readonly (readonly number[])[]
  readonly #mode: LayerMode
  readonly #names: ImageNames

  readonly #osLayers: OsLayers | undefined

  /** `osLayers` is given when the layers above it are to be squashed. */
  constructor(image: Image, config: ImageConfig | undefined, options: ConvertOptions, osLayers: OsLayers | undefined) {
    this.#image = image
    this.#options = options
    this.#config = config
    this.#osLayers = osLayers
    this.#names = new ImageNames(image.layers, {isWhole: isWholeImage(image)})
    const hasPackages = image.layers.some((layer) => layer.package !== undefined)
    this.#mode = osLayers !== undefined ? 'squash' : hasPackages ? 'chain' : 'copy'
    this.#groups = this.#group()
    this.#layers = this.#groups.map((group) => this.#layer(group))
  }

  plan(): ImagePlan {
    return {
      mode: this.#mode,
      layers: this.#groups,
      ...(this.#osLayers === undefined ? {} : {osLayers: this.#osLayers}),
      inexact: this.#inexact,
      draft: {
        names: this.#imageNames(),
        platform: this.#image.platform,
        layers: this.#layers,
        config: (diffIds) => this.#finishConfig(diffIds),
        ...(this.#image.manifest === undefined ? {} : {manifest: this.#image.manifest}),
      },
    }
  }

  #group(): readonly (readonly number[])[] {
    const indices = this.#image.layers.map((_, index) => index)
    const {squashRange} = this.#options
    if (squashRange !== undefined && this.#osLayers !== undefined) return groupsOf(indices, squashRange)
    const kept = this.#osLayers?.count ?? indices.length
    const upper = indices.slice(kept)
    return [...indices.slice(0, kept).map((index) => [index]), ...(upper.length === 0 ? [] : [upper])]
  }

  #layer(group: readonly number[]): Layer {
    const [first = 0] = group
    const layer = this.#image.layers[first]
    if (layer === undefined) throw new InputError('LAYER_MISSING', {what: `Layer ${first} does not exist.`})
    if (group.length === 1) return followingNames(this.#requireContent(layer), first, this.#names)
    const title = `layers ${first} to ${group.at(-1) ?? first}`
    this.#inexact.push({code: 'squashed', message: `${group.length} layers were squashed into one.`, subject: title})
    const isWhole = this.#isBase()
    return squashLayers(this.#image.layers, {
      from: first,
      to: group.at(-1) ?? first,
      title,
      standsAlone: first === 0 && isWhole,
      isWhole,
      names: this.#names,
    })
  }

  /** Layer 0 is an operating system, or the user says so; changes to one that is elsewhere keep their deletions. */
  #isBase(): boolean {
    if (this.#image.namedBase !== undefined) return false
    return this.#options.osLayers === 0 || (this.#osLayers?.count ?? 0) > 0 || this.#image.layers[0]?.form === 'base'
  }

  /** A package stub has no bits; a foreign layer of an image may stay a reference. */
  #requireContent(layer: Layer): Layer {
    if (layer.hasContent || layer.blob !== undefined) return layer
    const identity = layer.package?.identity
    const why = layer.absence ?? 'The source names it, but its content is stored elsewhere.'
    if (identity !== undefined)
      throw dependencyError(formatFullName(identity), {isMismatch: layer.isMismatch === true, why})
    throw new InputError('LAYER_MISSING', {
      what: `The source does not contain the content of ${layer.title}.`,
      why,
      suggestions: ['Pass --base REFERENCE with the package or image that contains it.'],
      at: {path: layer.title},
    })
  }

  /** `--tag`; else the names the source keeps; else the top package's identity by the mapping. */
  #imageNames(): readonly string[] {
    const {tags} = this.#options
    if (tags !== undefined && tags.length > 0) return tags
    const identity = this.#topIdentity()
    if (identity === undefined || this.#image.config !== undefined) return this.#namesStillTrue()
    return [referenceOfIdentity(identity)]
  }

  /** A digest in a name pins what the image was: of a squashed one it would be false. */
  #namesStillTrue(): readonly string[] {
    const {names} = this.#image
    if (this.#mode !== 'squash') return names
    return names.filter((name) => {
      const isPinned = findDockerName(name)?.digest !== undefined
      const message = 'The name contains the digest of the unsquashed image, so it was dropped.'
      if (isPinned) this.#options.onEvent?.({kind: 'note', code: 'name-left-out', message, subject: name})
      return !isPinned
    })
  }

  #topIdentity(): PackageIdentity | undefined {
    return this.#image.layers.at(-1)?.package?.identity
  }

  /** The kept configuration byte for byte when the layers came out as it says; else one that fits what came out. */
  #finishConfig(diffIds: readonly Digest[]): RawDocument {
    const {config} = this.#image
    const wanted = this.#config?.rootfs?.diff_ids ?? []
    if (
      config !== undefined &&
      wanted.length === diffIds.length &&
      wanted.every((id, index) => id === diffIds[index])
    ) {
      return config
    }
    const facts = {labels: this.#labels(diffIds), diffIds, history: this.#history(diffIds.length)}
    if (config === undefined) {
      return makeImageConfig({...facts, platform: this.#image.platform, created: this.#created()})
    }
    if (this.#mode !== 'squash') this.#noteChanged(wanted, diffIds)
    return rewriteImageConfig(config, facts)
  }

  #noteChanged(wanted: readonly string[], diffIds: readonly Digest[]): void {
    if (diffIds.length < wanted.length) {
      const message = `The image had ${wanted.length} layers and now has ${diffIds.length}: its packages hold them squashed.`
      this.#inexact.push({code: 'squashed', message, subject: this.#layers.at(-1)?.title ?? 'the image'})
      return
    }
    for (const [index, diffId] of diffIds.entries()) {
      if (wanted[index] === diffId) continue
      const expected = findDigest(wanted[index] ?? '')
      this.#inexact.push({
        code: LAYER_CHANGED,
        message:
          expected === undefined
            ? 'The stored configuration does not list this layer, so it is new.'
            : `The layer was ${expected} and is now ${diffId}.`,
        subject: this.#layers[index]?.title ?? `layer ${index}`,
      })
    }
  }

  #labels(diffIds: readonly Digest[]): Record<string, string> {
    if (this.#options.keepRecipe === false) {
      this.#inexact.push({code: 'no-recipe', message: 'No recipe is kept.', subject: 'all layers'})
      return {}
    }
    const packages: LabelledPackage[] = []
    for (const [index, layer] of this.#layers.entries()) {
      const diffId = diffIds[index]
      if (layer.package === undefined || diffId === undefined) continue
      const form: LayerForm = layer.form ?? (layer.package.dependencies.length === 0 ? 'base' : 'delta')
      packages.push({metadata: layer.package, form, diffId})
    }
    if (packages.length === 0) return {}
    const label = formatPackageLabel(packages)
    for (const identity of lostInLabel(label, packages)) {
      const message =
        'The label of the image cannot hold all that this package says of itself, so converting back gives another package.'
      this.#inexact.push({code: 'package-not-labelled', message, subject: formatFullName(identity)})
    }
    return {[PACKAGE_LABEL]: label}
  }

  /** One item per layer: the source's own where they still fit, else what the layer is. */
  #history(count: number): readonly HistoryItem[] {
    const kept = this.#config === undefined ? undefined : layerHistory(this.#config, this.#image.layers.length)
    if (kept !== undefined && count === this.#image.layers.length && this.#config?.history !== undefined) {
      return this.#config.history
    }
    return this.#groups.map((group, index) => {
      const [first = 0] = group
      const item = group.length === 1 ? kept?.[first] : undefined
      return item ?? {created: this.#created(), created_by: OWN_HISTORY, comment: this.#layers[index]?.title ?? ''}
    })
  }

  #created(): string {
    const {sourceDateEpoch} = this.#options
    if (sourceDateEpoch !== undefined) return packageTimeOfSeconds(sourceDateEpoch)
    return this.#config?.created ?? this.#image.layers.at(-1)?.package?.createdTime ?? packageTimeOfSeconds(0)
  }
}

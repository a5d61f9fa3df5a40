import {chainIdOf, digestHex, digestOf, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor} from '../../model/image.js'
import type {TaggedName} from '../../formats/image-documents/image-name.js'
import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../../codecs/json/json-document.js'
import {descriptorOfLayer} from '../../formats/image-documents/written-manifest.js'
import type {ArchiveForm, ArchiveTar, WrittenImage, WrittenLayer} from '../../formats/image-archive/archive-form.js'

interface ConfigHistory {
  readonly created?: string
  readonly author?: string
  readonly created_by?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** A configuration whose every key is carried over into the top layer's `json`. */
interface WholeConfig extends Readonly<Record<string, unknown>> {
  readonly history?: readonly ConfigHistory[] | null
}

const validateConfig = compileSchema<WholeConfig>({
  type: 'object',
  properties: {
    history: {
      type: 'array',
      nullable: true,
      items: {
        type: 'object',
        properties: {
          created: {type: 'string'},
          author: {type: 'string'},
          created_by: {type: 'string'},
          comment: {type: 'string'},
          empty_layer: {type: 'boolean'},
        },
      },
    },
  },
})

interface ListedImage {
  readonly names: readonly TaggedName[]
  readonly config: string
  readonly layers: readonly string[]
  readonly sources: readonly (readonly [Digest, Descriptor])[]
  readonly topId: string | undefined
}

/**
 * What Docker 1.10 to 24 saved (`docker`): a folder for each layer, a configuration, manifest.json and, for what is
 * older still, `repositories`. Without configuration and manifest.json it is the first form (`v1`), of Docker before
 * 1.10. Source: moby 20.10 image/tarexport/save.go; docker-image-spec v1.md.
 */
export class ClassicForm implements ArchiveForm {
  readonly takesCompressed = false
  readonly hasIndex = false
  readonly #form: 'v1' | 'docker'
  /** Folders that are in the archive. */
  readonly #folders = new Set<string>()
  /** Folder that holds the tar of a diffID. */
  readonly #tars = new Map<Digest, string>()
  readonly #configs = new Set<string>()
  readonly #images: ListedImage[] = []

  constructor(form: 'v1' | 'docker') {
    this.#form = form
  }

  async begin(): Promise<void> {
    // Every member belongs to an image here.
  }

  async addImage(
    file: ArchiveTar,
    image: WrittenImage,
    options: WorkOptions,
  ): Promise<{layers: readonly Descriptor[]}> {
    if (this.#form === 'v1') {
      requireV1(image)
      options.onEvent?.({
        kind: 'loss',
        code: 'image-id',
        message: 'A v1 archive has no configuration document, so the engine that loads it computes another image ID.',
        subject: image.names[0]?.familiar ?? image.imageId,
      })
    }
    const ids = layerIds(image)
    for (const [index, layer] of image.layers.entries()) {
      await this.#addLayer(file, {image, ids, index, layer})
    }
    const configName = `${digestHex(image.imageId)}.json`
    if (this.#form === 'docker' && !this.#configs.has(configName)) {
      this.#configs.add(configName)
      await file.add({name: configName, typeflag: '0', mode: 0o444}, image.config.bytes)
    }
    this.#images.push({
      names: image.names,
      config: configName,
      layers: ids.map((id) => `${id}/layer.tar`),
      sources: image.layers.flatMap((layer) =>
        layer.kind === 'foreign' ? [[layer.diffId, descriptorOfLayer(layer.descriptor, 'docker')] as const] : [],
      ),
      topId: ids.at(-1),
    })
    const descriptors = image.layers.map((layer) =>
      descriptorOfLayer(layer.kind === 'stored' ? layer.facts : layer.descriptor, 'docker'),
    )
    return {layers: descriptors}
  }

  async #addLayer(
    file: ArchiveTar,
    {image, ids, index, layer}: {image: WrittenImage; ids: readonly string[]; index: number; layer: WrittenLayer},
  ): Promise<void> {
    const id = ids[index]
    if (id === undefined || this.#folders.has(id)) return
    this.#folders.add(id)
    await file.add({name: `${id}/`, typeflag: '5', mode: 0o755})
    await file.add({name: `${id}/VERSION`, typeflag: '0', mode: 0o644}, Buffer.from('1.0'))
    await file.add({name: `${id}/json`, typeflag: '0', mode: 0o644}, v1Json(image, ids, index))
    if (layer.kind === 'foreign') return
    const holder = this.#tars.get(layer.facts.diffId)
    if (holder === undefined) {
      this.#tars.set(layer.facts.diffId, id)
      await file.name(layer.member, `${id}/layer.tar`)
    } else {
      const linkname = `../${holder}/layer.tar`
      await file.add({name: `${id}/layer.tar`, typeflag: '2', mode: 0o777, linkname})
    }
  }

  async end(file: ArchiveTar): Promise<void> {
    if (this.#form === 'docker') {
      const items = this.#images.map(({names, config, layers, sources}) => ({
        Config: config,
        RepoTags: names.length === 0 ? null : names.map((name) => name.familiar),
        Layers: layers,
        ...(sources.length === 0 ? {} : {LayerSources: Object.fromEntries(sources)}),
      }))
      await file.add({name: 'manifest.json', typeflag: '0', mode: 0o644}, Buffer.from(JSON.stringify(items)))
    }
    const repositories: Record<string, Record<string, string>> = {}
    for (const {names, topId} of this.#images) {
      if (topId === undefined) continue
      for (const {repository, tag} of names) repositories[repository] = {...repositories[repository], [tag]: topId}
    }
    if (Object.keys(repositories).length === 0 && this.#form === 'docker') return
    await file.add({name: 'repositories', typeflag: '0', mode: 0o644}, Buffer.from(JSON.stringify(repositories)))
  }
}

/** The first form names images by their top layer only, and knows neither untagged images nor foreign layers. */
function requireV1({names, layers, draft}: WrittenImage): void {
  const why =
    names.length === 0
      ? 'This format finds images only by name, and this one has none.'
      : layers.length === 0
        ? 'This format identifies an image by its top layer, and this one has no layer.'
        : layers.some((layer) => layer.kind === 'foreign')
          ? 'This format cannot store the address of a foreign layer.'
          : undefined
  if (why === undefined) return
  throw new InputError('FORMAT_UNSUPPORTED', {
    what: `A v1 archive cannot store the image ${draft.names.join(', ')}.`,
    why,
    suggestions: ['Pass --tag NAME:TAG, or use --archive-format docker.'],
  })
}

/** Ids of the layers' folders: the same stack gives the same id; the top one also stands for the configuration. */
function layerIds({diffIds, imageId}: WrittenImage): readonly string[] {
  return diffIds.map((_, index) => {
    const chain = chainIdOf(diffIds.slice(0, index + 1)) ?? ''
    const isTop = index === diffIds.length - 1
    return digestHex(digestOf(Buffer.from(isTop ? `${chain} ${imageId}` : chain)))
  })
}

/** The layer as an image of its own: the top one has the whole configuration, those below what history tells. */
function v1Json(image: WrittenImage, ids: readonly string[], index: number): Uint8Array {
  const {
    rootfs: _rootfs,
    history,
    ...rest
  } = parseDocument(image.config.bytes, {
    title: 'the configuration',
    validate: validateConfig,
    code: 'CONFIG_INVALID',
  })
  const isTop = index === ids.length - 1
  const {os, architecture} = image.draft.platform
  const steps = (history ?? []).filter((step) => step.empty_layer !== true)
  const step = steps.length === ids.length ? steps[index] : undefined
  return Buffer.from(
    JSON.stringify({
      created: step?.created ?? '1970-01-01T00:00:00Z',
      ...(step?.author === undefined ? {} : {author: step.author}),
      ...(step?.comment === undefined ? {} : {comment: step.comment}),
      ...(step?.created_by === undefined ? {} : {container_config: {Cmd: [step.created_by]}}),
      os,
      architecture,
      ...(isTop ? rest : {}),
      id: ids[index],
      ...(index === 0 ? {} : {parent: ids[index - 1]}),
    }),
  )
}

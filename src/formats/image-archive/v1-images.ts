import {parseJson} from '../../codecs/json/json-document.js'
import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import {decompress} from '../../codecs/compression/decompress.js'
import type {TarIndexEntry} from '../../codecs/tar/index-tar.js'
import {Digester, digestOf, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import {readConfig} from '../image-documents/image-documents.js'
import {MEDIA_TYPE} from '../image-documents/media-types.js'
import type {Archive} from '../archive-file/archive.js'
import {attempt, type FaultSink} from '../../model/fault-sink.js'
import type {ArchivedImage} from './archived-image.js'
import {parseRepositories, parseV1Document, type V1Document} from './schema.js'

/*
 * Archives of Docker before 1.10: `repositories`, and a folder for each layer, which is an image of its own. Source:
 * docker-image-spec v1.md; moby 20.10 image/tarexport/load.go legacyLoadImage. Ids are names, not digests.
 */

/** Docker itself refused more than 127. */
const MAX_LAYERS = 1000

interface V1Layer {
  readonly id: string
  readonly bytes: Uint8Array
  readonly document: V1Document
  readonly entry: TarIndexEntry
}

/** An image as `repositories` names it; the configuration follows only when all its layers have been read. */
export interface V1Image {
  readonly names: readonly string[]
  /** Base first; at least one. */
  readonly layers: readonly V1Layer[]
  readonly top: V1Layer
}

/** The images that `repositories` names, in its order, names of one image together. */
export async function readV1Images(
  archive: Archive,
  entry: TarIndexEntry,
  sink: FaultSink,
): Promise<readonly V1Image[]> {
  const repositories = await attempt(sink, async () => parseRepositories(await archive.readDocument(entry)))
  const names = new Map<string, string[]>()
  for (const [repository, tags] of Object.entries(repositories ?? {})) {
    for (const [tag, id] of Object.entries(tags)) names.set(id, [...(names.get(id) ?? []), `${repository}:${tag}`])
  }
  const images: V1Image[] = []
  for (const [id, own] of names) {
    const image = await attempt(sink, () => readChain(archive, id, own))
    if (image !== undefined) images.push(image)
  }
  return images
}

async function readChain(archive: Archive, topId: string, names: readonly string[]): Promise<V1Image> {
  const layers: V1Layer[] = []
  const seen = new Set<string>()
  for (let id: string | undefined = topId; id !== undefined && id !== '';) {
    if (seen.has(id) || seen.size >= MAX_LAYERS) {
      throw new InputError('ARCHIVE_CORRUPT', {
        what: `The layers of ${names.join(', ')} form a loop, or there are more than ${MAX_LAYERS}.`,
        at: {path: archive.path},
      })
    }
    seen.add(id)
    const layer = await readV1Layer(archive, id)
    layers.unshift(layer)
    id = layer.document.parent
  }
  const top = layers.at(-1)
  if (top === undefined) throw missing(archive, topId)
  return {names, layers, top}
}

async function readV1Layer(archive: Archive, id: string): Promise<V1Layer> {
  const json = /^[0-9a-zA-Z_-]{1,128}$/.test(id) ? archive.find(`${id}/json`) : undefined
  const entry = json === undefined ? undefined : archive.find(`${id}/layer.tar`)
  if (json === undefined || entry === undefined) throw missing(archive, id)
  const bytes = await archive.readDocument(json)
  return {id, bytes, document: parseV1Document(bytes, `${id}/json`), entry}
}

function missing(archive: Archive, id: string): InputError {
  return new InputError('LAYER_MISSING', {
    what: `Layer '${id.slice(0, 128)}' is missing from the archive or incomplete.`,
    why: 'In this old format, each layer is a folder with json and layer.tar.',
    at: {path: archive.path},
  })
}

/** Reads all layers for their diffIDs and makes the configuration, as Docker did when it loaded such an archive. */
export async function completeV1Image(archive: Archive, image: V1Image, options: WorkOptions): Promise<ArchivedImage> {
  const diffIds: Digest[] = []
  for (const layer of image.layers) diffIds.push(await diffIdOf(archive, layer, options))
  const bytes = makeConfig(image, diffIds)
  return {
    origin: 'repositories',
    names: image.names,
    config: {mediaType: MEDIA_TYPE.dockerConfig, bytes},
    imageId: digestOf(bytes),
    facts: readConfig(bytes, `${image.top.id}/json`),
    layers: image.layers.map(({entry}, index) => {
      const diffId = diffIds[index]
      return {entry, ...(diffId === undefined ? {} : {diffId})}
    }),
  }
}

async function diffIdOf(archive: Archive, {id, entry}: V1Layer, options: WorkOptions): Promise<Digest> {
  const compression = detectCompression(await archive.readHead(entry, MAGIC_BYTES))
  const digester = new Digester()
  const title = `${id}/layer.tar`
  const body = decompress(archive.stream(entry, options), compression, {
    ...unpackOptions(options),
    title,
    code: 'LAYER_CORRUPT',
    signal: options.signal,
  })
  for await (const chunk of body) digester.update(chunk)
  return digester.digest()
}

/** What belonged to the layer as an image, not to the configuration. Source: moby image/v1/imagev1.go. */
const V1_ONLY = ['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway']

function makeConfig(image: V1Image, diffIds: readonly Digest[]): Uint8Array {
  const own = Object.entries(parseJson(new TextDecoder().decode(image.top.bytes)) as Record<string, unknown>)
  const fields: [string, unknown][] = [
    ...own.filter(([key]) => !V1_ONLY.includes(key) && key !== 'rootfs' && key !== 'history'),
    ['rootfs', {type: 'layers', diff_ids: diffIds}],
    ['history', image.layers.map(historyOf)],
  ]
  fields.sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
  return Buffer.from(escapedAsGoDoes(JSON.stringify(Object.fromEntries(fields))))
}

function historyOf({document}: V1Layer): object {
  const {created, author, comment, container_config: run} = document
  const command = Array.isArray(run?.Cmd) ? run.Cmd.join(' ') : typeof run?.Cmd === 'string' ? run.Cmd : ''
  return {
    created: created ?? '0001-01-01T00:00:00Z',
    ...(author === undefined || author === '' ? {} : {author}),
    ...(command === '' ? {} : {created_by: command}),
    ...(comment === undefined || comment === '' ? {} : {comment}),
  }
}

/** Go escapes what HTML would take for markup, so the image ID is the one that Docker gave. */
function escapedAsGoDoes(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

import {partsOf} from '../formats/image-documents/referrer-list.js'
import type {Referrer, Referrers} from '../model/content-graph.js'
import {LeavingOut} from '../model/fault-sink.js'
import type {Image, Layer, LayerPin, PackageMetadata, Platform} from '../model/image.js'
import {digestOf} from '../model/digest.js'
import {formatFullName} from '../model/package-identity.js'
import {transportOf} from '../transports/catalog.js'
import type {OpenOptions} from '../model/transport.js'
import {resolveTelling} from './recognise.js'

export interface InspectedPackage {
  readonly identity: string
  readonly publisher: string
  readonly name: string
  readonly version: string
  readonly friendlyName?: string
  readonly description?: string
  readonly architecture: string
  readonly osVersion?: string
  readonly isOsImage: boolean
  readonly createdTime: string
  readonly dependencies: readonly string[]
}

export interface InspectedPin {
  readonly digest: string
  readonly mediaType: string
  /** Bytes of the compressed form. */
  readonly size: number
  /** Bytes that it takes in the package. */
  readonly storedBytes: number
  /** The encoder that makes it again, where its bytes are not stored. */
  readonly encoder?: string
}

export interface InspectedLayer {
  readonly title: string
  readonly form?: 'base' | 'delta'
  readonly diffId?: string
  /** Of the blob as stored. */
  readonly digest?: string
  readonly mediaType?: string
  readonly compression?: string
  /** Bytes as stored. */
  readonly size?: number
  readonly hasContent: boolean
  /** Compressed forms of the layer that its package keeps, so that image digests come back. */
  readonly pins?: readonly InspectedPin[]
  readonly urls?: readonly string[]
  readonly package?: InspectedPackage
}

/** A signature or anything else that refers to the image. */
export interface InspectedReferrer {
  readonly artifactType: string
  /** Of its manifest. */
  readonly digest: string
  /** Bytes of its manifest and of all that names. */
  readonly size: number
  readonly subject: string
  readonly tag?: string
}

/** What `inspect` prints with `--json`. Schema: `src/schemas/inspect.schema.json`. */
export interface InspectReport {
  readonly reference: string
  readonly names: readonly string[]
  readonly imageId?: string
  readonly manifestDigest?: string
  readonly platform: Platform
  /** Base first. */
  readonly layers: readonly InspectedLayer[]
  readonly namedBase?: {readonly name: string}
  /** Sum of the layers as stored, where all are known. */
  readonly sizeBytes?: number
  /** What refers to the image by its digest, where the source can hold such things. */
  readonly referrers?: readonly InspectedReferrer[]
  readonly warnings: readonly {readonly code: string; readonly message: string}[]
  /** The configuration, parsed; its exact bytes are printed by `--config`. */
  readonly config?: unknown
  readonly manifest?: unknown
}

function inspectPackage(metadata: PackageMetadata): InspectedPackage {
  const {identity, friendlyName, description, osVersion} = metadata
  return {
    identity: formatFullName(identity),
    ...identity,
    ...(friendlyName === undefined ? {} : {friendlyName}),
    ...(description === undefined ? {} : {description}),
    architecture: metadata.architecture,
    ...(osVersion === undefined ? {} : {osVersion}),
    isOsImage: metadata.isOsImage,
    createdTime: metadata.createdTime,
    dependencies: metadata.dependencies.map(formatFullName),
  }
}

function inspectPin({descriptor, encoding}: LayerPin): InspectedPin {
  const {digest, mediaType, size} = descriptor
  if (encoding === undefined) return {digest, mediaType, size, storedBytes: size}
  return {digest, mediaType, size, storedBytes: 0, encoder: encoding.encoder}
}

function inspectLayer(layer: Layer): InspectedLayer {
  const descriptor = layer.blob?.descriptor
  const size = descriptor?.size ?? layer.sizeBytes
  return {
    title: layer.title,
    ...(layer.form === undefined ? {} : {form: layer.form}),
    ...(layer.diffId === undefined ? {} : {diffId: layer.diffId}),
    ...(descriptor === undefined ? {} : {digest: descriptor.digest, mediaType: descriptor.mediaType}),
    ...(descriptor?.urls === undefined ? {} : {urls: descriptor.urls}),
    ...(layer.blob === undefined ? {} : {compression: layer.blob.compression}),
    ...(size === undefined ? {} : {size}),
    hasContent: layer.hasContent,
    ...(layer.pins === undefined ? {} : {pins: layer.pins.map(inspectPin)}),
    ...(layer.package === undefined ? {} : {package: inspectPackage(layer.package)}),
  }
}

function inspectReferrer({artifactType, descriptor, subject, tag}: Referrer, {content}: Referrers): InspectedReferrer {
  const document = content.documents.find(({digest}) => digest === descriptor.digest)
  const parts = document === undefined ? [] : partsOf(document)
  return {
    artifactType,
    digest: descriptor.digest,
    size: parts.reduce((sum, {size}) => sum + size, descriptor.size),
    subject,
    ...(tag === undefined ? {} : {tag}),
  }
}

function parsed(document: {bytes: Uint8Array} | undefined): unknown {
  return document === undefined ? undefined : JSON.parse(new TextDecoder().decode(document.bytes))
}

/** Opens the image a reference selects; the caller closes it. */
export async function openImage(text: string, options: OpenOptions): Promise<{image: Image; reference: string}> {
  const reference = await resolveTelling(text, options)
  const transport = transportOf(reference)
  return {image: await transport.open(reference, options), reference: transport.format(reference)}
}

/** Opens the image a reference selects, hands it to `use`, and closes it whatever happens. */
export async function withImage<T>(
  text: string,
  options: OpenOptions,
  use: (image: Image, reference: string) => Promise<T>,
): Promise<T> {
  const {image, reference} = await openImage(text, options)
  try {
    return await use(image, reference)
  } finally {
    await image.close()
  }
}

/** Metadata, layers, dependencies, sizes and warnings of one image or package; reads no layer content. */
export async function inspect(text: string, options: OpenOptions = {}): Promise<InspectReport> {
  return withImage(text, options, async (image, reference) => {
    const sink = new LeavingOut()
    const found = await image.findReferrers?.({...options, sink})
    const layers = image.layers.map(inspectLayer)
    const sizes = layers.map((layer) => layer.size)
    const sizeBytes = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined
    return {
      reference,
      names: image.names,
      ...(image.config === undefined ? {} : {imageId: digestOf(image.config.bytes)}),
      ...(image.manifest === undefined ? {} : {manifestDigest: image.manifest.digest}),
      platform: image.platform,
      layers,
      ...(image.namedBase === undefined ? {} : {namedBase: {name: image.namedBase.name}}),
      ...(sizeBytes === undefined ? {} : {sizeBytes}),
      ...(found === undefined ? {} : {referrers: found.referrers.map((each) => inspectReferrer(each, found))}),
      warnings: [...image.warnings, ...(found?.doubts ?? []), ...sink.leftOut],
      ...(image.config === undefined ? {} : {config: parsed(image.config)}),
      ...(image.manifest === undefined ? {} : {manifest: parsed(image.manifest)}),
    }
  })
}

/** The exact bytes of the configuration or manifest; undefined when the source has none. */
export async function readDocument(
  text: string,
  which: 'config' | 'manifest',
  options: OpenOptions = {},
): Promise<Uint8Array | undefined> {
  // eslint-disable-next-line @typescript-eslint/require-await -- one shape for all users of withImage
  return withImage(text, options, async (image) => image[which]?.bytes)
}

import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import {digestOf, findDigest, type Digest} from '../../model/digest.js'
import {InputError, UnsupportedError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Compression, Descriptor} from '../../model/image.js'
import type {StatedDescriptor} from '../../formats/image-documents/image-documents.js'
import {MAX_DOCUMENT_BYTES, requireDocumentSize} from '../../codecs/json/json-document.js'
import {isIndexType, isManifestType, statedCompression} from '../../formats/image-documents/media-types.js'
import {requireDigest, type ContentStore} from '../../formats/oci-layout/content-store.js'
import {downloadBlob, findForeign, hasBlob} from './download.js'
import {header} from './http.js'
import {findStatedDigest} from './stated-digest.js'
import {formatLocation, wantedOf} from './reference.js'
import type {Registry} from './registry.js'
import {ACCEPT} from './tag-digest.js'
import type {Reference} from '../../model/reference.js'

/** The content of one repository; the document that was asked for first is at hand. */
export function registryStore(registry: Registry, top?: Top): ContentStore {
  return {
    title: `${registry.place.host}/${registry.place.repository}`,
    findDocument: async (descriptor, options) => {
      if (descriptor.digest === top?.stated.digest) return top.bytes
      const isManifest = isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)
      if (isManifest) return (await findManifest(registry, descriptor.digest, options))?.bytes
      return findDocumentBlob(registry, descriptor, options)
    },
    findBlob: async (descriptor, options) => {
      if (await hasBlob(registry, descriptor, registry.pullScope, options)) {
        const compression = options.isOpaque === true ? 'none' : await compressionOf(registry, descriptor, options)
        return {compression, open: (inner) => downloadBlob(registry, descriptor, inner)}
      }
      const open = await findForeign(registry, descriptor, options)
      return open === undefined ? undefined : {compression: await sniffed(open(options)), open}
    },
  }
}

/** A blob that is small by its nature, asked for without asking first whether it is there: that would be a round trip more. */
async function findDocumentBlob(
  registry: Registry,
  descriptor: Descriptor,
  options: WorkOptions,
): Promise<Uint8Array | undefined> {
  const title = `blob ${descriptor.digest}`
  requireDocumentSize(descriptor.size, title)
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of downloadBlob(registry, descriptor, options)) {
      parts.push(Buffer.from(chunk))
      requireDocumentSize((size += chunk.byteLength), title)
    }
  } catch (error) {
    if (error instanceof InputError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
  return Buffer.concat(parts)
}

/** Docker's plain type may be compressed in spite of its name; so only the others are believed. */
async function compressionOf(registry: Registry, descriptor: Descriptor, options: WorkOptions): Promise<Compression> {
  return statedCompression(descriptor.mediaType) ?? sniffed(downloadBlob(registry, descriptor, options))
}

async function sniffed(body: AsyncIterable<Uint8Array>): Promise<Compression> {
  let head = Buffer.alloc(0)
  for await (const chunk of body) {
    head = Buffer.concat([head, chunk.subarray(0, MAGIC_BYTES)])
    if (head.byteLength >= MAGIC_BYTES) break
  }
  return detectCompression(head)
}

/** A manifest or index by its tag or digest. */
export interface FetchedManifest {
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/** Undefined where there is none. `DIGEST_MISMATCH`, `LIMIT_EXCEEDED`. */
export async function findManifest(
  registry: Registry,
  tagOrDigest: string,
  {signal}: WorkOptions,
): Promise<FetchedManifest | undefined> {
  const title = `manifest ${tagOrDigest}`
  const {answer, bytes} = await registry.read(
    {
      method: 'GET',
      url: registry.path(`manifests/${tagOrDigest}`),
      what: title,
      scopes: [registry.pullScope],
      takes: [200, 404],
      headers: {accept: ACCEPT},
      signal,
    },
    MAX_DOCUMENT_BYTES,
  )
  if (answer.statusCode === 404) return undefined
  const mediaType = (header(answer, 'content-type') ?? '').split(';')[0]?.trim() ?? ''
  const wanted = findDigest(tagOrDigest)
  const said = findStatedDigest(answer)
  for (const digest of [wanted, said]) if (digest !== undefined) requireDigest(bytes, digest, title)
  return {mediaType, bytes, digest: wanted ?? digestOf(bytes)}
}

/** What a reference leads to first. */
export interface Top {
  /** As an index would have it. */
  readonly stated: StatedDescriptor & {readonly digest: Digest}
  readonly bytes: Uint8Array
}

/** What a reference names. Throws `NOT_FOUND`, `FORMAT_UNSUPPORTED`, `DIGEST_MISMATCH`. */
export async function readTop(registry: Registry, reference: Reference, options: WorkOptions): Promise<Top> {
  const wanted = wantedOf(reference)
  const name = 'tag' in wanted ? wanted.tag : wanted.digest
  const found = await findManifest(registry, name, options)
  if (found === undefined) {
    throw new InputError('NOT_FOUND', {
      what: `${registry.place.host}/${registry.place.repository} does not have '${name}'.`,
      suggestions: [
        `List the tags: transship list ${formatLocation({transport: reference.transport, path: reference.path})}`,
      ],
      at: {reference: formatLocation(reference)},
    })
  }
  const {mediaType, bytes, digest} = found
  if (isIndexType(mediaType) || isManifestType(mediaType)) {
    return {stated: {mediaType, digest, size: bytes.byteLength}, bytes}
  }
  throw new UnsupportedError('FORMAT_UNSUPPORTED', {
    what: `The manifest of '${formatLocation(reference)}' has the type '${mediaType.slice(0, 200)}'.`,
    why: mediaType.includes('manifest.v1+')
      ? 'This format of 2014 has no configuration digest.'
      : 'Expected an image or an index.',
    suggestions: mediaType.includes('manifest.v1+') ? ['Push the image again with a newer Docker.'] : [],
    at: {reference: formatLocation(reference)},
  })
}

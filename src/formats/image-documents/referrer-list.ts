import type {StoredDocument} from '../../model/content-graph.js'
import {findDigest, type Digest} from '../../model/digest.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import {parseIndex, parseManifest, type StatedDescriptor} from './image-documents.js'
import {isIndexType, MEDIA_TYPE} from './media-types.js'

/** What a document says of itself as a referrer. */
export interface ReferrerFacts {
  /** Absent where it states none. */
  readonly subject?: Digest
  readonly artifactType: string
  /** As lists of referrers have it, with all annotations of the document. */
  readonly descriptor: Descriptor
}

/**
 * Reads what a list of referrers says of a document; without an artifact type, that of its configuration counts. Throws
 * `MANIFEST_INVALID`. Source: distribution-spec, "Listing Referrers".
 */
export function describeReferrer({mediaType, bytes, digest}: StoredDocument): ReferrerFacts {
  const title = `referrer ${digest}`
  const document = isIndexType(mediaType) ? parseIndex(bytes, title) : parseManifest(bytes, title)
  const subject = findDigest(document.subject?.digest ?? '')
  const configType = 'config' in document ? document.config.mediaType : undefined
  const {annotations} = document
  return {
    ...(subject === undefined ? {} : {subject}),
    artifactType: (document.artifactType ?? '') === '' ? (configType ?? mediaType) : (document.artifactType ?? ''),
    descriptor: {
      mediaType,
      digest,
      size: bytes.byteLength,
      ...(annotations === undefined || annotations === null ? {} : {annotations}),
    },
  }
}

/** What a document names by descriptors. Throws `MANIFEST_INVALID`. */
export function partsOf({mediaType, bytes, digest}: StoredDocument): readonly StatedDescriptor[] {
  const title = `referrer ${digest}`
  if (isIndexType(mediaType)) return parseIndex(bytes, title).manifests ?? []
  const {config, layers} = parseManifest(bytes, title)
  return [config, ...(layers ?? [])]
}

/** A descriptor as a list of referrers has it. */
export interface ListedReferrer extends Descriptor {
  readonly artifactType: string
}

/** A list with these referrers besides those that it has; undefined when it has them all. */
export function extendedList(
  listed: readonly StatedDescriptor[],
  added: readonly ListedReferrer[],
): RawDocument | undefined {
  const missing = added.filter(({digest}) => !listed.some((entry) => entry.digest === digest))
  if (missing.length === 0) return undefined
  const entries = missing.map(({mediaType, digest, size, artifactType, annotations}) => ({
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : {annotations}),
    artifactType,
  }))
  const index = {schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [...listed, ...entries]}
  return {mediaType: MEDIA_TYPE.ociIndex, bytes: Buffer.from(JSON.stringify(index))}
}

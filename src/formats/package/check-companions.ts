import {contentOf} from '../../model/content.js'
import type {Companions} from '../../model/content-graph.js'
import type {Descriptor} from '../../model/image.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {parseManifest} from '../image-documents/image-documents.js'
import {isForeignType} from '../image-documents/media-types.js'
import {ContentGatherer} from '../oci-layout/content-graph.js'
import type {ContentStore} from '../oci-layout/content-store.js'
import {companionsOf} from './companion-files.js'
import {readVerified} from './open-package.js'
import type {StoredPackage} from './repository.js'

/**
 * Reads the documents that a package keeps of the index its image was in, and of what refers to it, as the way back would,
 * and follows what they name. What refers to an image must be there whole; of an index parts may be missing, since it is
 * then not given back. Throws `MANIFEST_INVALID`, `LAYER_MISSING` and the like.
 */
export async function checkCompanions(stored: StoredPackage, options: WorkOptions): Promise<void> {
  const companions = await companionsOf(stored, options)
  if (companions === undefined) return
  requireDocuments(stored, companions)
  const {ManifestFile, ManifestDigest} = stored.docker ?? {}
  const manifest = readVerified(stored, ManifestFile, ManifestDigest)
  const own = ownDigests(manifest)
  const store = storeOf(companions, ManifestDigest, manifest)
  const {index, referrers, content} = companions
  const ofIndex = new ContentGatherer(store)
  if (index !== undefined) {
    const {mediaType, digest, bytes} = index
    await ofIndex.add({mediaType, digest, size: bytes.byteLength}, options)
  }
  const gatherer = new ContentGatherer(store)
  for (const {descriptor} of referrers) await gatherer.add(descriptor, options)
  const kept = new Map<string, number>(content.blobs.map(({descriptor: {digest, size}}) => [digest, size]))
  for (const {descriptor} of [...ofIndex.graph.blobs, ...gatherer.graph.blobs]) requireSizeOf(descriptor, kept)
  for (const blob of gatherer.graph.blobs) {
    const {descriptor} = blob
    if (isForeignType(descriptor.mediaType) || kept.has(descriptor.digest) || own.has(descriptor.digest)) continue
    // Its descriptor may hold the bytes; else this tells that they are missing.
    for await (const _chunk of blob.open(options));
  }
}

/** A kept blob has its own digest and size checked; whoever names it by another size cannot be given back. */
function requireSizeOf({digest, size}: Descriptor, kept: ReadonlyMap<string, number>): void {
  const there = kept.get(digest)
  if (there === undefined || there === size) return
  throw new InputError('SIZE_MISMATCH', {
    what: `A kept document names the blob ${digest} with ${size} bytes, but it has ${there}.`,
    suggestions: ['Restore the package from a copy.'],
  })
}

/** What the records name as the index or as a referrer is a document that they list. */
function requireDocuments({docker, entryName}: StoredPackage, {content}: Companions): void {
  const {Index: index, Referrers: referrers = []} = docker?.Companions ?? {}
  const listed = new Set<string>(content.documents.map(({digest}) => digest))
  for (const digest of [...(index === undefined ? [] : [index]), ...referrers.map(({Digest}) => Digest)]) {
    if (listed.has(digest)) continue
    throw new InputError('METADATA_INVALID', {
      what: `The package keeps no document ${digest}.`,
      why: 'Its metadata.json says that the image was in it, or that it refers to the image.',
      suggestions: ['Restore the package from a copy.'],
      at: {path: `${entryName}/metadata.json`},
    })
  }
}

/** What the image itself has, and companions need not keep once more. */
function ownDigests(manifest: Uint8Array | undefined): ReadonlySet<string> {
  if (manifest === undefined) return new Set()
  const {config, layers} = parseManifest(manifest, 'the manifest')
  return new Set([config, ...(layers ?? [])].map(({digest}) => digest))
}

/** A document is the content of what names it as a layer, too: a signature may have the manifest that it signs as its own. */
function storeOf({content}: Companions, digest: string | undefined, manifest: Uint8Array | undefined): ContentStore {
  const documents = new Map<string, Uint8Array>(content.documents.map((each) => [each.digest, each.bytes]))
  const blobs = new Map(documents)
  if (digest !== undefined && manifest !== undefined) blobs.set(digest, manifest)
  return {
    title: 'the package',
    findDocument: (wanted) => Promise.resolve(documents.get(wanted.digest)),
    findBlob: (wanted) => {
      const bytes = blobs.get(wanted.digest)
      return Promise.resolve(
        bytes === undefined ? undefined : {compression: 'none', open: () => contentOf(bytes).open()},
      )
    },
  }
}

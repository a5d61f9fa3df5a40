import type {OpenOptions} from '../../model/transport.js'
import {findDigest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {Descriptor} from '../../model/image.js'
import {descriptorOf, parseIndex, parseManifest, type StatedDescriptor} from '../image-documents/image-documents.js'
import {isForeignType, isIndexType, isManifestType} from '../image-documents/media-types.js'
import {fitsPlatform, parsePlatform} from '../image-documents/platform-choice.js'
import {verified} from '../../codecs/bytes/verified.js'
import type {ImageCheck} from '../layer-blob/image-check.js'
import {blobKey, blobPath, findChecked, type ContentStore} from './content-store.js'
import {findEmbedded} from './embedded.js'
import type {PassedOver} from './index-walk.js'

/** What checks of several images share. */
export interface Checking {
  readonly check: ImageCheck
  /** Paths of blobs that have been read to their end, and as what that was: `blobKey`. */
  readonly read: Set<string>
  readonly options: OpenOptions
}

/**
 * Checks what indexes name and is no image that can be opened: it must be there, whatever its type, and be what its
 * descriptor says; a manifest of anything leads on to what it names itself.
 */
export async function verifyNamed(
  store: ContentStore,
  named: readonly PassedOver[],
  {check, read, options}: Checking,
): Promise<void> {
  for (const {stated, refs, reason} of named) {
    options.signal?.throwIfAborted()
    // An attestation is for no platform, and is kept with the image that is asked for.
    const isHeldApart = reason !== 'absent' && stated.platform?.os === 'unknown'
    if (!isAsked(stated, options) && !isHeldApart) continue
    const subject = refs[0] ?? stated.digest
    if (reason === 'absent') check.add('MANIFEST_MISSING', notThere(stated), subject)
    else await check.gather(() => verifyStated(store, stated, {check, read, options}))
  }
}

/** False for what says that it is for another platform than the one that is asked for. */
export function isAsked({platform}: StatedDescriptor, options: OpenOptions): boolean {
  if (options.platform === undefined || !platform) return true
  return fitsPlatform(platform, parsePlatform(options.platform), false)
}

function notThere({digest, mediaType, platform}: StatedDescriptor): string {
  const {os, architecture} = platform ?? {}
  const isFor = os === undefined || os === 'unknown' ? '' : ` It is for ${os}/${architecture ?? 'unknown'}.`
  return `An index names ${digest} (${mediaType.slice(0, 200)}), which is missing.${isFor}`
}

async function verifyStated(
  store: ContentStore,
  stated: StatedDescriptor,
  {check, read, options}: Checking,
): Promise<void> {
  const descriptor = descriptorOf(stated, store.title)
  if (!isManifestType(descriptor.mediaType) && !isIndexType(descriptor.mediaType)) {
    await verifyBlob(store, stated, {check, read, options}, 'MANIFEST_MISSING')
    return
  }
  const title = `manifest ${descriptor.digest}`
  const bytes = await findChecked(store, descriptor, {...options, title, stated})
  if (bytes === undefined) {
    check.add('MANIFEST_MISSING', notThere(stated), stated.digest)
    return
  }
  // What two indexes name is checked once; an index cannot be in itself.
  if (isIndexType(descriptor.mediaType)) {
    for (const child of parseIndex(bytes, title).manifests ?? []) {
      const said = `named ${child.digest} ${child.size} ${child.mediaType}`
      if (read.has(said)) continue
      read.add(said)
      await check.gather(() => verifyStated(store, child, {check, read, options}))
    }
    return
  }
  const {config, layers} = parseManifest(bytes, title)
  for (const part of [config, ...(layers ?? [])])
    await check.gather(() => verifyBlob(store, part, {check, read, options}, 'LAYER_MISSING'))
}

/** Reads a blob of any type to its end. */
export async function verifyBlob(
  store: ContentStore,
  stated: StatedDescriptor,
  {check, read, options}: Checking,
  missing: 'LAYER_MISSING' | 'MANIFEST_MISSING',
): Promise<void> {
  const descriptor = descriptorOf(stated, store.title)
  const name = blobPath(descriptor.digest)
  const title = `blob ${descriptor.digest}`
  const embedded = findEmbedded(stated, descriptor, title)
  if (read.has(blobKey(descriptor))) return
  const blob = await store.findBlob(descriptor, options)
  if (blob === undefined) {
    if (embedded === undefined && !isForeignType(descriptor.mediaType)) throw blobMissing(missing, descriptor, store)
    return
  }
  if (!read.has(name)) check.count(descriptor.size)
  read.add(name).add(blobKey(descriptor))
  for await (const _chunk of verified(blob.open(options), {title, ...descriptor}));
}

function blobMissing(
  code: 'LAYER_MISSING' | 'MANIFEST_MISSING',
  descriptor: Descriptor,
  store: ContentStore,
): InputError {
  const {digest, mediaType} = descriptor
  return new InputError(code, {
    what: `The blob ${findDigest(digest) ?? ''} (${mediaType.slice(0, 200)}) is missing.`,
    at: {path: store.title},
  })
}

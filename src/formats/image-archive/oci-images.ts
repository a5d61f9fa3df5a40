import {digestOf} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {Descriptor} from '../../model/image.js'
import type {Archive} from '../archive-file/archive.js'
import {attempt, type FaultSink} from '../../model/fault-sink.js'
import {readConfig} from '../image-documents/image-documents.js'
import {isForeignType} from '../image-documents/media-types.js'
import {archiveStore} from '../oci-layout/archive-store.js'
import {IndexWalk, type FoundImage} from '../oci-layout/index-walk.js'
import {digestMismatch} from '../../codecs/bytes/verified.js'
import type {ArchivedImage, ArchivedLayer} from './archived-image.js'

/** All images that an OCI layout in the archive offers; none when there is no such layout. */
export async function readOciImages(archive: Archive, sink: FaultSink): Promise<readonly FoundImage[]> {
  const entry = archive.find('index.json')
  if (entry === undefined || archive.find('oci-layout') === undefined) return []
  const walk = new IndexWalk(archiveStore(archive), sink)
  await attempt(sink, async () => {
    await walk.index(await archive.readDocument(entry), 'index.json')
  })
  return walk.found
}

export function configMissing(archive: Archive, {manifest, config}: FoundImage): InputError {
  return new InputError('CONFIG_MISSING', {
    what: `The configuration ${config.digest} is not in the archive.`,
    why: `Manifest ${manifest.digest} names it.`,
    suggestions: ['Save the image again.'],
    at: {path: archive.path},
  })
}

/** The image of a manifest whose configuration is in the archive; undefined when it is not, or is no container image. */
export async function archivedOciImage(
  archive: Archive,
  oci: FoundImage,
  sink: FaultSink,
): Promise<ArchivedImage | undefined> {
  const entry = archive.findBlob(oci.config.digest)
  if (entry === undefined) return undefined
  const bytes = await archive.readDocument(entry)
  const title = `configuration ${oci.config.digest}`
  const imageId = digestOf(bytes)
  if (oci.config.digest.startsWith('sha256:') && imageId !== oci.config.digest) {
    throw digestMismatch({title, digest: oci.config.digest}, imageId)
  }
  const facts = readConfig(bytes, title)
  // Attestations are manifests of the platform unknown/unknown.
  if (facts.platform.os === 'unknown') return undefined
  if (facts.diffIds.length !== oci.layers.length) {
    sink.fault(
      new InputError('ARCHIVE_CONTRADICTORY', {
        what: `Manifest ${oci.manifest.digest} and its configuration contradict each other.`,
        why: `The manifest has ${oci.layers.length} layers, the configuration ${facts.diffIds.length}.`,
        at: {path: archive.path},
      }),
    )
  }
  const layers = oci.layers.map((descriptor, index): ArchivedLayer => {
    const found = archive.findBlob(descriptor.digest)
    const diffId = facts.diffIds[index]
    return {
      descriptor,
      ...(diffId === undefined ? {} : {diffId}),
      ...(found === undefined ? absenceOf(descriptor, oci) : {entry: found}),
    }
  })
  return {
    origin: 'index.json',
    names: oci.names,
    config: {mediaType: oci.config.mediaType, bytes},
    imageId,
    facts,
    manifest: oci.manifest,
    layers,
  }
}

function absenceOf({mediaType, digest, urls}: Descriptor, {manifest}: FoundImage): Pick<ArchivedLayer, 'absence'> {
  if (isForeignType(mediaType) || urls !== undefined) return {}
  return {absence: `Manifest ${manifest.digest} names ${digest}, which is not in the archive.`}
}

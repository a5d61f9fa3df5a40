import type {LabelsMessage} from '../../engine-api/containerd/store-services.js'
import {parseIndex, parseManifest} from '../../formats/image-documents/image-documents.js'
import {isIndexType, isLayerType, isManifestType} from '../../formats/image-documents/media-types.js'
import {digestAlgorithm, digestHex, findDigest, type Digest} from '../../model/digest.js'
import type {RawDocument} from '../../model/image.js'
import {upTo} from '../../model/text-ends.js'

/*
 * Labels of blobs. The collector follows them and never reads a document, so a manifest without them loses its layers.
 * Source: containerd images/mediatypes.go (ChildGCLabels), remotes/docker/handler.go.
 */

const REF_CONTENT = 'containerd.io/gc.ref.content.'
/**
 * `ctr content prune references` drops the usual labels of layers, since unpacked layers can be pulled again. What was
 * carried into an air-gapped site cannot: a second label keeps it as long as the image is there.
 */
const KEPT_LAYER = `${REF_CONTENT}transship.`
const REFERRER = `${REF_CONTENT}referrer.`
const SOURCE = 'containerd.io/distribution.source.'
const UNCOMPRESSED = 'containerd.io/uncompressed'
/** containerd refuses a label whose key and value are longer. */
const MAX_LABEL = 4096

/**
 * What a document holds on to: a manifest its configuration, its layers, and children of other types by a count of their
 * own; an index its manifests, and whatever else it names by such a count.
 */
export function referenceLabels(document: RawDocument): LabelsMessage {
  return isIndexType(document.mediaType) ? indexLabels(document) : manifestLabels(document)
}

function indexLabels({bytes}: RawDocument): LabelsMessage {
  const labels: Record<string, string> = {}
  const counts = {manifest: 0, other: 0}
  for (const {mediaType, digest} of parseIndex(bytes, 'the index').manifests ?? []) {
    const isKnown = isManifestType(mediaType) && !isIndexType(mediaType)
    labels[isKnown ? `${REF_CONTENT}m.${counts.manifest++}` : `${REF_CONTENT}${counts.other++}`] = digest
  }
  return labels
}

function manifestLabels({bytes}: RawDocument): LabelsMessage {
  const {config, layers} = parseManifest(bytes, 'the manifest')
  const labels: Record<string, string> = {[`${REF_CONTENT}config`]: config.digest}
  const counts = {layer: 0, other: 0}
  for (const {mediaType, digest} of layers ?? []) {
    if (isLayerType(mediaType)) {
      labels[`${KEPT_LAYER}${counts.layer}`] = digest
      labels[`${REF_CONTENT}l.${counts.layer++}`] = digest
    } else labels[`${REF_CONTENT}${counts.other++}`] = digest
  }
  return labels
}

/** By which a manifest holds on to what refers to it, as containerd does from version 2.2 on; the collector of any heeds it. */
export function referrerLabel(referrer: Digest): LabelsMessage {
  return {[`${REFERRER}${digestAlgorithm(referrer)}.${digestHex(referrer).slice(0, 12)}`]: referrer}
}

/** The digests of what refers to a document, by its labels. */
export function referrersIn(labels: LabelsMessage): readonly Digest[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const digest = key.startsWith(REFERRER) ? findDigest(value) : undefined
    return digest === undefined ? [] : [digest]
  })
}

/** By which containerd knows that a compressed layer is the tar of a diffID. */
export function layerLabels(layer: {readonly digest: string; readonly diffId: string}): LabelsMessage {
  return layer.digest === layer.diffId ? {} : {[UNCOMPRESSED]: layer.diffId}
}

/** Under which repositories a registry may have the blob: a push asks it there first. The key has no port. */
export function sourceLabels(fullNames: readonly string[]): LabelsMessage {
  const labels: Record<string, string> = {}
  for (const full of fullNames) {
    const slash = full.indexOf('/')
    const host = full.slice(0, slash).replace(/:\d+$/, '')
    const repository = upTo(full.slice(slash + 1), ':@')
    labels[`${SOURCE}${host}`] = joined(labels[`${SOURCE}${host}`], repository)
  }
  return labels
}

/** The labels that a blob lacks of those that it is to have; lists of repositories are added to. */
export function missingLabels(has: LabelsMessage, wanted: LabelsMessage): LabelsMessage {
  return Object.fromEntries(
    Object.entries(wanted).flatMap(([key, value]) => {
      const merged = key.startsWith(SOURCE) ? joined(has[key], value) : value
      const isLong = key.length + merged.length > MAX_LABEL
      return merged === has[key] || isLong ? [] : [[key, merged]]
    }),
  )
}

function joined(list: string | undefined, repositories: string): string {
  return [...new Set([...(list ?? '').split(','), ...repositories.split(',')])]
    .filter((part) => part !== '')
    .sort()
    .join(',')
}

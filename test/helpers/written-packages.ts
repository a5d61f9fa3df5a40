import {mkdtempSync} from 'node:fs'
import path from 'node:path'
import {writePackage, type WrittenPackage} from '../../src/formats/package/write-package.js'
import type {StoredPackage} from '../../src/formats/package/repository.js'
import {layerFromTar} from '../../src/formats/layer-blob/read-layer-blob.js'
import {digestOf} from '../../src/model/digest.js'
import type {Layer, LayerPin} from '../../src/model/image.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {formatFullName} from '../../src/model/package-identity.js'
import type {PackageDraft} from '../../src/model/transport.js'
import {chunked} from './bytes.js'
import {layerTarOf} from './layer-archives.js'
import {storedOf, type StoredOptions} from './stored-packages.js'

/** A layer as a source has it: a tar whose digest is known. */
export async function tarLayer(entries: readonly LayerEntry[]): Promise<Layer> {
  const tar = await layerTarOf(entries)
  const diffId = digestOf(tar)
  const descriptor = {mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size: tar.byteLength}
  return layerFromTar({title: 'layer 1', descriptor, compression: 'none', diffId, open: () => chunked(tar)})
}

/** A draft of a package with these entries; a stub without. */
export async function draftWith(
  text: string,
  entries: readonly LayerEntry[] | undefined,
  more: Partial<PackageDraft> = {},
  metadata: StoredOptions['metadata'] = {},
): Promise<PackageDraft> {
  return {
    metadata: storedOf(text, {metadata}).metadata,
    form: 'delta',
    keepRecipe: true,
    ...(entries === undefined ? {} : {layer: await tarLayer(entries)}),
    ...more,
  }
}

/** Writes it into a new folder below `within`. */
export function writeDraft(
  within: string,
  draft: PackageDraft,
  lower: readonly StoredPackage[] = [],
): Promise<WrittenPackage> {
  const folder = path.join(mkdtempSync(path.join(within, 'written-')), formatFullName(draft.metadata.identity))
  return writePackage(folder, draft, {lower})
}

/** Documents of an image that a package is the top of. */
export const CONFIG = {mediaType: 'a/config', bytes: Buffer.from('{}')}
export const MANIFEST = {mediaType: 'a/manifest', bytes: Buffer.from('[]')}
export const IMAGE = {names: ['app:1'], config: CONFIG, manifest: MANIFEST}

/** A compressed form of a layer, as far as one is kept: its bytes are these. */
export function pinOf(text: string): LayerPin {
  const bytes = Buffer.from(text)
  return {
    descriptor: {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
      digest: digestOf(bytes),
      size: bytes.byteLength,
    },
    compression: 'zstd',
    open: () => chunked(bytes),
  }
}

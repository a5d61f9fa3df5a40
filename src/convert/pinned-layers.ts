import {InputError} from '../model/errors.js'
import type {Image, Layer} from '../model/image.js'
import type {ImageDraft} from '../model/transport.js'
import {parseManifest} from '../formats/image-documents/image-documents.js'
import type {ConvertOptions} from './options.js'

/**
 * A draft whose layers have the compressed form again in which they came to the packages that hold them: the one that
 * the kept manifest names, else the first. A payload that is no longer what the layer was is told as a note `pin-stale`,
 * and is written as it is now.
 */
export async function withPinnedForms(
  draft: ImageDraft,
  image: Pick<Image, 'manifest'>,
  options: ConvertOptions,
): Promise<ImageDraft> {
  if (options.pins === 'none') return draft
  const named = digestsOf(image.manifest)
  const layers: Layer[] = []
  for (const layer of draft.layers) layers.push(await withPinnedForm(layer, named, options))
  return {...draft, layers}
}

async function withPinnedForm(layer: Layer, named: ReadonlySet<string>, options: ConvertOptions): Promise<Layer> {
  const {blob, pins = [], diffId, isUntouched, hasContent, title} = layer
  const pin = pins.find(({descriptor}) => named.has(descriptor.digest)) ?? pins[0]
  if (blob !== undefined || !hasContent || pin === undefined || diffId === undefined) return layer
  // Another form is asked for.
  if (options.compression !== undefined && options.compression !== pin.compression) return layer
  if (options.compressionLevel !== undefined) return layer
  const id = `pin ${title}`
  const total = layer.sizeBytes === undefined ? {} : {totalBytes: layer.sizeBytes}
  options.onEvent?.({kind: 'step', id, title: `Check that ${title} is unchanged`, ...total})
  const isSame = await isUntouched?.(options)
  options.onEvent?.({kind: 'done', id, summary: isSame === true ? 'unchanged' : 'changed'})
  if (isSame !== true) {
    const message = `Its payload is no longer what the stored layer ${pin.descriptor.digest} holds; it is written as it is now.`
    options.onEvent?.({kind: 'note', code: 'pin-stale', message, subject: title})
    return layer
  }
  const {descriptor, compression} = pin
  return {...layer, blob: {descriptor, compression, open: (inner) => pin.open(inner)}}
}

function digestsOf(manifest: Image['manifest']): ReadonlySet<string> {
  if (manifest === undefined) return new Set()
  try {
    const {layers} = parseManifest(manifest.bytes, 'the kept manifest')
    return new Set((layers ?? []).map(({digest}) => digest))
  } catch (error) {
    // Who writes the image makes a new one.
    if (error instanceof InputError) return new Set()
    throw error
  }
}

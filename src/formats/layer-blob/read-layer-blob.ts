import {decompress} from '../../codecs/compression/decompress.js'
import {streamRange} from '../../disk/file-range.js'
import type {FileRange, LayerInFile} from '../../model/layer-in-file.js'
import {decodeLayerTar} from '../../codecs/layer-tar/decode-layer-tar.js'
import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import type {Compression, Descriptor, EntriesOptions, Layer} from '../../model/image.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {shown} from '../../model/layer-tap.js'
import {verified} from '../../codecs/bytes/verified.js'

/** A layer that a source keeps as a tar, compressed or not. */
export interface StoredLayer {
  /** For messages: `layer 2`. */
  readonly title: string
  readonly descriptor: Descriptor
  readonly compression: Compression
  /** Digest of the uncompressed tar, where stated. */
  readonly diffId?: Digest | undefined
  /** Where it lies in an open file, if it does. */
  readonly range?: FileRange | undefined
  /** The bytes as stored, unchecked, from the start at each call. */
  open(options: WorkOptions): AsyncIterable<Uint8Array>
}

/** The layer as plain data, where it lies in an open file. */
export function layerInFile({title, descriptor, compression, diffId, range}: StoredLayer): LayerInFile | undefined {
  return range === undefined ? undefined : {title, descriptor, compression, diffId, range}
}

/** The layer that such data stand for. */
export function storedInFile(layer: LayerInFile): StoredLayer {
  return {...layer, open: (options) => streamRange(layer.range, options)}
}

/** The bytes as stored; digest and size are checked by their end. */
export function layerBytes(stored: StoredLayer, options: WorkOptions = {}): AsyncIterable<Uint8Array> {
  const {title, descriptor} = stored
  return verified(stored.open(options), {title, digest: descriptor.digest, size: descriptor.size})
}

/** The uncompressed tar; digest, size and diffID are checked by its end. */
export function layerTar(stored: StoredLayer, {tap, ...options}: EntriesOptions = {}): AsyncIterable<Uint8Array> {
  const {title, descriptor, compression, diffId} = stored
  const bytes = layerBytes(stored, options)
  const body =
    tap === undefined
      ? bytes
      : shown(bytes, (chunk) => {
          tap.stored(chunk)
        })
  // Where the stored bytes are the tar itself, one digest says it all.
  if (compression === 'none' && (diffId === undefined || diffId === descriptor.digest)) return body
  const plain = decompress(body, compression, {
    ...unpackOptions(options),
    title,
    code: 'LAYER_CORRUPT',
    signal: options.signal,
  })
  const sound = verified(plain, {title: `${title} (uncompressed)`, digest: diffId})
  return tap === undefined
    ? sound
    : shown(sound, (bytes) => {
        tap.text(bytes)
      })
}

/** A `Layer` over a stored tar, whose entries are decoded and everything stated about them checked to the last byte. */
export function layerFromTar(stored: StoredLayer): Layer {
  const {title, descriptor, compression, diffId} = stored
  const inFile = layerInFile(stored)
  return {
    title,
    hasContent: true,
    blob: {descriptor, compression, open: (options) => layerBytes(stored, options)},
    ...(diffId === undefined ? {} : {diffId}),
    ...(compression === 'none' ? {sizeBytes: descriptor.size} : {}),
    ...(inFile === undefined ? {} : {inFile}),
    entries: (options) => entriesOf(stored, options ?? {}),
  }
}

async function* entriesOf(stored: StoredLayer, options: EntriesOptions): AsyncGenerator<LayerEntry> {
  // The decoder reads whatever follows the end blocks, so that the digests cover every byte.
  const {title, diffId} = stored
  const mayLackEnd = diffId !== undefined
  yield* decodeLayerTar(layerTar(stored, options), {...options, title, keepFrames: true, mayLackEnd})
}

/**
 * A layer that the source names and does not hold. The descriptor of a foreign layer, where known, can be passed on; one
 * that was taken out (`absence` says from where) must be supplied.
 */
export function absentLayer(layer: {
  readonly title: string
  readonly diffId?: Digest | undefined
  readonly descriptor?: Descriptor | undefined
  readonly compression?: Compression
  readonly absence?: string | undefined
}): Layer {
  const {title, diffId, descriptor, absence} = layer
  const refuse = (): never => {
    throw new InputError('LAYER_MISSING', {
      what: `The source does not contain ${title}.`,
      why:
        descriptor?.urls === undefined || descriptor.urls.length === 0
          ? (absence ?? 'It only names the layer.')
          : `It is a foreign layer, stored at ${descriptor.urls.join(' or ')}.`,
      suggestions: ['Pass --base REFERENCE with an image that contains it.'],
      at: {path: title},
    })
  }
  return {
    title,
    hasContent: false,
    ...(diffId === undefined ? {} : {diffId}),
    ...(absence === undefined ? {} : {absence}),
    ...(descriptor === undefined || absence !== undefined
      ? {}
      : {blob: {descriptor, compression: layer.compression ?? 'gzip', open: refuse}}),
    entries: refuse,
  }
}

import {findBase64} from '../../codecs/bytes/base64.js'
import {verified} from '../../codecs/bytes/verified.js'
import {decompress} from '../../codecs/compression/decompress.js'
import {rebuildGzip} from '../../codecs/gzip-encoding/rebuild-gzip.js'
import {findDigest, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerPin} from '../../model/image.js'
import {unpackOptions} from '../../model/limits.js'
import {rebuiltTar} from '../layer-blob/rebuilt-tar.js'
import {streamFile} from '../transport-layout/layout-files.js'
import {readEntries} from './package-entries.js'
import type {StoredPackage} from './repository.js'
import type {PinJson} from './schema.js'

/** The compressed forms that a package keeps of its layer. */
export function pinsOf(stored: StoredPackage): readonly LayerPin[] {
  const [kept] = stored.docker?.Layers ?? []
  return (kept?.Pins ?? []).flatMap((json) => {
    const digest = findDigest(json.Digest)
    return digest === undefined ? [] : [pinOf(stored, json, digest)]
  })
}

function pinOf(stored: StoredPackage, json: PinJson, digest: Digest): LayerPin {
  const {MediaType: mediaType, Size: size, Compression: compression, File: file, Encoder: encoder} = json
  // No header at all gives no form of that digest.
  const header = findBase64(json.Header ?? '') ?? new Uint8Array()
  const encoding = encoder === undefined ? undefined : {encoder, header}
  const title = `${stored.entryName}: the stored layer ${digest}`
  const bytes = (options: WorkOptions) =>
    encoding === undefined
      ? storedBytes(stored, file ?? '')
      : rebuildGzip(rebuiltTar(readEntries(stored, options), options), encoding)
  return {
    descriptor: {mediaType, digest, size},
    compression,
    ...(encoding === undefined ? {} : {encoding}),
    open: (options = {}) => verified(bytes(options), {title, digest, size}),
  }
}

async function* storedBytes(stored: StoredPackage, file: string): AsyncGenerator<Uint8Array> {
  const place = `${stored.entryName}/${file}`
  if (stored.files.find(file, place) === undefined) {
    throw new InputError('LAYER_MISSING', {
      what: `The package's file '${file}' is missing.`,
      why: 'It is the layer in the compressed form that the image had.',
      suggestions: ['Restore it from a copy.', 'Or convert with --pins none: the image gets another manifest digest.'],
      at: {path: place},
    })
  }
  yield* streamFile(stored.files, file, place)
}

/** Reads a kept form to its end: digest, size, and that it holds the tar of `diffId`. Throws what is wrong with it. */
export async function checkPin(pin: LayerPin, diffId: Digest, options: WorkOptions): Promise<void> {
  const {descriptor, compression} = pin
  const {signal} = options
  const title = descriptor.digest
  const tar = decompress(pin.open(options), compression, {
    ...unpackOptions(options),
    title,
    code: 'LAYER_CORRUPT',
    signal,
  })
  for await (const _chunk of verified(tar, {title: `${title} (uncompressed)`, digest: diffId}));
}

import {compress, type WritableCompression} from '../../codecs/compression/compress.js'
import {decompress} from '../../codecs/compression/decompress.js'
import {encodeLayerTar} from '../../codecs/layer-tar/encode-layer-tar.js'
import {MemberCounter} from '../../codecs/tar/member-counter.js'
import {Digester, type Digest} from '../../model/digest.js'
import {InternalError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer, LayerBlob} from '../../model/image.js'
import {Handoff} from './handoff.js'
import {verified} from './verified.js'

export interface LayerWish {
  /** Compressions in which a stored layer is passed on as it is. */
  readonly accepts: readonly WritableCompression[]
  /** For layers that are encoded anew or cannot be passed on. */
  readonly compression: WritableCompression
  readonly level?: number | undefined
}

/** What is known of a layer when it has been written. */
export interface LayerFacts {
  readonly diffId: Digest
  /** Of the bytes as written. */
  readonly digest: Digest
  readonly size: number
  readonly compression: WritableCompression
  /** Members of the tar. */
  readonly entries: number
}

export interface LayerBody {
  readonly bytes: AsyncIterable<Uint8Array>
  /** To be called when `bytes` has been read to its end. */
  facts(): LayerFacts
}

/**
 * A layer in the form a destination stores: passed on unchanged where that will do, else unpacked and packed again, else
 * encoded from its entries. Whatever the source states (digest, size, diffID) is checked by the end of the bytes.
 */
export function layerBody(layer: Layer, wish: LayerWish, options: WorkOptions): LayerBody {
  const {blob} = layer
  const passed = blob === undefined ? undefined : wish.accepts.find((accepted) => accepted === blob.compression)
  const compression = passed ?? wish.compression
  const plain = new PlainWatch()
  const stored = new Digester()
  const bytes =
    blob === undefined
      ? compress(plain.watch(encodeLayerTar(layer.entries(options), {...options, keepFrames: true})), compression, {
          level: wish.level,
          signal: options.signal,
        })
      : passed === undefined
        ? compress(plain.watch(plainTar(layer, blob, options)), compression, {
            level: wish.level,
            signal: options.signal,
          })
        : passed === 'none'
          ? plain.watch(plainTar(layer, blob, options))
          : checkedAside(layer, blob, plain, options)
  let diffId: Digest | undefined
  let digest: Digest | undefined
  async function* digested(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      stored.update(chunk)
      yield chunk
    }
    digest = stored.digest()
    diffId = plain.digest()
  }
  return {
    bytes: digested(),
    facts: () => {
      if (diffId === undefined || digest === undefined) {
        throw new InternalError('INTERNAL', {what: `${layer.title} was asked for its digest before its end.`})
      }
      return {diffId, digest, size: stored.sizeBytes, compression, entries: plain.entries}
    },
  }
}

/** Digest and member count of an uncompressed tar that passes by. */
class PlainWatch {
  readonly #digester = new Digester()
  readonly #counter = new MemberCounter()

  async *watch(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar) {
      this.#digester.update(chunk)
      this.#counter.update(chunk)
      yield chunk
    }
  }

  digest(): Digest {
    return this.#digester.digest()
  }

  get entries(): number {
    return this.#counter.members
  }
}

/** The uncompressed tar of a stored layer, held against its diffID. */
function plainTar(layer: Layer, blob: LayerBlob, options: WorkOptions): AsyncIterable<Uint8Array> {
  return unpacked(layer, blob, blob.open(options), options)
}

function unpacked(
  {title, diffId}: Layer,
  {compression}: LayerBlob,
  body: AsyncIterable<Uint8Array>,
  {signal}: WorkOptions,
): AsyncIterable<Uint8Array> {
  const tar = decompress(body, compression, {title, code: 'LAYER_CORRUPT', signal})
  return diffId === undefined ? tar : verified(tar, {title: `${title} (uncompressed)`, digest: diffId})
}

/** The stored bytes unchanged, while a second reader unpacks them to check the diffID. */
async function* checkedAside(
  layer: Layer,
  blob: LayerBlob,
  plain: PlainWatch,
  options: WorkOptions,
): AsyncGenerator<Uint8Array> {
  const aside = new Handoff()
  let failure: {readonly error: unknown} | undefined
  const checking = (async () => {
    for await (const _chunk of plain.watch(unpacked(layer, blob, aside, options)));
  })().catch((error: unknown) => {
    failure = {error}
  })
  const requireSound = () => {
    if (failure !== undefined) throw failure.error
  }
  try {
    for await (const chunk of blob.open(options)) {
      await aside.push(chunk)
      requireSound()
      yield chunk
    }
  } finally {
    aside.end()
    await checking
  }
  requireSound()
}

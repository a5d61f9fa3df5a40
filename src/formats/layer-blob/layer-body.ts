import {compress, type WritableCompression} from '../../codecs/compression/compress.js'
import {decompress} from '../../codecs/compression/decompress.js'
import {MemberCounter} from '../../codecs/tar/member-counter.js'
import {digestAlgorithm, Digester, type Digest} from '../../model/digest.js'
import {InternalError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import type {Layer, LayerBlob} from '../../model/image.js'
import {Handoff} from './handoff.js'
import {rebuiltTar} from './rebuilt-tar.js'
import {verified} from '../../codecs/bytes/verified.js'

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
  /** Members of the tar; absent when it was not opened. */
  readonly entries?: number
}

export interface LayerBody {
  /** Of bytes that are passed on as they are: what they must turn out to be. */
  readonly stated?: Pick<LayerFacts, 'digest' | 'size'>
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
  // What is passed on was held against its descriptor where it was opened, and its tar against the diffID: each once.
  const statedDigest = passed === undefined ? undefined : sha256Of(blob?.descriptor.digest)
  const statedDiffId = blob === undefined ? undefined : sha256Of(layer.diffId)
  const plain = new PlainWatch(statedDiffId)
  const stored = new StoredWatch(statedDigest)
  const isUnopened = statedDigest !== undefined && statedDiffId !== undefined && blob?.isVouchedFor === true
  const bytes =
    blob === undefined
      ? compress(plain.watch(rebuiltTar(layer.entries(options), options)), compression, {
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
          : isUnopened
            ? blob.open(options)
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
    ...(passed === undefined || blob === undefined ? {} : {stated: blob.descriptor}),
    bytes: digested(),
    facts: () => {
      if (diffId === undefined || digest === undefined) {
        throw new InternalError('INTERNAL', {
          what: `The digest of ${layer.title} was read before the end of the layer.`,
        })
      }
      const {entries} = plain
      return {diffId, digest, size: stored.sizeBytes, compression, ...(entries === undefined ? {} : {entries})}
    },
  }
}

/** What we state of bytes is always SHA-256, whatever the source states. */
function sha256Of(digest: Digest | undefined): Digest | undefined {
  return digest === undefined || digestAlgorithm(digest) !== 'sha256' ? undefined : digest
}

/** Digest and size of bytes that pass by; the digest is not made again where it is known and checked by another. */
class StoredWatch {
  readonly #known: Digest | undefined
  readonly #digester = new Digester()
  sizeBytes = 0

  constructor(known: Digest | undefined) {
    this.#known = known
  }

  update(chunk: Uint8Array): void {
    this.sizeBytes += chunk.byteLength
    if (this.#known === undefined) this.#digester.update(chunk)
  }

  digest(): Digest {
    return this.#known ?? this.#digester.digest()
  }
}

/** Digest and member count of an uncompressed tar that passes by. */
class PlainWatch {
  readonly #stored: StoredWatch
  #counter: MemberCounter | undefined

  constructor(known: Digest | undefined) {
    this.#stored = new StoredWatch(known)
  }

  async *watch(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const counter = (this.#counter = new MemberCounter())
    for await (const chunk of tar) {
      this.#stored.update(chunk)
      counter.update(chunk)
      yield chunk
    }
  }

  digest(): Digest {
    return this.#stored.digest()
  }

  /** Undefined when no tar has passed by. */
  get entries(): number | undefined {
    return this.#counter?.members
  }
}

/** The uncompressed tar of a stored layer, held against its diffID. */
function plainTar(layer: Layer, blob: LayerBlob, options: WorkOptions): AsyncIterable<Uint8Array> {
  const body = blob.open(options)
  // The stored bytes are the tar itself, and were held against the same digest when they were opened.
  if (blob.compression === 'none' && layer.diffId === blob.descriptor.digest) return body
  return unpacked(layer, blob, body, options)
}

function unpacked(
  {title, diffId}: Layer,
  {compression}: LayerBlob,
  body: AsyncIterable<Uint8Array>,
  options: WorkOptions,
): AsyncIterable<Uint8Array> {
  const {signal} = options
  const tar = decompress(body, compression, {...unpackOptions(options), title, code: 'LAYER_CORRUPT', signal})
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

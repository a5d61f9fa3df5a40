import type {WritableCompression} from '../../codecs/compression/compress.js'
import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor, Layer} from '../../model/image.js'
import type {DestinationOptions, LayerArtifact} from '../../model/transport.js'
import {layerBody, type LayerBody, type LayerFacts} from './layer-body.js'

/** A layer as written; `M` is how the destination finds it again. */
export type WrittenLayer<M> =
  | {readonly kind: 'stored'; readonly facts: LayerFacts; readonly member: M}
  | {readonly kind: 'foreign'; readonly diffId: Digest; readonly descriptor: Descriptor}

/** A layer that the place had before. */
export interface KeptLayer<M> {
  readonly member: M
  /** Members of the tar; absent when it was not opened. */
  readonly entries?: number
}

/** Where layers are put, one at a time. */
export interface LayerShelf<M> {
  /** Compressions in which stored layers may be kept. */
  readonly takes: readonly WritableCompression[]
  /** Opens the body and reads it to its end, when its facts are known; where that fails, it may be opened once more. */
  put(open: () => LayerBody, options: WorkOptions): Promise<{readonly member: M; readonly facts: LayerFacts}>
  /** Takes back what was put last: it was there already under another description. */
  drop(member: M): Promise<void>
  /** Asked before a layer is read whose stored form is known; what is given back saves reading it from its source. */
  findKept?(layer: Layer, descriptor: Descriptor, options: WorkOptions): Promise<KeptLayer<M> | undefined>
}

/** Writes the layers of several images to one place, equal ones once. */
export class LayerWriter<M> {
  readonly #shelf: LayerShelf<M>
  readonly #wanted: WritableCompression | undefined
  readonly #level: number | undefined
  /** By digest as stored, and by diffID. */
  readonly #stored = new Map<string, WrittenLayer<M> & {kind: 'stored'}>()

  constructor(shelf: LayerShelf<M>, {compression, compressionLevel}: DestinationOptions) {
    this.#shelf = shelf
    this.#wanted = compression
    this.#level = compressionLevel
  }

  async write(layer: Layer, options: WorkOptions): Promise<WrittenLayer<M>> {
    if (!layer.hasContent) return foreignLayer(layer)
    const accepts = this.#accepts()
    const known = this.#known(layer, accepts) ?? (await this.#kept(layer, accepts, options))
    if (known !== undefined) return known
    const wish = {accepts, compression: this.#wanted ?? 'none', level: this.#level}
    const {member, facts} = await this.#shelf.put(() => layerBody(layer, wish, options), options)
    const same = this.#stored.get(facts.digest)
    if (same !== undefined) {
      await this.#shelf.drop(member)
      return same
    }
    return this.#remember({kind: 'stored', facts, member})
  }

  #remember(stored: WrittenLayer<M> & {kind: 'stored'}): WrittenLayer<M> {
    this.#stored.set(stored.facts.digest, stored)
    if (!this.#stored.has(stored.facts.diffId)) this.#stored.set(stored.facts.diffId, stored)
    return stored
  }

  #accepts(): readonly WritableCompression[] {
    const wanted = this.#wanted
    const {takes} = this.#shelf
    if (wanted === undefined || !takes.includes(wanted)) return takes
    // A level is a wish to compress anew.
    return this.#level === undefined || wanted === 'none' ? [wanted] : []
  }

  /** A blob that was written already need not be read again. */
  #known(layer: Layer, accepts: readonly string[]): WrittenLayer<M> | undefined {
    if (layer.blob === undefined) return undefined
    const isPassed = accepts.includes(layer.blob.compression)
    const known = this.#stored.get(isPassed ? layer.blob.descriptor.digest : (layer.diffId ?? ''))
    const isSame = layer.diffId === undefined || known?.facts.diffId === layer.diffId
    return isSame ? known : undefined
  }

  /** A layer that the place had before: it is not written, nor read from its source. */
  async #kept(
    layer: Layer,
    accepts: readonly WritableCompression[],
    options: WorkOptions,
  ): Promise<WrittenLayer<M> | undefined> {
    const {blob, diffId} = layer
    const compression = accepts.find((accepted) => accepted === blob?.compression)
    if (blob === undefined || diffId === undefined || compression === undefined) return undefined
    const kept = await this.#shelf.findKept?.(layer, blob.descriptor, options)
    if (kept === undefined) return undefined
    const {digest, size} = blob.descriptor
    const {member, ...counted} = kept
    return this.#remember({kind: 'stored', facts: {diffId, digest, size, compression, ...counted}, member})
  }
}

function foreignLayer<M>({title, diffId, blob}: Layer): WrittenLayer<M> {
  if (diffId !== undefined && blob !== undefined) return {kind: 'foreign', diffId, descriptor: blob.descriptor}
  throw new InputError('LAYER_MISSING', {
    what: `The source does not contain ${title}.`,
    why: 'It only names the layer, without the digest that a reference needs.',
    suggestions: ['Pass --base REFERENCE with an image that contains it.'],
    at: {path: title},
  })
}

/** What is reported of a written layer; the descriptor is the one that the manifest has of it. */
export function layerArtifact<M>(layer: WrittenLayer<M>, descriptor: Descriptor | undefined): LayerArtifact {
  const {facts, diffId} =
    layer.kind === 'stored'
      ? {facts: layer.facts, diffId: layer.facts.diffId}
      : {facts: {...layer.descriptor, entries: undefined}, diffId: layer.diffId}
  const {digest, size, entries} = facts
  return {
    diffId,
    digest,
    mediaType: descriptor?.mediaType ?? '',
    size,
    ...(entries === undefined ? {} : {entries}),
  }
}

import {closeSync, mkdirSync, openSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {decompress} from '../../codecs/compression/decompress.js'
import {GzipMatch} from '../../codecs/gzip-encoding/match-gzip.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer, LayerPin, PinMode} from '../../model/image.js'
import {unpackOptions} from '../../model/limits.js'
import {shown, type LayerTap} from '../../model/layer-tap.js'
import type {PackageDraft} from '../../model/transport.js'
import type {DockerJson, PinJson} from './schema.js'

/** What is kept of a layer that comes compressed; undefined where there is nothing to keep. */
export function pinOfLayer(layer: Layer): Omit<LayerPin, 'open'> | undefined {
  const {blob, hasContent, diffId} = layer
  if (blob === undefined || !hasContent || diffId === undefined) return undefined
  const {compression, descriptor} = blob
  return compression === 'gzip' || compression === 'zstd' ? {descriptor, compression} : undefined
}

type PinDraft = Pick<PackageDraft, 'layer' | 'pins' | 'keepRecipe' | 'tap'>

/** Digests of the compressed forms that a package is to keep. */
export function wantedPins({layer, pins = 'none', keepRecipe}: PinDraft): readonly string[] {
  if (pins === 'none' || !keepRecipe || layer === undefined) return []
  const own = pinOfLayer(layer)
  return [...(own === undefined ? [] : [own]), ...(layer.pins ?? [])].map(({descriptor}) => descriptor.digest)
}

/** Those of them that a package as it is described does not keep. */
export function missingPins(draft: PackageDraft, docker: DockerJson | undefined): readonly string[] {
  const kept = docker?.Layers?.[0]
  // Without the recipe, there is no tar that they could be the forms of.
  if (kept?.Recipe === undefined) return []
  return wantedPins(draft).filter((digest) => !(kept.Pins ?? []).some((pin) => pin.Digest === digest))
}

/** How a package keeps the form in which the draft's layer comes; undefined where it does not. */
export function findPin(draft: PackageDraft, docker: DockerJson | undefined): 'kept' | 'reproduced' | undefined {
  const [wanted] = wantedPins(draft)
  const pin = docker?.Layers?.[0]?.Pins?.find(({Digest}) => Digest === wanted)
  return pin === undefined ? undefined : pin.File === undefined ? 'reproduced' : 'kept'
}

/** Writes the pins of a layer into the folder of its package; what they are is known when the entries have passed. */
export class PinWriter {
  readonly #folder: string
  readonly #draft: PinDraft
  readonly #own: PinFile | undefined

  constructor(folder: string, draft: PinDraft) {
    this.#folder = folder
    this.#draft = draft
    const {layer, tap, pins = 'none'} = draft
    const pin = wantedPins(draft).length === 0 || layer === undefined ? undefined : pinOfLayer(layer)
    if (pin === undefined || tap === undefined) return
    this.#own = new PinFile(folder, pin, pins)
    tap.listen(this.#own)
  }

  /** What stands in the metadata. What the source keeps of its own is copied. */
  async finish(options: WorkOptions): Promise<readonly PinJson[]> {
    const {layer, tap, pins = 'none'} = this.#draft
    tap?.listen(undefined)
    const made = this.#own === undefined ? [] : [this.#own.finish()]
    if (wantedPins(this.#draft).length === 0) return made
    for (const pin of layer?.pins ?? []) {
      // Metadata may list one form twice.
      if (made.some(({Digest}) => Digest === pin.descriptor.digest)) continue
      made.push(await copyPin(this.#folder, pin, {...options, mode: pins}))
    }
    return made
  }

  /** After a failure too. */
  close(): void {
    this.#draft.tap?.listen(undefined)
    this.#own?.close()
  }
}

async function copyPin(
  folder: string,
  pin: LayerPin,
  {mode, ...options}: WorkOptions & {readonly mode: PinMode},
): Promise<PinJson> {
  const {descriptor, compression, encoding} = pin
  if (encoding !== undefined) return encodedPin(pin, encoding)
  const file = new PinFile(folder, pin, mode)
  try {
    const kept = pin.open(options)
    if (!file.asksForText) for await (const chunk of kept) file.stored(chunk)
    else {
      const body = shown(kept, (chunk) => {
        file.stored(chunk)
      })
      const {signal} = options
      const title = descriptor.digest
      const how = {...unpackOptions(options), title, code: 'LAYER_CORRUPT', signal} as const
      for await (const chunk of decompress(body, compression, how)) file.text(chunk)
    }
    return file.finish()
  } finally {
    file.close()
  }
}

const COMPRESSION_SUFFIX = {gzip: 'gz', zstd: 'zst'} as const

/** The compressed bytes of a layer, as a file of a package; taken away again where an encoder is found that makes them. */
class PinFile implements LayerTap {
  readonly #pin: Omit<LayerPin, 'open'>
  readonly #name: string
  readonly #file: string
  readonly #match: GzipMatch | undefined
  #fd: number | undefined

  constructor(folder: string, pin: Omit<LayerPin, 'open'>, mode: PinMode) {
    this.#pin = pin
    this.#name = `docker/${pin.descriptor.digest.replace(':', '-')}.tar.${COMPRESSION_SUFFIX[pin.compression]}`
    this.#file = path.join(folder, this.#name)
    this.#match = mode === 'reproduce' && pin.compression === 'gzip' ? new GzipMatch() : undefined
    mkdirSync(path.dirname(this.#file), {recursive: true})
    this.#fd = openSync(this.#file, 'wx')
  }

  get asksForText(): boolean {
    return this.#match !== undefined
  }

  stored(bytes: Uint8Array): void {
    writeFileSync(this.#fd ?? -1, bytes)
    this.#match?.addStream(bytes)
  }

  text(bytes: Uint8Array): void {
    this.#match?.addText(bytes)
  }

  finish(): PinJson {
    this.close()
    const recipe = this.#match?.finish()
    if (recipe === undefined) return {...factsOf(this.#pin), File: this.#name}
    rmSync(this.#file)
    return encodedPin(this.#pin, recipe)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

function encodedPin(pin: Omit<LayerPin, 'open'>, {encoder, header}: {encoder: string; header: Uint8Array}): PinJson {
  return {...factsOf(pin), Encoder: encoder, Header: Buffer.from(header).toString('base64')}
}

function factsOf({descriptor, compression}: Omit<LayerPin, 'open'>) {
  const {mediaType, digest, size} = descriptor
  return {MediaType: mediaType, Digest: digest, Size: size, Compression: compression}
}

import {placedError} from '../model/errors.js'
import type {StoredContent} from '../model/content-graph.js'
import type {WorkOptions} from '../model/events.js'
import type {EntriesOptions, Layer, LayerBlob} from '../model/image.js'
import type {LayerEntry} from '../model/layer-entry.js'
import type {LayerTap} from '../model/layer-tap.js'
import {storedBytesOf} from '../model/sparse-content.js'

/** Progress is told each time this many bytes have passed: often enough for a bar, too seldom to cost anything. */
const TELL_EVERY_BYTES = 4 * 2 ** 20

/** Bytes that reading a layer passes, as a `Meter` counts them: of a compressed one as it is stored. */
export function readSizeOf({blob, sizeBytes}: Layer): number | undefined {
  const stored = blob?.descriptor.size
  return isPacked(blob) ? stored : (sizeBytes ?? stored)
}

function isPacked(blob: LayerBlob | undefined): boolean {
  return blob !== undefined && blob.compression !== 'none'
}

/** Counts what is read from the layers of a source and tells it as `progress` events, cumulative per step. */
export class Meter {
  readonly #options: WorkOptions
  #total = 0
  #step: {id: string; bytes: number; told: number} | undefined

  constructor(options: WorkOptions) {
    this.#options = options
  }

  /** Bytes read so far, in all steps. */
  get bytes(): number {
    return this.#total
  }

  /** What is read from now on belongs to this step. */
  begin(id: string): void {
    this.#step = {id, bytes: 0, told: 0}
  }

  /** The same layer, counted. */
  layer(layer: Layer): Layer {
    const {blob} = layer
    return {
      ...layer,
      ...(blob === undefined ? {} : {blob: {...blob, open: (options) => this.#chunks(blob, options)}}),
      onRead: (bytes) => {
        this.#count(bytes)
      },
      entries: (options) => this.#entries(layer, options),
    }
  }

  /** The same blob, counted. */
  content(blob: StoredContent): StoredContent {
    return {...blob, open: (options) => this.#chunks(blob, options)}
  }

  async *#chunks(blob: Pick<LayerBlob, 'open'>, options: WorkOptions | undefined): AsyncGenerator<Uint8Array> {
    for await (const chunk of blob.open(options)) {
      this.#count(chunk.byteLength)
      yield chunk
    }
  }

  async *#entries(layer: Layer, options: EntriesOptions = {}): AsyncGenerator<LayerEntry> {
    const packed = isPacked(layer.blob)
    try {
      for await (const entry of layer.entries(packed ? {...options, tap: this.#tapped(options.tap)} : options)) {
        yield entry
        if (entry.kind === 'file' && !packed)
          this.#count(entry.content === undefined ? 0 : storedBytesOf(entry.content))
      }
    } catch (error) {
      throw placedError(error, {path: layer.title})
    }
  }

  /** How large the content of a compressed layer is, nobody knows before its end; how large its stored form is, all do. */
  #tapped(tap: LayerTap | undefined): LayerTap {
    return {
      stored: (bytes) => {
        this.#count(bytes.byteLength)
        tap?.stored(bytes)
      },
      text: (bytes) => tap?.text(bytes),
    }
  }

  #count(bytes: number): void {
    this.#total += bytes
    const step = this.#step
    if (step === undefined) return
    step.bytes += bytes
    if (step.bytes - step.told < TELL_EVERY_BYTES) return
    step.told = step.bytes
    this.#options.onEvent?.({kind: 'progress', id: step.id, bytes: step.bytes})
  }
}

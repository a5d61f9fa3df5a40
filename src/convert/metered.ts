import {placedError} from '../model/errors.js'
import type {StoredContent} from '../model/content-graph.js'
import type {WorkOptions} from '../model/events.js'
import type {EntriesOptions, Layer, LayerBlob} from '../model/image.js'
import type {LayerEntry} from '../model/layer-entry.js'
import type {LayerTap} from '../model/layer-tap.js'
import {storedBytesOf} from '../model/sparse-content.js'

/** Progress is told each time this many bytes have passed: often enough for a bar, too seldom to cost anything. */
const TELL_EVERY_BYTES = 4 * 2 ** 20

/** Bytes that reading a layer passes, as a `Meter` counts them: of a blob as it is stored. */
export function readSizeOf({blob, sizeBytes}: Layer): number | undefined {
  return blob?.descriptor.size ?? sizeBytes
}

/** Counts what is read from the layers of a source and tells it as `progress` events, cumulative per step. */
export class Meter {
  readonly #options: WorkOptions
  #total = 0
  #step: {id: string; bytes: number; told: number; readonly left: Set<string>; readonly layers: number} | undefined

  constructor(options: WorkOptions) {
    this.#options = options
  }

  /** Bytes read so far, in all steps. */
  get bytes(): number {
    return this.#total
  }

  /** What is read from now on belongs to this step, which passes these layers on. */
  begin(id: string, layers: readonly Pick<Layer, 'title'>[] = []): void {
    const left = new Set(layers.map(({title}) => title))
    this.#step = {id, bytes: 0, told: 0, left, layers: left.size}
  }

  /** A layer was read to its end; some are read more than once, and others only for what links in these lead to. */
  #pass({title}: Pick<Layer, 'title'>): void {
    const step = this.#step
    if (step === undefined || step.layers < 2 || !step.left.delete(title)) return
    const done = step.layers - step.left.size
    this.#options.onEvent?.({kind: 'part', id: step.id, noun: 'layer', done, of: step.layers})
  }

  /** The same layer, counted. */
  layer(layer: Layer): Layer {
    const {blob} = layer
    return {
      ...layer,
      ...(blob === undefined ? {} : {blob: {...blob, open: (options) => this.#chunks(blob, options, layer)}}),
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

  async *#chunks(
    blob: Pick<LayerBlob, 'open'>,
    options: WorkOptions | undefined,
    layer?: Layer,
  ): AsyncGenerator<Uint8Array> {
    for await (const chunk of blob.open(options)) {
      this.#count(chunk.byteLength)
      yield chunk
    }
    if (layer !== undefined) this.#pass(layer)
  }

  async *#entries(layer: Layer, options: EntriesOptions = {}): AsyncGenerator<LayerEntry> {
    const isBlob = layer.blob !== undefined
    try {
      for await (const entry of layer.entries(isBlob ? {...options, tap: this.#tapped(options.tap)} : options)) {
        yield entry
        if (entry.kind === 'file' && !isBlob)
          this.#count(entry.content === undefined ? 0 : storedBytesOf(entry.content))
      }
      this.#pass(layer)
    } catch (error) {
      throw placedError(error, {path: layer.title})
    }
  }

  /** How large the content of a blob is, nobody knows before its end; how large its stored form is, all do. */
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

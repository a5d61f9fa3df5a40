import {InputError} from './errors.js'
import {formatBytes} from './quantities.js'

/**
 * The most zeros that the holes of one layer are spelt out to, unless `maxUnpackedBytes` says otherwise: 16 GiB. A few
 * bytes can declare a hole of any size. What stays sparse does not count.
 */
export const DEFAULT_MAX_UNPACKED_BYTES = 16 * 2 ** 30

/** Counts what the holes of one layer are spelt out to. */
export class UnpackLimit {
  readonly #title: string
  readonly #maxBytes: number
  #bytes = 0

  /** `title` is how messages name the layer. */
  constructor(title: string, maxBytes = DEFAULT_MAX_UNPACKED_BYTES) {
    this.#title = title
    this.#maxBytes = maxBytes
  }

  /** Takes `bytes` of zeros out of what is left. `LIMIT_EXCEEDED` when that is less. */
  spend(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.#maxBytes) return
    throw new InputError('LIMIT_EXCEEDED', {
      what: `The holes of sparse files in ${this.#title} unpack to more than ${formatBytes(this.#maxBytes)}.`,
      why: `They take at least ${this.#bytes} bytes. A few bytes of input can declare any number.`,
      suggestions: ['If you trust the layer, allow more with --max-unpacked SIZE.'],
      at: {path: this.#title},
    })
  }
}

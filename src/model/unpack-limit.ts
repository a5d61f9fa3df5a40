import {InputError} from './errors.js'
import {LIMITS, type UnpackOptions} from './limits.js'
import {formatBytes} from './quantities.js'

const TRUSTED = 'If the source is to be trusted, allow more with'
/** Up to here a ratio says nothing; where a ratio was asked for, it holds earlier. */
const [DEFAULT_FLOOR_BYTES, GIVEN_FLOOR_BYTES] = [64 * 2 ** 20, 2 ** 20]

/** Counts what the holes of one layer are spelt out to. */
export class UnpackLimit {
  readonly #title: string
  readonly #maxBytes: number
  #bytes = 0

  /** `title` is how messages name the layer. */
  constructor(title: string, maxBytes: number = LIMITS.holes.value) {
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
      suggestions: [`${TRUSTED} --max-unpacked SIZE.`],
      at: {path: this.#title},
    })
  }
}

/** Watches what a stream unpacks to, in all and against what it was unpacked from. */
export class StreamLimit {
  readonly #title: string
  readonly #maxBytes: number
  readonly #maxRatio: number
  readonly #floorBytes: number
  #taken = 0
  #given = 0

  /** `title` is how messages name the stream. */
  constructor(title: string, {maxUnpackedBytes, maxRatio}: UnpackOptions) {
    this.#title = title
    this.#maxBytes = maxUnpackedBytes ?? LIMITS.unpacked.value
    this.#maxRatio = maxRatio ?? LIMITS.ratio.value
    this.#floorBytes = maxRatio === undefined ? DEFAULT_FLOOR_BYTES : GIVEN_FLOOR_BYTES
  }

  /** Bytes that went in. */
  take(bytes: number): void {
    this.#taken += bytes
  }

  /** Bytes that came out, where none went in to compare with. Throws `LIMIT_EXCEEDED`. */
  give(bytes: number): void {
    this.#given += bytes
    if (this.#given <= this.#maxBytes) return
    throw new InputError('LIMIT_EXCEEDED', {
      what: `${this.#title} unpacks to more than ${formatBytes(this.#maxBytes)}.`,
      suggestions: [`${TRUSTED} --max-unpacked SIZE.`],
      at: {path: this.#title},
    })
  }

  /** Bytes that came out of those that went in. Throws `LIMIT_EXCEEDED`. */
  unpack(bytes: number): void {
    this.give(bytes)
    if (this.#given <= this.#floorBytes || this.#given <= this.#taken * this.#maxRatio) return
    throw new InputError('LIMIT_EXCEEDED', {
      what: `${this.#title} unpacks to more than ${this.#maxRatio} times its size.`,
      why: `Its first ${this.#taken} bytes stand for at least ${this.#given}: data of such a kind is mostly made to fill disks.`,
      suggestions: [`${TRUSTED} --max-ratio N.`],
      at: {path: this.#title},
    })
  }
}

/** Counts the members of a layer, an archive or a package. */
export class EntryLimit {
  readonly #title: string
  readonly #most: number
  #count = 0

  /** `title` is how messages name the whole; `most` is what holds where no option says otherwise. */
  constructor(title: string, {maxEntries}: UnpackOptions, most: number = LIMITS.entries.value) {
    this.#title = title
    this.#most = maxEntries ?? most
  }

  /** Takes so many more. `LIMIT_EXCEEDED` when those are too many. */
  add(count = 1): void {
    this.#count += count
    if (this.#count <= this.#most) return
    throw new InputError('LIMIT_EXCEEDED', {
      what: `${this.#title} has more than ${this.#most} entries.`,
      suggestions: [`${TRUSTED} --max-entries N.`],
      at: {path: this.#title},
    })
  }
}

/** Throws `LIMIT_EXCEEDED` for a name with too many folders in front. `title` is how messages name what holds it. */
export function requireDepth(name: string, title: string, {maxNameDepth}: UnpackOptions): void {
  const most = maxNameDepth ?? LIMITS.nameDepth.value
  // A name has no more components than half its length, so that most need no count.
  if (name.length < 2 * most) return
  let depth = 1
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) depth++
  if (depth <= most) return
  throw new InputError('LIMIT_EXCEEDED', {
    what: `A name in ${title} has ${depth} components; ${most} are the most that are taken.`,
    why: `It begins with '${name.slice(0, 100)}'.`,
    suggestions: [`${TRUSTED} --max-name-depth N.`],
    at: {path: title},
  })
}

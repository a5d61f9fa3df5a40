import {InputError} from '../../model/errors.js'
import type {SparseRange} from '../../model/content.js'

/*
 * `EntryFrame.archive`: how a tar spelt an entry that the canonical writer would spell differently. Either the header
 * blocks and what the body is made of, or raw bytes that stand for no entry. Numbers are LEB128.
 */

/** What stands behind the header blocks. */
export type FramedBody =
  /** The entry's content. */
  | {readonly kind: 'content'}
  /** Bytes that are not the entry's content: of a whiteout, a link, a directory. */
  | {readonly kind: 'inline'; readonly bytes: Uint8Array}
  /** A map as stored, then only these ranges of the entry's content. */
  | {readonly kind: 'sparse'; readonly mapBytes: Uint8Array; readonly ranges: readonly SparseRange[]}

/**
 * Where raw bytes stand: instead of zero padding, in front of a member, or behind the end blocks; where a tar stops short,
 * instead of the last padding and the end blocks, or of the end blocks alone.
 */
export type RawPlace = 'padding' | 'global' | 'end' | 'short-padding' | 'short-end'

export type ArchiveFrame =
  | {
      readonly kind: 'member'
      readonly header: Uint8Array
      readonly body: FramedBody
      /** What stands instead of zeros behind the body before it, where that belongs to the same entry. */
      readonly before?: Uint8Array
    }
  | {readonly kind: 'raw'; readonly place: RawPlace; readonly bytes: Uint8Array}

const CONTENT = 3
const INLINE = 4
const SPARSE = 5
const BEFORE = 8
const RAW_KINDS: Readonly<Record<RawPlace, number>> = {
  padding: 0,
  global: 1,
  end: 2,
  'short-padding': 6,
  'short-end': 7,
}
const RAW_PLACES = new Map<number, RawPlace>([
  [0, 'padding'],
  [1, 'global'],
  [2, 'end'],
  [6, 'short-padding'],
  [7, 'short-end'],
])

export function encodeArchiveFrame(frame: ArchiveFrame): Uint8Array {
  if (frame.kind === 'raw') return Buffer.concat([Buffer.of(RAW_KINDS[frame.place]), frame.bytes])
  const {header, body, before} = frame
  const lead = before === undefined ? [] : [Buffer.of(BEFORE), encodeNumber(before.byteLength), before]
  const start = (kind: number) => [...lead, Buffer.of(kind), encodeNumber(header.byteLength), header]
  switch (body.kind) {
    case 'content':
      return Buffer.concat(start(CONTENT))
    case 'inline':
      return Buffer.concat([...start(INLINE), body.bytes])
    case 'sparse': {
      const ranges = body.ranges.flatMap((range) => [encodeNumber(range.offset), encodeNumber(range.length)])
      const {mapBytes} = body
      return Buffer.concat([
        ...start(SPARSE),
        encodeNumber(mapBytes.byteLength),
        mapBytes,
        encodeNumber(body.ranges.length),
        ...ranges,
      ])
    }
  }
}

/** Throws `RECIPE_CORRUPT`. */
export function decodeArchiveFrame(bytes: Uint8Array): ArchiveFrame {
  const reader = new NumberReader(bytes)
  const kind = reader.byte()
  const place = RAW_PLACES.get(kind)
  if (place !== undefined) return {kind: 'raw', place, bytes: reader.rest()}
  if (kind !== BEFORE) return takeMember(reader, kind)
  const before = reader.bytes(reader.number())
  return {...takeMember(reader, reader.byte()), before}
}

function takeMember(reader: NumberReader, kind: number): ArchiveFrame & {kind: 'member'} {
  const header = reader.bytes(reader.number())
  switch (kind) {
    case CONTENT:
      return {kind: 'member', header, body: {kind: 'content'}}
    case INLINE:
      return {kind: 'member', header, body: {kind: 'inline', bytes: reader.rest()}}
    case SPARSE: {
      const mapBytes = reader.bytes(reader.number())
      const ranges: SparseRange[] = []
      for (let left = reader.number(); left > 0; left--) ranges.push({offset: reader.number(), length: reader.number()})
      return {kind: 'member', header, body: {kind: 'sparse', mapBytes, ranges}}
    }
    default:
      throw corrupt()
  }
}

function corrupt(): InputError {
  return new InputError('RECIPE_CORRUPT', {
    what: 'A recipe is damaged: the frame of an entry is not valid.',
    suggestions: ['Convert without the recipe (--no-keep-recipe), or restore the repository from a copy.'],
  })
}

/** LEB128: seven bits a byte, lowest first. */
export function encodeNumber(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** Reads what `encodeNumber` and its like have written; `RECIPE_CORRUPT` past the end. */
export class NumberReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw corrupt()
    return byte
  }

  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (!Number.isSafeInteger(value)) throw corrupt()
      if (byte < 0x80) return value
    }
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.byteLength) throw corrupt()
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.byteLength - this.#at)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength
  }
}

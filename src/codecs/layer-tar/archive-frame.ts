import type {SparseRange} from '../../model/content.js'
import {recipeCorrupt, RecordReader} from '../bytes/record-reader.js'
import {RecordWriter} from '../bytes/record-writer.js'

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
  const out = new RecordWriter()
  if (frame.kind === 'raw') return out.byte(RAW_KINDS[frame.place]).bytes(frame.bytes).finish()
  const {header, body, before} = frame
  if (before !== undefined) out.byte(BEFORE).block(before)
  switch (body.kind) {
    case 'content':
      return out.byte(CONTENT).block(header).finish()
    case 'inline':
      return out.byte(INLINE).block(header).bytes(body.bytes).finish()
    case 'sparse': {
      out.byte(SPARSE).block(header).block(body.mapBytes).number(body.ranges.length)
      for (const {offset, length} of body.ranges) out.number(offset).number(length)
      return out.finish()
    }
  }
}

/** Throws `RECIPE_CORRUPT`. */
export function decodeArchiveFrame(bytes: Uint8Array): ArchiveFrame {
  const reader = new RecordReader(bytes)
  const kind = reader.byte()
  const place = RAW_PLACES.get(kind)
  if (place !== undefined) return {kind: 'raw', place, bytes: reader.rest()}
  if (kind !== BEFORE) return takeMember(reader, kind)
  const before = reader.block()
  return {...takeMember(reader, reader.byte()), before}
}

function takeMember(reader: RecordReader, kind: number): ArchiveFrame & {kind: 'member'} {
  const header = reader.block()
  switch (kind) {
    case CONTENT:
      return {kind: 'member', header, body: {kind: 'content'}}
    case INLINE:
      return {kind: 'member', header, body: {kind: 'inline', bytes: reader.rest()}}
    case SPARSE: {
      const mapBytes = reader.block()
      const ranges: SparseRange[] = []
      for (let left = reader.number(); left > 0; left--) ranges.push({offset: reader.number(), length: reader.number()})
      return {kind: 'member', header, body: {kind: 'sparse', mapBytes, ranges}}
    }
    default:
      throw recipeCorrupt('The frame of an entry is of no known kind.')
  }
}

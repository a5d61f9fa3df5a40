import {InputError} from '../../model/errors.js'
import {isMicrosoftTag, reparseTagName, ReparseTag} from './reparse-tag.js'

/** A symbolic link or a junction (mount point), as stored. */
export interface ReparseLink {
  readonly kind: 'symlink' | 'junction'
  readonly tag: number
  /** What the kernel follows: an NT path such as `\??\C:\dir`, or a relative one. */
  readonly substituteName: string
  /** What is shown to users; Microsoft's tar keeps only this one. May be empty. */
  readonly printName: string
  /** SYMLINK_FLAG_*: 1 = relative. Always 0 for a junction, which has no such field. */
  readonly flags: number
}

/** A reparse point of any other kind, kept verbatim. */
export interface ReparseOther {
  readonly kind: 'other'
  readonly tag: number
  /** Name of the tag for display. */
  readonly name: string
  /** GUID of a tag that is not Microsoft's, `{xxxxxxxx-xxxx-…}`. */
  readonly guid?: string
  /** What follows the head (and the GUID). */
  readonly data: Uint8Array
}

/** A link, or a reparse point of another kind. */
export type ReparsePoint = ReparseLink | ReparseOther

/** Bytes of REPARSE_DATA_BUFFER before the tag's own data. */
const HEAD_BYTES = 8
/** Bytes of REPARSE_GUID_DATA_BUFFER before the data. */
const GUID_BYTES = 16
/** Most bytes after the head that Windows accepts: 16 KiB less the head. Source: MAXIMUM_REPARSE_DATA_BUFFER_SIZE. */
export const MAX_REPARSE_DATA_BYTES = 16376

function corrupt(why: string, offset: number): InputError {
  return new InputError('REPARSE_CORRUPT', {what: 'The reparse point is damaged.', why, at: {offset}})
}

/**
 * Decodes a REPARSE_DATA_BUFFER with its head. Throws `REPARSE_CORRUPT` when the buffer is shorter than its own fields
 * say. Bytes after the stated length are ignored. Source: MS-FSCC 2.1.2.2 to 2.1.2.5.
 */
export function decodeReparsePoint(buffer: Uint8Array): ReparsePoint {
  if (buffer.byteLength < HEAD_BYTES) throw corrupt(`Expected a header of 8 bytes, found ${buffer.byteLength}.`, 0)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const tag = view.getUint32(0, true) //        0  ReparseTag
  const dataBytes = view.getUint16(4, true) //  4  ReparseDataLength: after the head (and the GUID), bytes
  //                                            6  Reserved
  const isLink = tag === ReparseTag.symlink || tag === ReparseTag.mountPoint
  if (isLink) return decodeLink(view, tag, dataBytes)
  const start = isMicrosoftTag(tag) ? HEAD_BYTES : HEAD_BYTES + GUID_BYTES
  const end = start + dataBytes
  if (end > buffer.byteLength)
    throw corrupt(
      `Its header states ${dataBytes} bytes of data, but it has ${Math.max(0, buffer.byteLength - start)}.`,
      4,
    )
  const data = buffer.subarray(start, end)
  const name = reparseTagName(tag)
  return isMicrosoftTag(tag)
    ? {kind: 'other', tag, name, data}
    : {kind: 'other', tag, name, guid: guidAt(view, 8), data}
}

function decodeLink(view: DataView, tag: number, dataBytes: number): ReparseLink {
  const kind = tag === ReparseTag.symlink ? 'symlink' : 'junction'
  const paths = kind === 'symlink' ? 20 : 16
  const end = HEAD_BYTES + dataBytes
  if (end > view.byteLength)
    throw corrupt(`Its header states ${dataBytes} bytes of data, but it has ${view.byteLength - HEAD_BYTES}.`, 4)
  if (end < paths) throw corrupt(`${dataBytes} bytes are too few for a ${kind}.`, 4)
  const substituteOffset = view.getUint16(8, true) //   8  SubstituteNameOffset: from the path buffer, bytes
  const substituteBytes = view.getUint16(10, true) //  10  SubstituteNameLength: without a NUL, bytes
  const printOffset = view.getUint16(12, true) //      12  PrintNameOffset
  const printBytes = view.getUint16(14, true) //       14  PrintNameLength
  const flags = kind === 'symlink' ? view.getUint32(16, true) : 0 // 16  Flags, symlinks only
  return {
    kind,
    tag,
    substituteName: nameAt(view, paths + substituteOffset, substituteBytes, end, 8),
    printName: nameAt(view, paths + printOffset, printBytes, end, 12),
    flags,
  }
}

function nameAt(view: DataView, start: number, bytes: number, end: number, fieldOffset: number): string {
  if (bytes % 2 !== 0) throw corrupt(`A name has an odd length of ${bytes} bytes.`, fieldOffset + 2)
  if (start + bytes > end)
    throw corrupt(`A name spans bytes ${start} to ${start + bytes}, but the buffer ends at ${end}.`, fieldOffset)
  return Buffer.from(view.buffer, view.byteOffset + start, bytes).toString('utf16le')
}

function guidAt(view: DataView, offset: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  const tail = Array.from({length: 8}, (_, index) => hex(view.getUint8(offset + 8 + index), 2)).join('')
  const first = [
    hex(view.getUint32(offset, true), 8),
    hex(view.getUint16(offset + 4, true), 4),
    hex(view.getUint16(offset + 6, true), 4),
  ]
  return `{${[...first, tail.slice(0, 4), tail.slice(4)].join('-')}}`
}

import type {ExtendedAttribute} from '../../model/windows-metadata.js'
import {wimFault} from './wim-fault.js'

/** An item behind the names of an entry. */
export interface TaggedItem {
  readonly tag: number
  readonly data: Uint8Array
}

/** Tags that are known. Source: wimlib src/tagged_items.c. */
export const ItemTag = {
  objectId: 0x1,
  extendedAttributes: 0x2,
  unixData: 0x337dd873,
  linuxAttributes: 0x337dd874,
} as const

const HEAD_BYTES = 8
const ATTRIBUTE_HEAD_BYTES = 4

/** The items in the rest of an entry; those of tag 0 are padding. Throws `ARCHIVE_CORRUPT` for one that is cut. */
export function decodeTaggedItems(bytes: Buffer): TaggedItem[] {
  const items: TaggedItem[] = []
  for (let at = 0; at + HEAD_BYTES <= bytes.byteLength;) {
    const tag = bytes.readUInt32LE(at) //        0
    const length = bytes.readUInt32LE(at + 4) // 4  bytes, without padding
    const start = at + HEAD_BYTES
    if (start + length > bytes.byteLength) throw wimFault(`An item of ${length} bytes runs past the end of its entry.`)
    if (tag !== 0) items.push({tag, data: bytes.subarray(start, start + length)})
    at = start + Math.ceil(length / 8) * 8
  }
  return items
}

/**
 * Extended attributes as DISM /EA keeps them: without padding. Throws `ARCHIVE_CORRUPT`. Source: wimlib xattr.h,
 * struct wimlib_xattr_entry.
 */
export function decodeItemAttributes(data: Uint8Array): ExtendedAttribute[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const attributes: ExtendedAttribute[] = []
  for (let at = 0; at < bytes.byteLength;) {
    if (at + ATTRIBUTE_HEAD_BYTES > bytes.byteLength) throw wimFault('An extended attribute is cut off.')
    const valueBytes = bytes.readUInt16LE(at) //    0  bytes
    const nameBytes = bytes.readUInt8(at + 2) //    2  without NUL, bytes
    const flags = bytes.readUInt8(at + 3) //        3  0x80 NEED_EA
    const nameStart = at + ATTRIBUTE_HEAD_BYTES
    const valueStart = nameStart + nameBytes + 1
    at = valueStart + valueBytes
    if (nameBytes === 0 || at > bytes.byteLength) throw wimFault('An extended attribute is cut off.')
    attributes.push({
      name: bytes.toString('latin1', nameStart, nameStart + nameBytes),
      flags,
      value: bytes.subarray(valueStart, at),
    })
  }
  return attributes
}

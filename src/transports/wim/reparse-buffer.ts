import type {WimReparse} from '../../codecs/wim/entry.js'
import {decodeReparsePoint} from '../../codecs/reparse-point/decode-reparse-point.js'
import {isMicrosoftTag} from '../../codecs/reparse-point/reparse-tag.js'
import {InputError} from '../../model/errors.js'

const HEAD_BYTES = 8
const GUID_BYTES = 16
const RELATIVE = 1

/**
 * The whole buffer: a WIM keeps the data without the head. Throws `REPARSE_CORRUPT` for a tag of another vendor without
 * its GUID. Source: wimlib src/reparse.c.
 */
export function encodeReparseBuffer({tag, reserved}: WimReparse, data: Buffer): Buffer {
  const guidBytes = isMicrosoftTag(tag) ? 0 : GUID_BYTES
  if (data.byteLength < guidBytes) {
    throw new InputError('REPARSE_CORRUPT', {
      what: 'The reparse point is damaged.',
      why: `Its tag 0x${tag.toString(16)} needs a GUID of 16 bytes, but only ${data.byteLength} remain.`,
    })
  }
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(tag, 0) //                           0  ReparseTag
  head.writeUInt16LE(data.byteLength - guidBytes, 4) //   4  ReparseDataLength: after the head and the GUID, bytes
  head.writeUInt16LE(reserved, 6) //                      6  Reserved
  return Buffer.concat([head, data])
}

/**
 * The link with its target on drive C, where the root of a container is: a capture that fixes links lets those into the
 * captured tree point to a drive that stands for its root. Relative links, and those to volumes, shares and devices stay.
 * Source: wimlib src/win32_apply.c.
 */
export function rootedOnC(buffer: Buffer): Buffer {
  const point = decodeReparsePoint(buffer)
  if (point.kind === 'other' || (point.flags & RELATIVE) !== 0) return buffer
  if (!/^\\\?\?\\[A-Za-z]:(\\|$)/.test(point.substituteName)) return buffer
  const fixed = Buffer.from(buffer)
  const paths = point.kind === 'symlink' ? 20 : 16
  // The letter alone changes, so that all offsets and lengths stay.
  fixed.write('C', paths + fixed.readUInt16LE(8) + 2 * '\\??\\'.length, 'utf16le')
  const print = /^(\\\\\?\\|\\\?\?\\)?[A-Za-z]:(\\|$)/.exec(point.printName)
  if (print !== null) fixed.write('C', paths + fixed.readUInt16LE(12) + 2 * (print[1] ?? '').length, 'utf16le')
  return fixed
}

import {BLOCK_BYTES, isZero} from './tar-header.js'

/**
 * True when the first block of a file makes it a tar: the magic of POSIX and GNU, else, as tars of version 7 have none, a
 * checksum that is right; a block of zeros begins an empty one. Source: POSIX pax, ustar interchange format.
 */
export function isTarStart(block: Uint8Array): boolean {
  if (block.byteLength > 262 && Buffer.from(block.subarray(257, 262)).toString('latin1') === 'ustar') return true
  if (block.byteLength < BLOCK_BYTES) return false
  return isZero(block) || hasChecksum(block)
}

/** The field itself counts as spaces; some old tools summed signed bytes. */
function hasChecksum(block: Uint8Array): boolean {
  const text = Buffer.from(block.subarray(148, 156)).toString('latin1').replaceAll('\0', ' ').trim()
  if (!/^[0-7]{1,7}$/.test(text)) return false
  const stated = Number.parseInt(text, 8)
  let [unsigned, signed] = [0, 0]
  for (const [at, byte] of block.entries()) {
    const own = at >= 148 && at < 156 ? 0x20 : byte
    unsigned += own
    signed += own < 128 ? own : own - 256
  }
  return stated === unsigned || stated === signed
}

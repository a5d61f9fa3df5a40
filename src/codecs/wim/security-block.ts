import {wimFault} from './wim-fault.js'

/** The security descriptors of an image, by number. */
export interface SecurityBlock {
  readonly descriptors: readonly Uint8Array[]
  /** Where the root entry starts, bytes. */
  readonly end: number
}

const HEAD_BYTES = 8

/** Decodes the block that metadata begin with. Throws `ARCHIVE_CORRUPT`. Source: wimlib src/security.c. */
export function decodeSecurityBlock(bytes: Buffer): SecurityBlock {
  if (bytes.byteLength < HEAD_BYTES) throw wimFault(`The metadata of an image has ${bytes.byteLength} bytes.`)
  const stated = bytes.readUInt32LE(0) // 0  length of the block, bytes; 0 stands for 8
  const count = bytes.readUInt32LE(4) //  4  descriptors
  const end = Math.max(HEAD_BYTES, Math.ceil(stated / 8) * 8)
  const lengthsEnd = HEAD_BYTES + 8 * count
  if (end > bytes.byteLength || lengthsEnd > end)
    throw wimFault(`${count} security descriptors do not fit into a block of ${stated} bytes.`)
  const descriptors: Uint8Array[] = []
  let at = lengthsEnd
  for (let index = 0; index < count; index++) {
    const length = bytes.readBigUInt64LE(HEAD_BYTES + 8 * index)
    if (length > BigInt(end - at))
      throw wimFault(`Security descriptor ${index} has ${length} bytes, but only ${end - at} remain.`)
    descriptors.push(bytes.subarray(at, at + Number(length)))
    at += Number(length)
  }
  return {descriptors, end}
}

import {InputError} from '../../model/errors.js'
import {decodeReparsePoint, MAX_REPARSE_DATA_BYTES} from './decode-reparse-point.js'
import {ReparseTag} from './reparse-tag.js'

/** Tag, length of the data, and two bytes that are reserved. */
const HEAD_BYTES = 8

/** What a tar knows of a link: its kind and its print name. */
export interface LinkTarget {
  readonly kind: 'symlink' | 'junction'
  /** Windows spelling, backslashes: `C:\dir`, `\\server\share`, `\\?\Volume{…}\`, `..\x`. */
  readonly target: string
}

/**
 * Encodes a link as Microsoft's own code does: substitute name first, derived from the target, then the target as print
 * name, each with a NUL that its length does not count. A target that is neither `\\?\…`, `\\…` nor `X:…` counts as
 * relative. Throws `LIMIT_EXCEEDED` beyond the 16 KiB that Windows takes. Source: go-winio reparse.go EncodeReparsePoint.
 */
export function encodeReparsePoint(link: LinkTarget): Uint8Array {
  const {substitute, relative} = substituteOf(link.target)
  const substituteBytes = substitute.length * 2
  const printBytes = link.target.length * 2
  const paths = HEAD_BYTES + fieldBytes(link)
  const dataBytes = dataBytesOf(link)
  if (dataBytes > MAX_REPARSE_DATA_BYTES) {
    throw new InputError('LIMIT_EXCEEDED', {
      what: `The link target ${JSON.stringify(link.target.slice(0, 100))}… is too long for a reparse point.`,
      why: `It needs ${dataBytes} bytes; Windows allows ${MAX_REPARSE_DATA_BYTES}.`,
    })
  }
  const buffer = Buffer.alloc(HEAD_BYTES + dataBytes)
  buffer.writeUInt32LE(link.kind === 'symlink' ? ReparseTag.symlink : ReparseTag.mountPoint, 0) // ReparseTag
  buffer.writeUInt16LE(dataBytes, 4) //             4  ReparseDataLength
  buffer.writeUInt16LE(0, 6) //                     6  Reserved
  buffer.writeUInt16LE(0, 8) //                     8  SubstituteNameOffset
  buffer.writeUInt16LE(substituteBytes, 10) //     10  SubstituteNameLength
  buffer.writeUInt16LE(substituteBytes + 2, 12) // 12  PrintNameOffset
  buffer.writeUInt16LE(printBytes, 14) //          14  PrintNameLength
  if (link.kind === 'symlink') buffer.writeUInt32LE(relative ? 1 : 0, 16) // 16  Flags
  buffer.write(substitute, paths, 'utf16le')
  buffer.write(link.target, paths + substituteBytes + 2, 'utf16le')
  return buffer
}

/** The NT path that the kernel follows. Source: as above. */
function substituteOf(target: string): {substitute: string; relative: boolean} {
  if (target.startsWith('\\\\?\\')) return {substitute: `\\??\\${target.slice(4)}`, relative: false}
  if (target.startsWith('\\\\')) return {substitute: `\\??\\UNC\\${target.slice(2)}`, relative: false}
  if (/^[A-Za-z]:/.test(target)) return {substitute: `\\??\\${target}`, relative: false}
  return {substitute: target, relative: true}
}

/** The target as a tar's link name states it: Microsoft's reader turns every `/` into `\`. Source: go-winio backuptar. */
export function linkNameToTarget(linkName: string): string {
  return linkName.replaceAll('/', '\\')
}

/**
 * The link whose encoding gives exactly this buffer also after passing through a tar; undefined when a tar cannot carry
 * the buffer (another tag, another layout of the same names, a name that is empty or no valid Unicode, damage).
 */
export function findExactLink(buffer: Uint8Array): LinkTarget | undefined {
  const link = findLink(buffer)
  if (link === undefined || link.target === '' || /[\0/]|\p{Surrogate}/u.test(link.target)) return undefined
  return dataBytesOf(link) > MAX_REPARSE_DATA_BYTES || Buffer.compare(encodeReparsePoint(link), buffer) !== 0
    ? undefined
    : link
}

/** Bytes behind the head of a link that is encoded: its fields, and two names with a NUL each. */
function dataBytesOf(link: LinkTarget): number {
  return fieldBytes(link) + (substituteOf(link.target).substitute.length + 1 + link.target.length + 1) * 2
}

/** Places and lengths of both names; a symbolic link has flags as well. */
function fieldBytes({kind}: LinkTarget): number {
  return kind === 'symlink' ? 12 : 8
}

/** Kind and print name, as Microsoft's tar writer takes them; undefined when the buffer is damaged or no link. */
export function findLink(buffer: Uint8Array): LinkTarget | undefined {
  try {
    const point = decodeReparsePoint(buffer)
    return point.kind === 'other' ? undefined : {kind: point.kind, target: point.printName}
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

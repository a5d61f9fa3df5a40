import {isUtf8} from 'node:buffer'
import {findPaxNumber, findPaxRecords, isPaxTime, type PaxRecords} from './pax.js'
import type {TarHeader} from './tar-header.js'

/*
 * What one member's headers say together: extension members (PAX, GNU long names) in front, and the header itself. Readers
 * differ over headers that contradict each other; the rule here is Go's archive/tar, which Docker and hcsshim read with,
 * and what Go, GNU tar and bsdtar read as different things is a fault instead of a guess.
 */

/** What a member is. `other` = a type that stands for no file of a layer; `typeflag` tells which. */
export type MemberKind = 'file' | 'directory' | 'symlink' | 'hard-link' | 'device' | 'other'

const KINDS: Readonly<Record<string, MemberKind>> = {
  '0': 'file',
  '\0': 'file',
  S: 'file',
  '5': 'directory',
  '2': 'symlink',
  '1': 'hard-link',
  '3': 'device',
  '4': 'device',
  '6': 'device',
}

/** Types that some tar writer uses and no layer has, for messages. Source: GNU tar tar.h, star, Solaris, POSIX. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  '7': 'a contiguous file, which Docker refuses and Windows imports empty',
  A: 'an access control list of Solaris',
  D: "a directory's list of names in a GNU incremental backup",
  E: 'an extended attribute of Solaris',
  I: 'an inode without content, from a star backup',
  M: 'the second part of a file that GNU tar split over volumes',
  N: "a GNU tar's old list of long names",
  V: 'the label of a GNU tape volume',
  X: 'an extended header of Solaris, older than PAX',
}

/** `type 'D' (…)`, for messages. */
export function describeTypeflag(typeflag: string): string {
  const known = OTHER_TYPES[typeflag]
  return `type ${JSON.stringify(typeflag)}${known === undefined ? '' : ` (${known})`}`
}

/** True for a member that only says more about the next one, or about all that follow (`g`). */
export function isExtension(typeflag: string): boolean {
  return typeflag === 'x' || typeflag === 'g' || typeflag === 'L' || typeflag === 'K'
}

/** Links, directories and devices have no body, whatever their size field says. Source: Go archive/tar isHeaderOnlyType. */
export function hasBody(typeflag: string): boolean {
  return !['1', '2', '3', '4', '5', '6'].includes(typeflag)
}

/** Records of a global header that would change what this tool reads of later members. Go ignores them, GNU tar obeys. */
const GLOBAL_MATTERS =
  /^(?:path|linkpath|size|mtime|atime|ctime|GNU\.sparse\..*|MSWINDOWS\..*|LIBARCHIVE\.creationtime|TRANSSHIP\..*)$/

/** What a member's headers say. */
export interface MemberFacts {
  readonly kind: MemberKind
  /** As spelt; ill-formed UTF-8 shows as U+FFFD and sets `isIllFormed`. */
  readonly name: string
  readonly linkname: string
  /** The name or link name is no UTF-8: overlong forms and surrogates included. */
  readonly isIllFormed: boolean
  readonly pax: PaxRecords
  /** Bytes of body as stored. */
  readonly storedSize: number
}

const NO_RECORDS: PaxRecords = new Map()

/** Gathers the extension members in front of one member. Its faults are sentences. */
export class ExtensionHeaders {
  #pax: PaxRecords = NO_RECORDS
  #longName: Uint8Array | undefined
  #longLink: Uint8Array | undefined
  #count = 0

  /** Takes the body of an extension member in. Of two of a kind the last one stands alone: records are not merged. */
  take(typeflag: string, body: Uint8Array): string | undefined {
    if (typeflag === 'g') return this.#global(body)
    this.#count++
    if (typeflag === 'L') this.#longName = untilNul(body)
    else if (typeflag === 'K') this.#longLink = untilNul(body)
    else {
      const records = findPaxRecords(body)
      if (records === undefined) return 'A PAX header is malformed.'
      this.#pax = records
    }
    return undefined
  }

  #global(body: Uint8Array): string | undefined {
    if (this.#count > 0)
      return 'A global PAX header separates a member from its own extended header. Readers disagree on which one applies.'
    const records = findPaxRecords(body)
    if (records === undefined) return 'A global PAX header is malformed.'
    for (const [key, value] of records) {
      if (value === '' || !GLOBAL_MATTERS.test(key)) continue
      return `A global PAX header states '${key}' for all following members. Some readers obey it, others ignore it.`
    }
    return undefined
  }

  /** What the member is, with its own header; a fault as a sentence. */
  resolve(header: TarHeader): MemberFacts | string {
    const pax = this.#pax
    const path = bytesOf(pax.get('path'))
    const linkpath = bytesOf(pax.get('linkpath'))
    if (differ(path, this.#longName))
      return 'A member has two names, one in its PAX header and one in its GNU long name.'
    if (differ(linkpath, this.#longLink))
      return 'A member has two link targets, one in its PAX header and one in its GNU long link.'
    const name = orElse(this.#longName, path) ?? ustarName(header)
    const linkname = orElse(this.#longLink, linkpath) ?? header.linkname
    const stated = pax.get('size') ?? ''
    const size = stated === '' ? header.size : findPaxNumber(stated)
    if (size === undefined) return 'A PAX size is not a number.'
    for (const key of ['mtime', 'atime', 'ctime']) {
      const time = pax.get(key) ?? ''
      if (time !== '' && !isPaxTime(time)) return `A PAX header's ${key} is not a time.`
    }
    for (const key of ['uid', 'gid'])
      if (!/^(?:[+-]?[0-9]+)?$/.test(pax.get(key) ?? '')) return `A PAX header's ${key} is not a number.`
    const kind = kindOf(header.typeflag, name)
    const storedSize = kind === 'directory' || !hasBody(header.typeflag) ? 0 : size
    if (kind === 'directory' && header.typeflag !== '5' && size > 0)
      return `A member has the name of a directory but a body of ${size} bytes.`
    return {
      kind,
      name: textOf(name),
      linkname: textOf(linkname),
      isIllFormed: !isUtf8(name) || !isUtf8(linkname),
      pax,
      storedSize,
    }
  }
}

/** The v7 form has no type for directories: a slash behind the name tells. GNU tar and bsdtar take ustar's `0` so too. */
function kindOf(typeflag: string, name: Uint8Array): MemberKind {
  const kind = KINDS[typeflag] ?? 'other'
  return kind === 'file' && typeflag !== 'S' && name.at(-1) === 0x2f ? 'directory' : kind
}

function ustarName({name, prefix}: TarHeader): Uint8Array {
  return prefix.byteLength === 0 ? name : Buffer.concat([prefix, Buffer.of(0x2f), name])
}

/** An empty PAX value takes the record back. */
function bytesOf(value: string | undefined): Uint8Array | undefined {
  return value === undefined || value === '' ? undefined : Buffer.from(value, 'latin1')
}

function orElse(first: Uint8Array | undefined, second: Uint8Array | undefined): Uint8Array | undefined {
  return first === undefined || first.byteLength === 0 ? second : first
}

function differ(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left !== undefined && right !== undefined && Buffer.compare(left, right) !== 0
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

/** Bytes as text; ill-formed UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

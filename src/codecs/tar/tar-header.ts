import {formatPaxRecord, formatPaxTime} from './pax.js'
import {withoutEnd} from '../../model/text-ends.js'

export const BLOCK_BYTES = 512

/** Zero bytes that follow a body of this size. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES
}

/** The fields of one header block, as stored. Source: POSIX ustar, the GNU, star and v7 forms of it; Go archive/tar. */
export interface TarHeader {
  readonly name: Uint8Array
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  /** Whole seconds since 1970; only the GNU and star forms have the two. */
  readonly atime?: number
  readonly ctime?: number
  /** One character; NUL is the v7 regular file. */
  readonly typeflag: string
  readonly linkname: Uint8Array
  readonly format: 'ustar' | 'star' | 'gnu' | 'v7'
  /** `ustar` and `star` only. */
  readonly prefix: Uint8Array
}

/** Offsets and lengths of the fields. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  linkname: [157, 100],
  magic: [257, 8],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
  starPrefix: [345, 131],
  starAtime: [476, 12],
  starCtime: [488, 12],
  starTrailer: [508, 4],
  gnuAtime: [345, 12],
  gnuCtime: [357, 12],
} as const satisfies Record<string, readonly [number, number]>

const TYPEFLAG = 156
const NO_BYTES = new Uint8Array()

function field(block: Uint8Array, [offset, length]: readonly [number, number]): Uint8Array {
  return block.subarray(offset, offset + length)
}

/** A field up to its first NUL. */
function textField(block: Uint8Array, [offset, length]: readonly [number, number]): Uint8Array {
  let end = offset
  while (end < offset + length && block[end] !== 0) end++
  return end === offset ? NO_BYTES : block.subarray(offset, end)
}

/** Octal text, padded by spaces or NULs, or base-256 with the top bit set; undefined when neither. */
export function findTarNumber(bytes: Uint8Array): number | undefined {
  return findNumberAt(bytes, [0, bytes.byteLength])
}

const [NUL, SPACE, ZERO, SEVEN] = [0x00, 0x20, 0x30, 0x37]

/** The same of a field, in one pass and without a text: it is read for every number of every header. */
function findNumberAt(block: Uint8Array, [offset, length]: readonly [number, number]): number | undefined {
  const end = offset + length
  let at = offset
  if (((block[at] ?? 0) & 0x80) !== 0) return findBase256(field(block, [offset, length]))
  while (at < end && isPad(block[at])) at++
  if (at === end) return 0
  let value = 0
  for (; at < end; at++) {
    const byte = block[at] ?? 0
    if (byte < ZERO || byte > SEVEN) break
    value = value * 8 + (byte - ZERO)
  }
  // Go reads up to the first NUL: what some writers leave behind it is no part of the number.
  if (block[at] !== NUL) while (at < end && isPad(block[at])) at++
  return at === end || (at < end && block[at] === NUL) ? safe(value) : undefined
}

function isPad(byte: number | undefined): boolean {
  return byte === SPACE || byte === NUL
}

function findBase256(bytes: Uint8Array): number | undefined {
  const negative = ((bytes[0] ?? 0) & 0x40) !== 0
  let value = negative ? -1n : 0n
  for (const [index, byte] of bytes.entries()) {
    const digit = index === 0 ? (negative ? byte | 0x80 : byte & 0x7f) : byte
    value = (value << 8n) | BigInt(digit)
  }
  return safe(Number(negative ? BigInt.asIntN(bytes.byteLength * 8, value) : value))
}

function safe(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}

/** The sum of a block's bytes, those of the checksum itself taken as spaces. Source: POSIX ustar, chksum. */
function checksumOf(block: Uint8Array): number {
  const [from, length] = FIELD.checksum
  let sum = SPACE * length
  for (let index = 0; index < from; index++) sum += block[index] ?? 0
  for (let index = from + length; index < BLOCK_BYTES; index++) sum += block[index] ?? 0
  return sum
}

/** The same of signed bytes, as some old writers have it. */
function signedChecksumOf(block: Uint8Array): number {
  const [from, length] = FIELD.checksum
  let sum = checksumOf(block)
  for (let index = 0; index < BLOCK_BYTES; index++)
    if ((index < from || index >= from + length) && (block[index] ?? 0) > 127) sum -= 256
  return sum
}

/** Decodes a header block; undefined when the checksum or a number is wrong. */
export function findTarHeader(block: Uint8Array): TarHeader | undefined {
  const header = readTarHeader(block)
  return typeof header === 'string' ? undefined : header
}

/** Decodes a header block; what is wrong with it, as a sentence, when it is damaged. Source: Go archive/tar reader.go. */
export function readTarHeader(block: Uint8Array): TarHeader | string {
  const stated = findNumberAt(block, FIELD.checksum)
  if (stated !== checksumOf(block) && stated !== signedChecksumOf(block))
    return 'A header block is damaged: its checksum is wrong.'
  const format = formatOf(block)
  const numbers: Partial<Record<NumberField, number>> = {}
  for (const name of numberFields(format, block)) {
    const number = findNumberAt(block, FIELD[name])
    if (number === undefined) return faultOf(name)
    if (number > 0 && LEADING_MATTERS.has(name) && block[FIELD[name][0]] === 0)
      return `A header has a NUL before its field '${name}'. Some readers treat it as the end, others as padding.`
    numbers[name] = number
  }
  const {mode = 0, uid = 0, gid = 0, size = 0, mtime = 0} = numbers
  if (size < 0) return 'A header states a negative size.'
  const atime = numbers.starAtime ?? numbers.gnuAtime
  const ctime = numbers.starCtime ?? numbers.gnuCtime
  return {
    name: textField(block, FIELD.name),
    mode,
    uid,
    gid,
    size,
    mtime,
    ...(atime === undefined ? {} : {atime}),
    ...(ctime === undefined ? {} : {ctime}),
    typeflag: String.fromCharCode(block[TYPEFLAG] ?? 0),
    linkname: textField(block, FIELD.linkname),
    format,
    prefix:
      format === 'ustar'
        ? textField(block, FIELD.prefix)
        : format === 'star'
          ? textField(block, FIELD.starPrefix)
          : NO_BYTES,
  }
}

function formatOf(block: Uint8Array): TarHeader['format'] {
  const [magic] = FIELD.magic
  if (hasText(block, magic, 'ustar  \0')) return 'gnu'
  if (!hasText(block, magic, 'ustar\0')) return 'v7'
  return hasText(block, FIELD.starTrailer[0], 'tar\0') ? 'star' : 'ustar'
}

function hasText(block: Uint8Array, offset: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (block[offset + index] !== text.charCodeAt(index)) return false
  return true
}

type NumberField =
  | 'mode'
  | 'uid'
  | 'gid'
  | 'size'
  | 'mtime'
  | 'devmajor'
  | 'devminor'
  | 'starAtime'
  | 'starCtime'
  | 'gnuAtime'
  | 'gnuCtime'

/** Numbers that change what is read. Of the others what Go reads will do. */
const LEADING_MATTERS: ReadonlySet<NumberField> = new Set(['size', 'mtime'])

const V7_NUMBERS = ['mode', 'uid', 'gid', 'size', 'mtime'] as const
const USTAR_NUMBERS = [...V7_NUMBERS, 'devmajor', 'devminor'] as const
const STAR_NUMBERS = [...USTAR_NUMBERS, 'starAtime', 'starCtime'] as const

function numberFields(format: TarHeader['format'], block: Uint8Array): readonly NumberField[] {
  switch (format) {
    case 'v7':
      return V7_NUMBERS
    case 'ustar':
      return USTAR_NUMBERS
    case 'star':
      return STAR_NUMBERS
    case 'gnu': {
      // Only an incremental archive has the two; elsewhere the fields begin with NUL.
      const times = (['gnuAtime', 'gnuCtime'] as const).filter((name) => block[FIELD[name][0]] !== 0)
      return times.length === 0 ? USTAR_NUMBERS : [...USTAR_NUMBERS, ...times]
    }
  }
}

function faultOf(name: NumberField): string {
  // Go before 1.8 wrote a name's prefix there, and later ones read it as such; GNU tar and bsdtar never do.
  if (name === 'gnuAtime' || name === 'gnuCtime')
    return 'A GNU header has text in place of its times. Some readers treat it as part of the name, others do not.'
  return `A header is damaged: its field '${name}' is not a number.`
}

/** True when every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  // By the library, where there is enough: most are short, and begin with what is not zero.
  if (bytes.byteLength > 0 && bytes[0] !== 0) return false
  for (let at = 0; at < bytes.byteLength; at += ZEROS.byteLength) {
    const end = Math.min(bytes.byteLength, at + ZEROS.byteLength)
    if (ZEROS.compare(bytes, at, end, 0, end - at) !== 0) return false
  }
  return true
}

const ZEROS = Buffer.alloc(16 * 1024)

/** What a header written by transship states. Everything not named is zero or empty. */
export interface HeaderFields {
  readonly name: string
  readonly typeflag: '0' | '1' | '2' | '5'
  readonly mode: number
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly mtime: bigint
  readonly linkname?: string
  /** PAX records beside those that the fields themselves need; byte strings, as in `PaxRecords`. */
  readonly records?: Readonly<Record<string, string>>
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) return false
  return true
}

/** Go's best effort for a field that a PAX record overrides: characters beyond ASCII are dropped. */
function toAscii(text: string): string {
  return isAscii(text) ? text : Array.from(text).filter(isAscii).join('')
}

/** Go's split of a long ASCII name into ustar's prefix and name; undefined when it does not fit. */
function findUstarSplit(name: string): readonly [string, string] | undefined {
  if (name.length <= 100 || !isAscii(name)) return undefined
  let length = name.length
  if (length > 156) length = 156
  else if (name.endsWith('/')) length--
  const slash = name.lastIndexOf('/', length - 1)
  const rest = name.length - slash - 1
  return slash <= 0 || rest > 100 || rest === 0 || slash > 155
    ? undefined
    : [name.slice(0, slash), name.slice(slash + 1)]
}

function putText(block: Buffer, [offset, length]: readonly [number, number], text: string): void {
  if (text === '') return
  block.write(text, offset, Math.min(length, text.length), 'latin1')
  // Go keeps readers from taking a cut name that ends in a slash for a directory.
  if (text.length > length && text[length - 1] === '/') {
    block[offset + withoutEnd(text.slice(0, length), '/').length] = 0
  }
}

/** Digits; a NUL stands behind them. */
function putOctal(block: Buffer, [offset, length]: readonly [number, number], value: number): void {
  const fits = value >= 0 && value < 8 ** (length - 1)
  let rest = fits ? value : 0
  for (let at = offset + length - 2; at >= offset; at--) {
    block[at] = ZERO + (rest % 8)
    rest = Math.floor(rest / 8)
  }
}

/** A block whose numbers are 0, and no type, name, device or checksum. */
const BLANK = blankHeader()

function blankHeader(): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  for (const name of V7_NUMBERS) putOctal(block, FIELD[name], 0)
  block.write('ustar\0' + '00', FIELD.magic[0], 8, 'latin1')
  return block
}

function putChecksum(block: Buffer): void {
  const [offset, length] = FIELD.checksum
  putOctal(block, [offset, length - 1], checksumOf(block))
  block[offset + length - 1] = SPACE
}

/** A text as PAX records hold it: one character for each byte of its UTF-8. */
function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Puts the extension member in front: its header, then the records. `bytes` has room for them and is zero. */
function putExtension(bytes: Buffer, name: string, records: string): void {
  const block = bytes.subarray(0, BLOCK_BYTES)
  BLANK.copy(block)
  const slash = name.lastIndexOf('/')
  const joined = `${name.slice(0, slash + 1)}PaxHeaders.0/${name.slice(slash + 1)}`.replace(/\/$/, '')
  putText(block, FIELD.name, withoutEnd(toAscii(joined).slice(0, 100), '/'))
  putOctal(block, FIELD.size, records.length)
  block[TYPEFLAG] = EXTENSION
  putChecksum(block)
  bytes.write(records, BLOCK_BYTES, records.length, 'latin1')
}

/** `x`. */
const EXTENSION = 0x78

/** Largest value of an 11-digit octal field, plus one. */
const OCTAL_11 = 8 ** 11

/**
 * The header blocks that Go's archive/tar writes for these fields in format PAX: a PAX member first when anything needs
 * one, plain ustar else. Source: Go 1.19 archive/tar writer.go, run; see the transport layout page, section 4.3.
 */
export function encodeTarHeader(fields: HeaderFields): Uint8Array {
  const {name, linkname = ''} = fields
  // Whoever calls has cleaned them; a header that no reader takes would be found much later.
  if (name.includes('\0') || linkname.includes('\0')) throw new Error('A name in a tar has a NUL.')
  const seconds = Number(fields.mtime / 1_000_000_000n) - (fields.mtime % 1_000_000_000n < 0n ? 1 : 0)
  const timeFits = seconds >= 0 && seconds < OCTAL_11
  const records: Record<string, string> = {...fields.records}
  const hasNanoseconds = fields.mtime % 1_000_000_000n !== 0n
  if (!timeFits || hasNanoseconds) records['mtime'] = formatPaxTime(fields.mtime)
  const isPreferred = Object.keys(records).length > 0
  const split = findUstarSplit(name)
  const isLongName = !isAscii(name) || name.length > 100
  const isLongLink = !isAscii(linkname) || linkname.length > 100
  const needsPax = isPreferred || (isLongName && split === undefined) || isLongLink || fields.size >= OCTAL_11
  if (isLongName) records['path'] = byteString(name)
  if (isLongLink) records['linkpath'] = byteString(linkname)
  if (fields.size >= OCTAL_11) records['size'] = String(fields.size)

  const text = needsPax ? paxText(records) : ''
  const extensionBytes = needsPax ? BLOCK_BYTES + text.length + paddingOf(text.length) : 0
  const bytes = Buffer.alloc(extensionBytes + BLOCK_BYTES)
  if (needsPax) putExtension(bytes, name, text)
  const block = bytes.subarray(extensionBytes)
  BLANK.copy(block)
  const [prefix, ownName] = needsPax || split === undefined ? ['', toAscii(name)] : split
  putText(block, FIELD.name, ownName)
  putOctal(block, FIELD.mode, fields.mode)
  putOctal(block, FIELD.size, fields.size)
  putOctal(block, FIELD.mtime, seconds)
  block[TYPEFLAG] = fields.typeflag.charCodeAt(0)
  putText(block, FIELD.linkname, toAscii(linkname))
  putOctal(block, FIELD.devmajor, 0)
  putOctal(block, FIELD.devminor, 0)
  putText(block, FIELD.prefix, prefix)
  putChecksum(block)
  return bytes
}

/** Records in the order of their keys, as Go writes them. */
function paxText(records: Readonly<Record<string, string>>): string {
  let text = ''
  for (const key of Object.keys(records).sort()) text += formatPaxRecord(key, records[key] ?? '')
  return text
}

/** The blocks that end an archive. */
export const END_BLOCKS: Uint8Array = new Uint8Array(2 * BLOCK_BYTES)

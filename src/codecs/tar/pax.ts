import {UNIX_EPOCH, type FileTime} from '../../model/windows-metadata.js'

/*
 * PAX extended header records: `<length> <key>=<value>\n`, length in decimal and counting itself. Source: POSIX.1-2001
 * pax; time texts as Go archive/tar and go-winio backuptar (strconv.go) write and read them.
 */

/**
 * Records of one header. Keys and values are byte strings: one character for each byte (`latin1`), since a PAX value is
 * not always UTF-8 and must not change on its way. A later record of the same key wins.
 */
export type PaxRecords = ReadonlyMap<string, string>

/** Texts that a NUL would cut short in some readers. Source: Go archive/tar validPAXRecord. */
const NUL_FREE: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname'])
const [SPARSE_OFFSET, SPARSE_BYTES] = ['GNU.sparse.offset', 'GNU.sparse.numbytes']
export const SPARSE_MAP = 'GNU.sparse.map'

/**
 * Parses records; undefined when malformed. The repeated `offset` and `numbytes` of GNU's sparse form 0.0 become the
 * map of form 0.1, as in Go: a reader that kept only the last of each would lose all ranges but one.
 */
export function findPaxRecords(body: Uint8Array): PaxRecords | undefined {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const records = new Map<string, string>()
  const sparse: string[] = []
  for (let at = 0; at < buffer.length;) {
    const space = endOfDigits(buffer, at)
    const length = space < 0 ? 0 : numberOf(buffer, at, space)
    const end = at + length
    if (length < 5 || end > buffer.length || buffer[end - 1] !== LINE_BREAK) return undefined
    let equals = space + 1
    while (equals < end && buffer[equals] !== EQUALS) equals++
    if (equals >= end) return undefined
    const key = buffer.toString('latin1', space + 1, equals)
    const value = buffer.toString('latin1', equals + 1, end - 1)
    if (key === '' || (NUL_FREE.has(key) ? value : key).includes('\0')) return undefined
    if (key === SPARSE_OFFSET || key === SPARSE_BYTES) {
      if (key !== (sparse.length % 2 === 0 ? SPARSE_OFFSET : SPARSE_BYTES) || value.includes(',')) return undefined
      sparse.push(value)
    } else records.set(key, value)
    at = end
  }
  if (sparse.length > 0) records.set(SPARSE_MAP, sparse.join(','))
  return records
}

const [LINE_BREAK, SPACE, ZERO, NINE, EQUALS] = [0x0a, 0x20, 0x30, 0x39, 0x3d]
/** Longer lengths would be above what a header may have. */
const MAX_DIGITS = 10

/** The space behind one to ten digits; -1 for anything else. */
function endOfDigits(buffer: Buffer, start: number): number {
  let at = start
  while (at < buffer.length && isDigit(buffer[at])) at++
  return at > start && at - start <= MAX_DIGITS && buffer[at] === SPACE ? at : -1
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

function numberOf(buffer: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 10 + ((buffer[at] ?? ZERO) - ZERO)
  return value
}

/** A whole number as PAX states it, with a leading `+` at most; undefined when it is none, or not below 2^53. */
export function findPaxNumber(text: string): number | undefined {
  const number = /^\+?[0-9]{1,64}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}

/** One record, of byte strings. */
export function formatPaxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3
  let length = rest + digitsOf(rest)
  if (digitsOf(length) + rest !== length) length = rest + digitsOf(length)
  return `${length} ${key}=${value}\n`
}

function digitsOf(value: number): number {
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits++
  return digits
}

const NANOSECONDS = 1_000_000_000n

/** A sign, up to 18 digits of seconds, and a fraction of any length. */
const TIME = /^([+-]?)([0-9]{1,18})(?:\.([0-9]*))?$/

/** True for a PAX time text that is well-formed. */
export function isPaxTime(text: string): boolean {
  return TIME.test(text)
}

/** Nanoseconds since 1970 of a PAX time text; undefined when malformed. Digits past the ninth are cut. */
export function findPaxTime(text: string): bigint | undefined {
  const match = TIME.exec(text)
  if (match?.[2] === undefined) return undefined
  const fraction = (match[3] ?? '').slice(0, 9)
  const nanoseconds =
    BigInt(match[2]) * NANOSECONDS + BigInt(fraction === '' ? 0 : Number(fraction) * 10 ** (9 - fraction.length))
  return match[1] === '-' ? -nanoseconds : nanoseconds
}

/** Seconds with at most nine decimals, trailing zeros removed. */
export function formatPaxTime(nanoseconds: bigint): string {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds
  const sign = nanoseconds < 0n ? '-' : ''
  let fraction = Number(magnitude % NANOSECONDS)
  const seconds = `${sign}${magnitude / NANOSECONDS}`
  if (fraction === 0) return seconds
  let digits = 9
  for (; fraction % 10 === 0; digits--) fraction /= 10
  return `${seconds}.${String(fraction).padStart(digits, '0')}`
}

/** Go counts nanoseconds in a signed 64-bit number, so times before 1677 and after 2262 wrap. */
export function nanosecondsOf(time: FileTime): bigint {
  return BigInt.asIntN(64, (time - UNIX_EPOCH) * 100n)
}

/** The inverse, with Go's wrap and truncation. */
export function fileTimeOf(nanoseconds: bigint): FileTime {
  return BigInt.asUintN(64, BigInt.asIntN(64, nanoseconds) / 100n + UNIX_EPOCH)
}

import {findBase64} from '../../codecs/bytes/base64.js'
import {requireExtendedAttribute} from '../../codecs/extended-attributes/extended-attributes.js'
import {requireDescriptor} from '../../codecs/security-descriptor/require-descriptor.js'
import {InputError} from '../../model/errors.js'
import type {ExtendedAttribute, FileTimes, WindowsMetadata} from '../../model/windows-metadata.js'

/*
 * `payload-index.jsonl`: what a disk, a zip or a copy cannot keep of a transport layout. One JSON object a line, one line
 * for each file and for each directory without a carrier, in the order of a walk: name by name, by their UTF-8 bytes. Keys, left out where unknown:
 *   p path, `/` between names; s size in bytes; d SHA-256 of the file, hex; c a w h creation, access, write and change
 *   time as decimal FILETIMEs; link the first name of the file that this is a further name of; and of what is no carrier:
 *   attr FILE_ATTRIBUTE_*, sd security descriptor and rp reparse buffer in base64, ea [name, flags, base64] each.
 *   Source: inbox package page, sections 3.2 and 3.3; attr, sd, rp and ea are our additions.
 */

export interface IndexLine {
  readonly path: string
  /** Bytes of the file as stored; undefined for a directory. */
  readonly sizeBytes?: number
  /** Hex SHA-256 of the file as stored. */
  readonly sha256?: string
  readonly times?: FileTimes
  readonly attributes?: number
  /** Of a file or directory that has no carrier to keep it. */
  readonly metadata?: Pick<WindowsMetadata, 'securityDescriptor' | 'extendedAttributes' | 'reparsePoint'>
  readonly link?: string
}

/** The JSON of a line, without its end. */
export function encodeIndexLine(line: IndexLine): string {
  const {times} = line
  return JSON.stringify({
    p: line.path,
    s: line.sizeBytes,
    d: line.sha256,
    c: times?.creation.toString(),
    a: times?.lastAccess.toString(),
    w: times?.lastWrite.toString(),
    h: times?.change.toString(),
    attr: line.attributes,
    sd: base64(line.metadata?.securityDescriptor),
    ea: line.metadata?.extendedAttributes?.map(({name, flags, value}) => [name, flags, base64(value)]),
    rp: base64(line.metadata?.reparsePoint),
    link: line.link,
  })
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('base64')
}

const TIME = /^-?\d{1,20}$/
const INT64 = 2n ** 63n

/** A line that is none. */
export function invalidLine(why: string, line: number): InputError {
  return new InputError('METADATA_INVALID', {
    what: `Line ${line} of payload-index.jsonl is malformed.`,
    why,
    suggestions: ['Restore the file from a copy, or delete it to use the times on disk.'],
  })
}

/** A value that is no such thing is refused with the line that has it. */
function checked<Value>(value: Value, check: (value: Value) => void, number: number): Value {
  try {
    check(value)
    return value
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const {code, what, why, suggestions} = error
    const whole = `Line ${number} of payload-index.jsonl: ${what}`
    throw new InputError(code, {what: whole, ...(why === undefined ? {} : {why}), suggestions, cause: error})
  }
}

function base64Of(text: string, number: number): Uint8Array {
  const bytes = findBase64(text)
  if (bytes === undefined) throw invalidLine('A value is not base64.', number)
  return bytes
}

function decodeExtendedAttributes(list: unknown, number: number): ExtendedAttribute[] {
  if (!Array.isArray(list)) throw invalidLine('ea is not a list.', number)
  return list.map((item: unknown) => {
    const [name, flags, value] = Array.isArray(item) ? (item as unknown[]) : []
    if (typeof name !== 'string' || typeof flags !== 'number' || typeof value !== 'string')
      throw invalidLine('ea has an item that is not [name, flags, value].', number)
    const attribute = {name, flags, value: base64Of(value, number)}
    return checked(attribute, requireExtendedAttribute, number)
  })
}

function decodeMetadata(keys: Readonly<Record<string, unknown>>, number: number): Pick<IndexLine, 'metadata'> {
  const {sd, ea, rp} = keys
  if (sd === undefined && ea === undefined && rp === undefined) return {}
  return {
    metadata: {
      ...(typeof sd === 'string' ? {securityDescriptor: checked(base64Of(sd, number), requireDescriptor, number)} : {}),
      ...(ea === undefined ? {} : {extendedAttributes: decodeExtendedAttributes(ea, number)}),
      ...(typeof rp === 'string' ? {reparsePoint: base64Of(rp, number)} : {}),
    },
  }
}

/** All four or none: a time that was passed over would come from the disk, and nobody would know. */
function decodeTimes(keys: Readonly<Record<string, unknown>>, number: number): FileTimes | undefined {
  if ([keys['c'], keys['a'], keys['w'], keys['h']].every((value) => value === undefined)) return undefined
  const time = (key: string): bigint => {
    const value = keys[key]
    const ticks = typeof value === 'string' && TIME.test(value) ? BigInt(value) : INT64
    if (ticks >= INT64 || ticks < -INT64) throw invalidLine(`${key} is not a FILETIME.`, number)
    return ticks
  }
  return {creation: time('c'), lastAccess: time('a'), lastWrite: time('w'), change: time('h')}
}

/**
 * A path that does not lead down from name to name: an empty name, `.` or `..`, or what the system takes for more than a
 * name (a separator of Windows, a stream, the end of a text).
 */
const ASTRAY = /(?:^|\/)\.{0,2}(?:\/|$)|[\\:\0]/

/** The inverse; `METADATA_INVALID`, `DESCRIPTOR_CORRUPT`, `ATTRIBUTES_CORRUPT` name the line by its number. */
export function decodeIndexLine(text: string, number: number): IndexLine {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalidLine('It is not JSON.', number)
  }
  if (typeof json !== 'object' || json === null) throw invalidLine('It is not an object.', number)
  const keys = json as Readonly<Record<string, unknown>>
  const {p: path, s: size, d: sha256, attr, link} = keys
  if (typeof path !== 'string' || path === '') throw invalidLine('It has no path.', number)
  if (ASTRAY.test(path) || (typeof link === 'string' && ASTRAY.test(link)))
    throw invalidLine('It has an unsafe path.', number)
  if (size !== undefined && !(Number.isSafeInteger(size) && Number(size) >= 0))
    throw invalidLine('s is not a size.', number)
  if (attr !== undefined && !(Number.isInteger(attr) && Number(attr) >= 0 && Number(attr) <= 0xffffffff))
    throw invalidLine('attr is not a 32-bit number.', number)
  if (sha256 !== undefined && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)))
    throw invalidLine('d is not a SHA-256.', number)
  for (const key of ['sd', 'rp', 'link'])
    if (keys[key] !== undefined && typeof keys[key] !== 'string') throw invalidLine(`${key} is not text.`, number)
  const times = decodeTimes(keys, number)
  return {
    path,
    ...(size === undefined ? {} : {sizeBytes: Number(size)}),
    ...(typeof sha256 === 'string' ? {sha256} : {}),
    ...(times === undefined ? {} : {times}),
    ...(attr === undefined ? {} : {attributes: Number(attr)}),
    ...decodeMetadata(keys, number),
    ...(typeof link === 'string' ? {link} : {}),
  }
}

import {InputError, type ErrorCode} from '../../model/errors.js'
import {findBase64} from '../bytes/base64.js'
import {
  FileAttribute,
  UNSTATED_TIME,
  type ExtendedAttribute,
  type FileTime,
  type FileTimes,
  type WindowsMetadata,
} from '../../model/windows-metadata.js'
import {requireExtendedAttribute} from '../extended-attributes/extended-attributes.js'
import {descriptorText, knownDescriptor, requireKnownDescriptor} from '../security-descriptor/known-descriptors.js'
import {fileTimeOf, findPaxTime, formatPaxTime, nanosecondsOf} from '../tar/pax.js'
import type {TarMember} from '../tar/tar-reader.js'

/* The PAX keys of a Windows layer. Source: go-winio backuptar tar.go; LAYOUT and TIMES are transship's own. */

export const KEY = {
  fileAttributes: 'MSWINDOWS.fileattr',
  creationTime: 'LIBARCHIVE.creationtime',
  securityDescriptor: 'MSWINDOWS.rawsd',
  sddl: 'MSWINDOWS.sd',
  mountPoint: 'MSWINDOWS.mountpoint',
  extendedAttribute: 'MSWINDOWS.xattr.',
  accessTime: 'atime',
  changeTime: 'ctime',
  modificationTime: 'mtime',
  /** `EntryFrame.layout`, base64. */
  layout: 'TRANSSHIP.layout',
  /** Creation, access, write and change time as decimal FILETIMEs, where the tar's own times would wrap. */
  times: 'TRANSSHIP.times',
} as const

function corrupt(member: TarMember, why: string, code: ErrorCode = 'LAYER_CORRUPT'): InputError {
  return new InputError(code, {
    what: `The layer entry '${member.name}' is malformed.`,
    why,
    at: {path: member.name, offset: member.offset},
  })
}

function decodeBase64(member: TarMember, key: string, text: string, code?: ErrorCode): Uint8Array {
  const bytes = findBase64(text)
  if (bytes === undefined) throw corrupt(member, `${key} is not base64.`, code)
  return bytes
}

/** A value that is no such thing is refused with the member that has it. */
function checked<Value>(member: TarMember, value: Value, check: (value: Value) => void): Value {
  try {
    check(value)
    return value
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw corrupt(member, [error.what, error.why].join(' ').trim(), error.code)
  }
}

function descriptorOf(member: TarMember, text: string): Uint8Array {
  return knownDescriptor(text, () =>
    checked(member, decodeBase64(member, KEY.securityDescriptor, text, 'DESCRIPTOR_CORRUPT'), requireKnownDescriptor),
  )
}

/** Attributes by the record; without one, what Microsoft's reader assumes. */
function attributesOf(member: TarMember): number {
  const text = member.pax.get(KEY.fileAttributes)
  if (text === undefined) return member.type === 'directory' ? FileAttribute.directory : 0
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 0xffffffff)) throw corrupt(member, `${KEY.fileAttributes} is not a 32-bit number.`)
  return value
}

const NANOSECONDS = 1_000_000_000n

/** False for a record that is absent, or empty and so taken back. */
function isStated(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

/** Nanoseconds since 1970 of the member's modification time: the record, else the header field. */
export function modificationTimeOf(member: TarMember): bigint {
  const text = member.pax.get(KEY.modificationTime)
  return isStated(text) ? timeOf(member, KEY.modificationTime, text) : BigInt(member.header.mtime) * NANOSECONDS
}

function timeOf(member: TarMember, key: string, text: string): bigint {
  const time = findPaxTime(text)
  if (time === undefined) throw corrupt(member, `${key} is not a time.`)
  return time
}

function timesOf(member: TarMember): FileTimes {
  const exact = /^(-?\d{1,20}),(-?\d{1,20}),(-?\d{1,20}),(-?\d{1,20})$/.exec(member.pax.get(KEY.times) ?? '')
  if (exact !== null) {
    const stated = exact.slice(1).map(BigInt)
    if (stated.some((time) => BigInt.asIntN(64, time) !== time))
      throw corrupt(member, `${KEY.times} is not four 64-bit numbers.`)
    const [creation = 0n, lastAccess = 0n, lastWrite = 0n, change = 0n] = stated
    return {creation, lastAccess, lastWrite, change}
  }
  const lastWrite = modificationTimeOf(member)
  const stated = (key: string) => {
    const text = member.pax.get(key)
    return isStated(text) ? timeOf(member, key, text) : undefined
  }
  // GNU and star headers have fields for two of the times; Go reads them, so Windows gets them.
  const field = (seconds: number | undefined) => (seconds === undefined ? undefined : BigInt(seconds) * NANOSECONDS)
  const creation = stated(KEY.creationTime) ?? lastWrite
  const lastAccess = stated(KEY.accessTime) ?? field(member.header.atime)
  const change = stated(KEY.changeTime) ?? field(member.header.ctime)
  return {
    creation: fileTimeOf(creation),
    lastAccess: lastAccess === undefined ? UNSTATED_TIME : fileTimeOf(lastAccess),
    lastWrite: fileTimeOf(lastWrite),
    change: change === undefined ? UNSTATED_TIME : fileTimeOf(change),
  }
}

/** Extended attributes in name order, which is the order of the canonical list. */
function extendedAttributesOf(member: TarMember): readonly ExtendedAttribute[] | undefined {
  const found: ExtendedAttribute[] = []
  for (const [key, text] of member.pax) {
    if (!key.startsWith(KEY.extendedAttribute)) continue
    const name = key.slice(KEY.extendedAttribute.length)
    const attribute = {name, flags: 0, value: decodeBase64(member, key, text, 'ATTRIBUTES_CORRUPT')}
    found.push(checked(member, attribute, requireExtendedAttribute))
  }
  found.sort((left, right) => (left.name < right.name ? -1 : 1))
  return found.length === 0 ? undefined : found
}

/** Decodes what a member says beside its content. The reparse point is the caller's, who knows the link. */
export function decodeMetadata(member: TarMember): Omit<WindowsMetadata, 'reparsePoint'> {
  const descriptor = member.pax.get(KEY.securityDescriptor)
  const extendedAttributes = extendedAttributesOf(member)
  return {
    attributes: attributesOf(member),
    times: timesOf(member),
    ...(descriptor === undefined ? {} : {securityDescriptor: descriptorOf(member, descriptor)}),
    ...(extendedAttributes === undefined ? {} : {extendedAttributes}),
  }
}

/** `EntryFrame.layout` as the member carries it. */
export function layoutFrameOf(member: TarMember): Uint8Array | undefined {
  const text = member.pax.get(KEY.layout)
  return text === undefined ? undefined : decodeBase64(member, KEY.layout, text)
}

/** The first and the last time of Go's clock, for sure; times outside are tried. */
const [SAFE_FROM, SAFE_TO] = [fileTimeOf(-(2n ** 62n)), fileTimeOf(2n ** 62n)]

function timeFits(time: FileTime): boolean {
  return (time > SAFE_FROM && time < SAFE_TO) || fileTimeOf(nanosecondsOf(time)) === time
}

/** True when all four times come through a tar unchanged: Go's clock ends in 1677 and 2262. */
function timesFit(times: FileTimes): boolean {
  return timeFits(times.creation) && timeFits(times.lastAccess) && timeFits(times.lastWrite) && timeFits(times.change)
}

/** The records that Microsoft's writer makes of an entry's metadata, and with `keepFrames` transship's own. */
export function encodeMetadata(
  meta: WindowsMetadata,
  options: {readonly keepFrames: boolean; readonly isHardLink: boolean; readonly layout: Uint8Array | undefined},
): Record<string, string> {
  const {times} = meta
  const records: Record<string, string> = {
    [KEY.fileAttributes]: String(meta.attributes >>> 0),
    [KEY.creationTime]: formatPaxTime(nanosecondsOf(times.creation)),
    [KEY.accessTime]: formatPaxTime(nanosecondsOf(times.lastAccess)),
    [KEY.changeTime]: formatPaxTime(nanosecondsOf(times.change)),
  }
  if (meta.securityDescriptor !== undefined && !options.isHardLink) {
    records[KEY.securityDescriptor] = descriptorText(meta.securityDescriptor)
  }
  if (!options.isHardLink) {
    for (const {name, value} of meta.extendedAttributes ?? []) {
      if (!hasRecord(name)) continue
      records[KEY.extendedAttribute + name] = Buffer.from(value).toString('base64')
    }
  }
  if (options.keepFrames && !timesFit(times)) {
    records[KEY.times] = [times.creation, times.lastAccess, times.lastWrite, times.change].join(',')
  }
  if (options.layout !== undefined && options.keepFrames) {
    records[KEY.layout] = Buffer.from(options.layout).toString('base64')
  }
  return records
}

/** False for the name of an extended attribute that no PAX key can hold. Source: Go archive/tar validPAXRecord. */
export function hasRecord(name: string): boolean {
  return name !== '' && !/[=\0]/.test(name)
}

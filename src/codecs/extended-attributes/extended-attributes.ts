import {InputError} from '../../model/errors.js'
import type {ExtendedAttribute} from '../../model/windows-metadata.js'

/** Bytes of FILE_FULL_EA_INFORMATION before the name. */
const HEAD_BYTES = 8

function corrupt(why: string, offset: number): InputError {
  return new InputError('ATTRIBUTES_CORRUPT', {what: 'The list of extended attributes is damaged.', why, at: {offset}})
}

/**
 * Decodes the payload of an EA_DATA stream: a chain of FILE_FULL_EA_INFORMATION. Keeps order, flags and duplicates.
 * Throws `ATTRIBUTES_CORRUPT` with the offset of the record at fault. Source: MS-FSCC 2.4.15.
 */
export function decodeExtendedAttributes(list: Uint8Array): ExtendedAttribute[] {
  const attributes: ExtendedAttribute[] = []
  if (list.byteLength === 0) return attributes
  const bytes = Buffer.from(list.buffer, list.byteOffset, list.byteLength)
  let start = 0
  for (;;) {
    if (start + HEAD_BYTES > bytes.byteLength)
      throw corrupt(`A record needs ${HEAD_BYTES} bytes, but only ${bytes.byteLength - start} are left.`, start)
    const next = bytes.readUInt32LE(start) //            0  NextEntryOffset: from this record, 0 = last, bytes
    const flags = bytes.readUInt8(start + 4) //          4  Flags: 0x80 NEED_EA
    const nameBytes = bytes.readUInt8(start + 5) //      5  EaNameLength: without the NUL, bytes
    const valueBytes = bytes.readUInt16LE(start + 6) //  6  EaValueLength: bytes
    const nameStart = start + HEAD_BYTES
    const valueStart = nameStart + nameBytes + 1
    if (valueStart + valueBytes > bytes.byteLength)
      throw corrupt(`A record ends at ${valueStart + valueBytes}, the list at ${bytes.byteLength}.`, start)
    if (nameBytes === 0) throw corrupt('A record has no name.', start + 5)
    if (bytes[valueStart - 1] !== 0) throw corrupt('No NUL ends the name of a record.', valueStart - 1)
    if (bytes.indexOf(0, nameStart) < valueStart - 1) throw corrupt('The name of a record contains a NUL.', nameStart)
    attributes.push({
      name: bytes.toString('latin1', nameStart, nameStart + nameBytes),
      flags,
      value: bytes.subarray(valueStart, valueStart + valueBytes),
    })
    if (next === 0) return attributes
    // A step inside the record itself could chain hundreds of thousands of records out of a few kilobytes.
    if (start + next < valueStart + valueBytes)
      throw corrupt(`A record starts ${next} bytes after the previous one, which is longer.`, start)
    start += next
  }
}

/**
 * Refuses what no list of Windows can hold: a name of 0 or more than 255 bytes or with a NUL, a value above 65535 bytes
 * (`ATTRIBUTES_CORRUPT`). Source: MS-FSCC 2.4.15, whose lengths have one byte and two.
 */
export function requireExtendedAttribute({name, flags, value}: ExtendedAttribute): void {
  const why =
    name.length === 0 || name.length > 255
      ? `Its name has ${name.length} bytes; expected 1 to 255.`
      : hasOtherThanBytes(name)
        ? 'Its name contains a NUL, or a character that does not fit a byte.'
        : !Number.isInteger(flags) || flags < 0 || flags > 0xff
          ? 'Its flags do not fit a byte.'
          : value.byteLength > 0xffff
            ? `Its value has ${value.byteLength} bytes; the limit is 65535.`
            : undefined
  if (why === undefined) return
  const what = `The extended attribute ${JSON.stringify(name.slice(0, 80))} is not valid.`
  throw new InputError('ATTRIBUTES_CORRUPT', {what, why})
}

/** NUL ends a name, and each character of the decoded form stands for one byte. */
function hasOtherThanBytes(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) === 0 || name.charCodeAt(at) > 0xff) return true
  return false
}

/**
 * Encodes attributes in the order given: each record padded with zeros to 4 bytes, the last one too.
 * Throws `LIMIT_EXCEEDED` for a name above 255 or a value above 65535 bytes. Source: go-winio ea.go.
 */
export function encodeExtendedAttributes(attributes: readonly ExtendedAttribute[]): Uint8Array {
  let total = 0
  for (const attribute of attributes) total += recordBytes(attribute)
  const list = Buffer.alloc(total)
  let start = 0
  attributes.forEach((attribute, index) => {
    const size = recordBytes(attribute)
    list.writeUInt32LE(index === attributes.length - 1 ? 0 : size, start)
    list.writeUInt8(attribute.flags, start + 4)
    list.writeUInt8(attribute.name.length, start + 5)
    list.writeUInt16LE(attribute.value.byteLength, start + 6)
    list.write(attribute.name, start + HEAD_BYTES, 'latin1')
    list.set(attribute.value, start + HEAD_BYTES + attribute.name.length + 1)
    start += size
  })
  return list
}

function recordBytes(attribute: ExtendedAttribute): number {
  if (attribute.name.length === 0 || attribute.name.length > 255 || attribute.value.byteLength > 0xffff) {
    throw new InputError('LIMIT_EXCEEDED', {
      what: `The extended attribute ${JSON.stringify(attribute.name.slice(0, 80))} is too large.`,
      why: `Its name has ${attribute.name.length} bytes (limit 255), its value ${attribute.value.byteLength} (limit 65535).`,
    })
  }
  return (HEAD_BYTES + attribute.name.length + 1 + attribute.value.byteLength + 3) & ~3
}

/**
 * The list as it comes back from a tar: in name order, without flags. Microsoft's own importer leaves the order to
 * chance (it iterates a map); name order is what every PAX header has. Source: go-winio backuptar.
 */
export function canonicalExtendedAttributes(attributes: readonly ExtendedAttribute[]): ExtendedAttribute[] {
  return attributes
    .map(({name, value}) => ({name, flags: 0, value}))
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0))
}

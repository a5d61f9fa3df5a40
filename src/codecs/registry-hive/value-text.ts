import type {HiveValue} from './hive-key.js'

/** Names of the value types, by number. Source: winnt.h. */
const TYPE_NAMES: readonly string[] = [
  'REG_NONE',
  'REG_SZ',
  'REG_EXPAND_SZ',
  'REG_BINARY',
  'REG_DWORD',
  'REG_DWORD_BIG_ENDIAN',
  'REG_LINK',
  'REG_MULTI_SZ',
  'REG_RESOURCE_LIST',
  'REG_FULL_RESOURCE_DESCRIPTOR',
  'REG_RESOURCE_REQUIREMENTS_LIST',
  'REG_QWORD',
]

export const ValueType = {
  string: 1,
  expandString: 2,
  binary: 3,
  dword: 4,
  dwordBigEndian: 5,
  link: 6,
  multiString: 7,
  qword: 11,
}

/** `REG_SZ` …, or `REG_0x2a` for a type that has no name. */
export function formatValueType(type: number): string {
  return TYPE_NAMES[type] ?? `REG_0x${type.toString(16)}`
}

/**
 * The text that a value's data is, exactly: encoding it with its one NUL gives the same bytes. Undefined when it is not
 * text, or has another number of NULs, or units that are no characters.
 */
export function findText(data: Uint8Array): string | undefined {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (buffer.byteLength < 2 || buffer.byteLength % 2 !== 0) return undefined
  const text = buffer.toString('utf16le', 0, buffer.byteLength - 2)
  if (buffer.readUInt16LE(buffer.byteLength - 2) !== 0 || text.includes('\0') || /\p{Surrogate}/u.test(text))
    return undefined
  return text
}

/** The strings of a REG_MULTI_SZ, if its data is well-formed: each ends with a NUL, the list with one more. */
export function findTexts(data: Uint8Array): string[] | undefined {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (buffer.byteLength < 2 || buffer.byteLength % 2 !== 0) return undefined
  const text = buffer.toString('utf16le')
  if (text === '\0') return []
  if (!text.endsWith('\0\0') || /\p{Surrogate}/u.test(text)) return undefined
  const texts = text.slice(0, -2).split('\0')
  return texts.includes('') ? undefined : texts
}

/** The data in words where it is what its type says: text, strings joined by commas, a number. Else undefined. */
export function findReadable({type, data}: HiveValue): string | undefined {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  switch (type) {
    case ValueType.string:
    case ValueType.expandString:
      return findText(data)
    case ValueType.multiString:
      return findTexts(data)?.join(', ')
    case ValueType.dword:
      return buffer.byteLength === 4 ? buffer.readUInt32LE(0).toString() : undefined
    case ValueType.dwordBigEndian:
      return buffer.byteLength === 4 ? buffer.readUInt32BE(0).toString() : undefined
    case ValueType.qword:
      return buffer.byteLength === 8 ? buffer.readBigUInt64LE(0).toString() : undefined
    default:
      return undefined
  }
}

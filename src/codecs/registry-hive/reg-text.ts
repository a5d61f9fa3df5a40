import {walkKeys, type HiveKey, type HiveValue} from './hive-key.js'
import {findText, ValueType} from './value-text.js'

/** Options of `.reg` text. */
export interface RegTextOptions {
  /** Tell the names and types of values, not their data. */
  readonly hideData?: boolean
}

/** Columns after which regedit breaks a list of bytes. */
const MAX_COLUMNS = 80

/** The first lines of a `.reg` text. */
export const REG_HEADER: readonly string[] = ['Windows Registry Editor Version 5.00', '']

/**
 * The lines of a `.reg` text for a key and all below it, as regedit writes them; deletions of a delta as `[-key]` and
 * `"value"=-`. What the format cannot say stands in a comment. `path` is the full name of the key.
 */
export function* regLines(root: HiveKey, path: string, options: RegTextOptions = {}): Generator<string> {
  for (const {key, path: name} of walkKeys(root, path)) yield* keyLines(key, name, options)
}

function* keyLines(key: HiveKey, path: string, options: RegTextOptions): Generator<string> {
  if (!isWritable(path)) {
    yield `; this format cannot store the name of the key: ${JSON.stringify(path)}`
    yield ''
    return
  }
  if (key.disposition === 'tombstone' || key.disposition === 'supersede-tree') {
    yield `[-${path}]`
    yield ''
    if (key.disposition === 'tombstone') return
  }
  yield `[${path}]`
  if (key.disposition === 'supersede-local') yield '; replaces all values of lower layers'
  for (const value of key.values()) yield* valueLines(value, options)
  yield ''
}

function* valueLines(value: HiveValue, options: RegTextOptions): Generator<string> {
  if (!isWritable(value.name)) {
    yield `; this format cannot store the name of the value: ${JSON.stringify(value.name)}`
    return
  }
  const name = value.name === '' ? '@' : quoted(value.name)
  if (value.isTombstone) yield `${name}=-`
  else if (options.hideData === true) yield `; ${name}, type ${value.type}, ${value.data.byteLength} bytes: not shown`
  else yield* dataLines(`${name}=`, value)
}

function* dataLines(start: string, {type, data}: HiveValue): Generator<string> {
  const text = type === ValueType.string ? findText(data) : undefined
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (text !== undefined && isWritable(text)) yield start + quoted(text)
  else if (type === ValueType.dword && data.byteLength === 4)
    yield `${start}dword:${buffer.readUInt32LE(0).toString(16).padStart(8, '0')}`
  else yield* hexLines(`${start}${type === ValueType.binary ? 'hex' : `hex(${type.toString(16)})`}:`, buffer)
}

function* hexLines(start: string, data: Buffer): Generator<string> {
  let line = start
  for (const [index, byte] of data.entries()) {
    const isLast = index === data.byteLength - 1
    line += byte.toString(16).padStart(2, '0') + (isLast ? '' : ',')
    if (isLast || line.length < MAX_COLUMNS - 3) continue
    yield `${line}\\`
    line = '  '
  }
  yield line
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Lines end at control characters, and lone surrogates do not survive being text. */
function isWritable(text: string): boolean {
  return !/[\p{Cc}\p{Surrogate}]/u.test(text)
}

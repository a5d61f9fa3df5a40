import {REG_HEADER, regLines} from '../codecs/registry-hive/reg-text.js'
import type {HiveKey, HiveValue} from '../codecs/registry-hive/hive-key.js'
import {compareKeyNames, findSubkey, walkKeys} from '../codecs/registry-hive/hive-key.js'
import {findReadable, formatValueType} from '../codecs/registry-hive/value-text.js'
import {InputError} from '../model/errors.js'
import type {Note} from '../model/events.js'
import type {OpenOptions} from '../model/transport.js'
import {describeSecurity, type DescribedSecurity} from './describe-security.js'
import {openMounts, type HiveMount, type OpenMounts} from './hive-mounts.js'
import {findControlSet, splitTypedKey} from './typed-key.js'

/** One value of a key. */
export interface HiveValueRow {
  /** Empty for the default value. */
  readonly name: string
  /** `REG_SZ` …; absent for a deletion. */
  readonly type?: string
  readonly size?: number
  /** Base64, where data is shown. */
  readonly data?: string
  /** The data as text, if it matches its type. */
  readonly text?: string
  /** In a delta: the value of lower layers is deleted. */
  readonly deleted?: true
}

/** One key. */
export interface HiveRow extends DescribedSecurity {
  /** Full name, `\` between names. */
  readonly path: string
  /** FILETIME as a decimal string: 100 ns since 1601. */
  readonly lastWrite: string
  /** In a delta: effect on the key of lower layers; absent = merge. */
  readonly change?: 'deleted' | 'values-replaced' | 'replaced'
  /** Base64 of the class, as stored. */
  readonly className?: string
  readonly values: readonly HiveValueRow[]
}

/** What `hive` prints with `--json`. Schema: `src/schemas/hive.schema.json`. */
export interface HiveReport {
  readonly reference: string
  readonly key?: string
  readonly layer?: number
  /** True when values of SAM or SECURITY are told without their data. */
  readonly hidden: boolean
  readonly keys: readonly HiveRow[]
  /** What is odd about the hives: one that was not written to its end, values left out, and the like. */
  readonly notes: readonly Note[]
}

/** Options of `hive`. */
export interface ReadHiveOptions extends OpenOptions {
  /** Only what this layer changes, base = 0, with its deletions; undefined = what a container sees. */
  readonly layer?: number
  /** Tell the data of values in SAM and SECURITY too: password hashes, and secrets of services. */
  readonly showSecrets?: boolean
  /** Read hives that were not written to their end as they are, whatever their logs hold; else `HIVE_DIRTY`. */
  readonly ignoreLogs?: boolean
}

/**
 * The registry as it is read: no more of it is held than the hives themselves, and of a bare file not even that. Whoever
 * opened it closes it.
 */
export interface OpenRegistry extends Omit<HiveReport, 'keys'> {
  /** Parents before what is in them, hive by hive; read anew by each call. */
  readonly rows: () => Iterable<HiveRow>
  /** The lines of a `.reg` file. */
  readonly regLines: () => Iterable<string>
  /** Complete once all rows have been read. */
  readonly notes: readonly Note[]
  readonly close: () => void
}

const CHANGES = {
  merge: undefined,
  tombstone: 'deleted',
  'supersede-local': 'values-replaced',
  'supersede-tree': 'replaced',
} as const

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function describeValue(value: HiveValue, isHidden: boolean): HiveValueRow {
  const {name, type, data} = value
  if (value.isTombstone) return {name, deleted: true}
  const row = {name, type: formatValueType(type), size: data.byteLength}
  if (isHidden) return row
  const text = findReadable(value)
  return {...row, data: base64(data), ...(text === undefined ? {} : {text})}
}

/** Many keys share one descriptor, and putting it into words is most of the work for a key. */
class DescribedSecurities {
  readonly #known = new WeakMap<Uint8Array, DescribedSecurity>()

  of(security: Uint8Array | undefined): DescribedSecurity {
    if (security === undefined) return describeSecurity(security)
    const described = this.#known.get(security) ?? describeSecurity(security)
    this.#known.set(security, described)
    return described
  }
}

const SECURITIES = new DescribedSecurities()

function describeKey(key: HiveKey, path: string, isHidden: boolean): HiveRow {
  const change = CHANGES[key.disposition]
  return {
    path,
    lastWrite: key.lastWrite.toString(),
    ...(change === undefined ? {} : {change}),
    ...(key.className.byteLength === 0 || isHidden ? {} : {className: base64(key.className)}),
    ...SECURITIES.of(key.security),
    values: key.values().map((value) => describeValue(value, isHidden)),
  }
}

/**
 * Opens the registry of an image or package as a container sees it, or what one layer changes in it, or a bare hive file
 * (`hive:FILE`, with the logs beside it). `key` limits it to that key and what is below (`NOT_FOUND`).
 */
export async function openRegistry(
  text: string,
  key: string | undefined,
  options: ReadHiveOptions = {},
): Promise<OpenRegistry> {
  const names = splitTypedKey(key)
  const notes = new Map<string, Note>()
  const opened = await openMounts(text, {
    ...options,
    wants: (path) => path.every((name, index) => names[index] === undefined || isSame(name, names[index])),
    onEvent: (event) => {
      if (event.kind !== 'note') {
        options.onEvent?.(event)
        return
      }
      const {code, message, subject} = event
      // What is read twice is told once.
      const id = JSON.stringify([code, message, subject])
      if (notes.has(id)) return
      notes.set(id, {code, message, subject})
      options.onEvent?.(event)
    },
  })
  try {
    const parts = findParts(opened, key, names, options.showSecrets === true)
    return {
      reference: opened.reference,
      ...(key === undefined ? {} : {key}),
      ...(options.layer === undefined ? {} : {layer: options.layer}),
      hidden: parts.some((part) => part.isHidden),
      *rows() {
        for (const part of parts) {
          for (const {key: each, path} of walkKeys(part.root, part.path)) yield describeKey(each, path, part.isHidden)
        }
      },
      *regLines() {
        yield* REG_HEADER
        for (const part of parts) yield* regLines(part.root, part.path, {hideData: part.isHidden})
      },
      get notes() {
        return [...notes.values()]
      },
      close: () => {
        opened.close()
      },
    }
  } catch (error) {
    opened.close()
    throw error
  }
}

/** All of it at once: see `openRegistry`. */
export async function readHive(
  text: string,
  key: string | undefined,
  options: ReadHiveOptions = {},
): Promise<HiveReport> {
  const registry = await openRegistry(text, key, options)
  try {
    const {rows, notes: _notes, regLines: _lines, close: _close, ...head} = registry
    const keys = [...rows()]
    return {...head, keys, notes: registry.notes}
  } finally {
    registry.close()
  }
}

/** The same as a `.reg` file: UTF-16LE with a byte order mark and CRLF, as regedit writes and reads it. */
export async function* readHiveAsReg(
  text: string,
  key: string | undefined,
  options: ReadHiveOptions = {},
): AsyncGenerator<Uint8Array> {
  const registry = await openRegistry(text, key, options)
  try {
    yield* encodeReg(registry)
  } finally {
    registry.close()
  }
}

/** Lines are encoded together: one by one they would be as many buffers. */
const BATCH_UNITS = 32 * 1024

/** The bytes of a `.reg` file. */
export function* encodeReg(registry: OpenRegistry): Generator<Uint8Array> {
  let text = '\ufeff'
  for (const line of registry.regLines()) {
    text += `${line}\r\n`
    if (text.length < BATCH_UNITS) continue
    yield Buffer.from(text, 'utf16le')
    text = ''
  }
  yield Buffer.from(text, 'utf16le')
}

interface Part {
  readonly root: HiveKey
  readonly path: string
  readonly isHidden: boolean
}

function findParts(
  {reference, mounts}: OpenMounts,
  key: string | undefined,
  names: readonly string[],
  showSecrets: boolean,
): readonly Part[] {
  const parts = mounts.flatMap((mount) => {
    const found = findBelow(mount, names)
    return found === undefined ? [] : [{...found, isHidden: mount.isSecret && !showSecrets}]
  })
  if (parts.length === 0 && names.length > 0) {
    throw new InputError('NOT_FOUND', {
      what: `The registry has no key '${key ?? ''}'.`,
      suggestions: [`List what is there: transship hive ${reference}`],
      at: {reference},
    })
  }
  return parts
}

/** The key of these names in a mounted hive; the whole hive when the names end above it. */
function findBelow(mount: HiveMount, names: readonly string[]): {root: HiveKey; path: string} | undefined {
  const matching = mount.path.filter((name, index) => names[index] === undefined || isSame(name, names[index]))
  const isUnder = matching.length === mount.path.length
  if (!isUnder && !mount.isBare) return undefined
  let path = mount.path.join('\\')
  let root: HiveKey | undefined = mount.root
  for (const name of names.slice(isUnder ? mount.path.length : 0)) {
    root = findSubkey(root, name) ?? findControlSet(root, name)
    if (root === undefined) return undefined
    path = `${path}\\${root.name}`
  }
  return {root, path}
}

function isSame(left: string, right: string): boolean {
  return compareKeyNames(left, right) === 0
}

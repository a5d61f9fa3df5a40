import {InputError} from '../../model/errors.js'
import {upcase} from '../../model/upcase.js'
import type {FileTime} from '../../model/windows-metadata.js'
import {BaseBlockFlag, decodeBaseBlock, isDirty, LAYERED_MINOR, type BaseBlock} from './base-block.js'
import {HiveCells, NIL} from './hive-cells.js'
import {BASE_BLOCK_BYTES, corruptAt} from './hive-fault.js'
import {
  compareKeyNames,
  KeyFlag,
  MAX_DEPTH,
  STORAGE_FLAGS,
  type HiveKey,
  type HiveValue,
  type KeyDisposition,
} from './hive-key.js'
import type {HiveSource} from './hive-source.js'
import {decodeKeyNode, DISPOSITIONS, INHERITS_CLASS, KEY_NODE_BYTES, requireKeyName} from './key-node.js'
import {readSecurity} from './security-cell.js'
import {readSubkeyOffsets} from './subkey-list.js'
import {readValue} from './value-cells.js'

/** Something about a hive that is not as it should be and does not prevent reading it. */
export interface HiveRemark {
  readonly code:
    | 'hive-dirty'
    | 'hive-pending-transactions'
    | 'hive-length'
    | 'hive-duplicate-name'
    | 'hive-unsorted'
    | 'hive-stray-layer-bits'
  readonly message: string
  /** In the file, bytes. */
  readonly offset: number
}

/** Options of everything that reads a hive. */
export interface HiveOptions {
  /** Called for what is odd about the hive and no fault. */
  readonly onRemark?: (remark: HiveRemark) => void
  /** Read a hive that was not written to its end and has no logs, with a remark; else `HIVE_DIRTY`. */
  readonly acceptDirty?: boolean
  /** Read a last bin that reaches beyond the length in the head, with a remark; else `HIVE_CORRUPT`. */
  readonly acceptLonger?: boolean
  /** It lies where a layer keeps what it changes, `Hives/*_Delta`: its keys have layer bits, whatever its head says. */
  readonly isDelta?: boolean
}

/** Security descriptors that are kept; a full server's hive has some hundreds. */
const MAX_SECURITIES = 4096

/** What a look at all keys has shown. */
export interface HiveSurvey {
  /** Offsets of the keys whose subkeys are out of order or twice there. */
  readonly oddKeys: ReadonlySet<number>
  /** A key or a value is marked as a change of lower layers. */
  readonly marksLayers: boolean
}

/** Most values of one key; hivex stops at 110,000. */
const MAX_VALUES = 1_000_000

/**
 * A hive file, read as it is walked. Opening checks the head and the tiling of bins and cells; everything else is
 * checked when it is looked at. `requireSound` looks at all of it.
 */
export class HiveFile {
  readonly header: BaseBlock
  readonly cells: HiveCells
  readonly options: HiveOptions
  readonly root: HiveKey
  /** True when keys may carry layer bits: the hive is a delta. */
  readonly isLayered: boolean
  readonly #securities = new Map<number, Uint8Array>()
  #survey: HiveSurvey | undefined

  /**
   * Throws `HIVE_CORRUPT`, `FORMAT_UNSUPPORTED`, or `HIVE_DIRTY` when the hive was not written to its end: then
   * `replayLogs` makes it whole.
   */
  constructor(source: HiveSource, options: HiveOptions = {}) {
    this.options = options
    this.header = decodeBaseBlock(source.read(0, Math.min(source.size, BASE_BLOCK_BYTES)))
    if (this.header.fileType !== 0) throw corruptAt(28 - BASE_BLOCK_BYTES, 'The file is the log of a hive, not a hive.')
    if (isDirty(this.header)) this.#meetDirty()
    if ((this.header.flags & BaseBlockFlag.pendingTransactions) !== 0) {
      this.remark(
        'hive-pending-transactions',
        'The hive has pending transactions. transship does not apply them.',
        -3952,
      )
    }
    this.isLayered =
      options.isDelta === true ||
      this.header.minorVersion >= LAYERED_MINOR ||
      (this.header.flags & BaseBlockFlag.layeredKeys) !== 0
    this.cells = this.#openCells(source)
    this.root = this.#readRoot()
  }

  /** If the header has a wrong checksum, its size is not reliable: read the complete bins of the file instead. */
  #openCells(source: HiveSource): HiveCells {
    const {dataBytes, isChecksumValid} = this.header
    const fileBytes = Math.floor((source.size - BASE_BLOCK_BYTES) / 4096) * 4096
    const cells = new HiveCells(source, isChecksumValid ? dataBytes : Math.max(fileBytes, 0), {
      isDamaged: isDirty(this.header),
      acceptsLongerBin: this.options.acceptLonger === true,
    })
    if (cells.dataBytes !== dataBytes) {
      const message = `The header of the hive states ${dataBytes} bytes of data, but it has ${cells.dataBytes}. transship reads those.`
      this.remark('hive-length', message, 40 - BASE_BLOCK_BYTES)
    }
    return cells
  }

  #meetDirty(): void {
    const {primarySequence, secondarySequence, isChecksumValid} = this.header
    const state = `sequence ${primarySequence}/${secondarySequence}, checksum ${isChecksumValid ? 'valid' : 'invalid'}`
    if (this.options.acceptDirty === true) {
      const message = `The hive was not closed (${state}). transship reads it as it is; the last changes may be missing.`
      this.remark('hive-dirty', message, -4092)
      return
    }
    throw new InputError('HIVE_DIRTY', {
      what: 'The registry hive was not closed, and no log beside it completes it.',
      why: `Expected equal sequence numbers and a valid checksum, found ${state}.`,
      suggestions: [
        'Load the hive on Windows once, or put its undamaged .LOG1 and .LOG2 files beside it.',
        'To read it as it is, run transship hive --ignore-logs.',
      ],
      at: {offset: 4},
    })
  }

  #readRoot(): HiveKey {
    const {rootOffset} = this.header
    const root = new StoredKey(this, rootOffset, {from: 36 - BASE_BLOCK_BYTES, depth: 0})
    if (root.disposition === 'tombstone' || root.disposition === 'supersede-local') {
      throw corruptAt(rootOffset, `The root key is marked ${root.disposition}.`)
    }
    return root
  }

  /** Passes on what is odd about the hive and no fault. */
  remark(code: HiveRemark['code'], message: string, offset: number): void {
    this.options.onRemark?.({code, message, offset: BASE_BLOCK_BYTES + offset})
  }

  /** Told by who has looked at every key. */
  settle(survey: HiveSurvey): void {
    this.#survey = survey
  }

  /** True when the subkeys of a key may be out of order or twice there. */
  hasOddSubkeys(offset: number): boolean {
    return this.#survey?.oddKeys.has(offset) ?? true
  }

  /**
   * A delta: its head says so in both ways, or something in it is marked as a change of lower layers. One sign alone, the
   * flag of which Windows 8 used for another thing, makes none of a hive without marks.
   */
  get isDelta(): boolean {
    const {minorVersion, flags} = this.header
    const isStated = minorVersion >= LAYERED_MINOR && (flags & BaseBlockFlag.layeredKeys) !== 0
    return isStated || (this.isLayered && (this.#survey?.marksLayers ?? true))
  }

  /** Security descriptors are shared by many keys; each is read once, but for a hive that has one for every key. */
  security(offset: number, from: number): Uint8Array {
    if (this.#securities.size >= MAX_SECURITIES) this.#securities.clear()
    const known = this.#securities.get(offset) ?? readSecurity(this.cells, offset, from)
    this.#securities.set(offset, known)
    return known
  }
}

interface KeyPlace {
  /** Where its offset was read. */
  readonly from: number
  readonly depth: number
  /** The parent's own offset and disposition. */
  readonly parent?: {readonly offset: number; readonly disposition: KeyDisposition}
}

/** A key in a hive file. Holds on to its cell only. */
export class StoredKey implements HiveKey {
  readonly name: string
  readonly offset: number
  readonly depth: number
  readonly #hive: HiveFile
  readonly #cell: Buffer

  constructor(hive: HiveFile, offset: number, place: KeyPlace) {
    this.#hive = hive
    this.offset = offset
    this.depth = place.depth
    this.#cell = hive.cells.cell(offset, place.from, 'A key', KEY_NODE_BYTES)
    this.name = requireKeyName(this.#cell, offset)
    this.#checkPlace(place)
    this.#checkLayer(place)
  }

  /** The parent that a key states must be the one that lists it: so that no key is met twice, and no walk is endless. */
  #checkPlace({depth, parent}: KeyPlace): void {
    if (depth > MAX_DEPTH) throw corruptAt(this.offset, `A key is nested deeper than ${MAX_DEPTH} levels.`)
    if (parent === undefined) return
    const stated = this.#cell.readUInt32LE(16)
    if (stated !== parent.offset || this.offset === this.#hive.header.rootOffset) {
      throw corruptAt(this.offset, `The key '${this.name}' is listed by a key that is not its parent.`)
    }
  }

  /** Source: sections 3.1 and 7 of the registry hive format page. */
  #checkLayer({parent}: KeyPlace): void {
    const layerByte = this.#cell.readUInt8(13)
    if (!this.#hive.isLayered) {
      if (layerByte === 0) return
      const message = `The key '${this.fullName}' has layer bits, which have no meaning in an ordinary hive. transship ignores them.`
      this.#hive.remark('hive-stray-layer-bits', message, this.offset)
      return
    }
    if ((layerByte & ~(INHERITS_CLASS | 3)) !== 0) {
      throw corruptAt(this.offset, `The key '${this.name}' has unknown layer bits, 0x${layerByte.toString(16)}.`)
    }
    const {disposition} = this
    if (parent?.disposition === 'supersede-tree' && disposition !== 'supersede-tree' && disposition !== 'tombstone') {
      throw corruptAt(this.offset, `The key '${this.name}' merges with lower layers, but its parent does not.`)
    }
    const node = decodeKeyNode(this.#cell)
    if (disposition === 'tombstone' && (node.subkeyCount > 0 || node.valueCount > 0)) {
      throw corruptAt(this.offset, `The deleted key '${this.name}' has subkeys or values.`)
    }
  }

  /** From the root on, with backslashes; for messages. */
  get fullName(): string {
    const names = [this.name]
    const {cells, header} = this.#hive
    let [offset, cell] = [this.offset, this.#cell]
    // What a key states as its parent was compared with the key that lists it, all the way up.
    for (let depth = this.depth; depth > 0 && offset !== header.rootOffset; depth--) {
      offset = cell.readUInt32LE(16)
      cell = cells.cell(offset, this.offset, 'A key', KEY_NODE_BYTES)
      names.unshift(requireKeyName(cell, offset))
    }
    return names.join('\\')
  }

  get #layerByte(): number {
    return this.#hive.isLayered ? this.#cell.readUInt8(13) : 0
  }

  get flags(): number {
    return decodeKeyNode(this.#cell).flags & ~STORAGE_FLAGS
  }

  get lastWrite(): FileTime {
    return decodeKeyNode(this.#cell).lastWrite
  }

  get disposition(): KeyDisposition {
    return DISPOSITIONS[this.#layerByte & 3] ?? 'merge'
  }

  get inheritsClass(): boolean {
    return (this.#layerByte & INHERITS_CLASS) !== 0
  }

  get className(): Uint8Array {
    const {classOffset, classBytes} = decodeKeyNode(this.#cell)
    if (classBytes === 0 || classOffset === NIL) return new Uint8Array()
    return this.#hive.cells.cell(classOffset, this.offset, 'A class name', classBytes).subarray(0, classBytes)
  }

  get security(): Uint8Array | undefined {
    const {securityOffset} = decodeKeyNode(this.#cell)
    return securityOffset === NIL ? undefined : this.#hive.security(securityOffset, this.offset)
  }

  get controlFlags(): number {
    return decodeKeyNode(this.#cell).controlFlags
  }

  get predefinedHandle(): number | undefined {
    const {flags, valueCount} = decodeKeyNode(this.#cell)
    return (flags & KeyFlag.predefinedHandle) === 0 ? undefined : valueCount
  }

  /** Offsets of the value nodes; `use` is told the list's own. */
  valueOffsets(use: (offset: number) => void = () => undefined): number[] {
    const {flags, valueCount, valueListOffset} = decodeKeyNode(this.#cell)
    if ((flags & KeyFlag.predefinedHandle) !== 0 || valueCount === 0) return []
    if (valueCount > MAX_VALUES) throw corruptAt(this.offset, `The key '${this.name}' has ${valueCount} values.`)
    const list = this.#hive.cells.cell(valueListOffset, this.offset, 'A list of values', valueCount * 4)
    use(valueListOffset)
    return Array.from({length: valueCount}, (_, index) => list.readUInt32LE(index * 4))
  }

  values(): readonly HiveValue[] {
    const {cells, header, isLayered} = this.#hive
    const values = this.valueOffsets().map((offset) =>
      readValue(cells, offset, {
        from: this.offset,
        minorVersion: header.minorVersion,
        isLayered,
        remark: this.#strayValue,
      }),
    )
    return this.#withoutDuplicates(values, 'value')
  }

  readonly #strayValue = (name: string): void => {
    const value = `The value ${JSON.stringify(name)} of the key '${this.fullName}'`
    const message = `${value} is marked as deleted, which has no meaning in an ordinary hive. transship ignores the mark.`
    this.#hive.remark('hive-stray-layer-bits', message, this.offset)
  }

  /** Offsets of the subkeys; `use` is told those of their lists. */
  subkeyOffsets(use?: (offset: number) => void): number[] {
    const {subkeyCount, subkeyListOffset} = decodeKeyNode(this.#cell)
    return readSubkeyOffsets(this.#hive.cells, {offset: subkeyListOffset, from: this.offset, count: subkeyCount}, use)
  }

  subkeys(): readonly StoredKey[] {
    const subkeys = [...this.#storedSubkeys()]
    if (subkeys.every((subkey, index) => isAfter(subkeys[index - 1], subkey))) return subkeys
    const sorted = subkeys.toSorted((left, right) => compareKeyNames(left.name, right.name))
    if (sorted.some((key, index) => key !== subkeys[index])) {
      this.#hive.remark(
        'hive-unsorted',
        `The subkeys of '${this.fullName}' are stored in the wrong order; Windows may not find them all.`,
        this.offset,
      )
    }
    return this.#withoutDuplicates(sorted, 'subkey')
  }

  /** One at a time once all keys have been looked at, but for a key whose subkeys have to be put in order. */
  streamSubkeys(): Iterable<StoredKey> {
    return this.#hive.hasOddSubkeys(this.offset) ? this.subkeys() : this.#storedSubkeys()
  }

  /** In the stored order, one at a time; `use` is told the cells of their lists. */
  *#storedSubkeys(use?: (offset: number) => void): Generator<StoredKey> {
    const parent = {offset: this.offset, disposition: this.disposition}
    const place = {from: this.offset, depth: this.depth + 1, parent}
    for (const offset of this.subkeyOffsets(use)) yield new StoredKey(this.#hive, offset, place)
  }

  /**
   * The subkeys one at a time, for who looks at all keys: in order, or in any order after `meetOdd` was called because the
   * stored order is wrong or a name comes twice. Only the first of a name is given.
   */
  *checkedSubkeys(use: (offset: number) => void, meetOdd: () => void): Generator<StoredKey> {
    let before: StoredKey | undefined
    for (const subkey of this.#storedSubkeys(use)) {
      if (!isAfter(before, subkey)) {
        meetOdd()
        yield* this.#restOf(before)
        return
      }
      before = subkey
      yield subkey
    }
  }

  /** What `subkeys` gives beyond those that come before and up to `last` in the stored order. */
  *#restOf(last: StoredKey | undefined): Generator<StoredKey> {
    const given = new Set<number>()
    for (const {offset} of this.#storedSubkeys()) {
      given.add(offset)
      if (offset === last?.offset) break
    }
    for (const subkey of this.subkeys()) if (!given.has(subkey.offset)) yield subkey
  }

  /** The first of a name counts; in a delta none does, since nobody can tell what Windows would compose. */
  #withoutDuplicates<T extends {readonly name: string}>(items: readonly T[], what: string): readonly T[] {
    if (items.length < 2) return items
    const seen = new Set<string>()
    const kept = items.filter((item) => {
      const folded = upcase(item.name)
      if (!seen.has(folded)) return seen.add(folded).size > 0
      const message = `The key '${this.fullName}' has several ${what}s named ${JSON.stringify(item.name)}`
      if (this.#hive.isLayered) throw corruptAt(this.offset, `${message}.`)
      this.#hive.remark('hive-duplicate-name', `${message}. transship uses only the first.`, this.offset)
      return false
    })
    return kept.length === items.length ? items : kept
  }
}

function isAfter(before: StoredKey | undefined, key: StoredKey): boolean {
  return before === undefined || compareKeyNames(before.name, key.name) < 0
}

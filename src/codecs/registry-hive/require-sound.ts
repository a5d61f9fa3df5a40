import {UnsupportedError} from '../../model/errors.js'
import {NIL} from './hive-cells.js'
import {corruptAt, hex} from './hive-fault.js'
import {StoredKey, type HiveFile, type HiveSurvey} from './hive-file.js'
import {decodeKeyNode} from './key-node.js'
import {useValueCells} from './value-cells.js'

/** Most keys of a hive that is worked with; a full server's largest has some 500,000. */
const MAX_KEYS = 4_000_000

/**
 * Looks at every key and value of a hive once. Throws `HIVE_CORRUPT` at the first fault, which includes a cell that is
 * used twice: so a small hive cannot stand for a large tree. Needs a bit for every 8 bytes of the hive.
 */
export function requireSound(hive: HiveFile): void {
  const check = new SoundCheck(hive)
  // One key of each level at a time, however many there are beside it.
  const open: Iterator<StoredKey>[] = hive.root instanceof StoredKey ? [check.enter(hive.root)] : []
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const next = level.next()
    if (next.done === true) open.pop()
    else open.push(check.enter(next.value))
  }
  hive.settle(check)
}

class SoundCheck implements HiveSurvey {
  /** Those whose subkeys are out of order, or twice there. */
  readonly oddKeys = new Set<number>()
  marksLayers = false
  readonly #hive: HiveFile
  readonly #used: Uint8Array
  #keys = 0

  constructor(hive: HiveFile) {
    this.#hive = hive
    this.#used = new Uint8Array(Math.ceil(hive.cells.dataBytes / 64))
  }

  /** Looks at a key without its subkeys, and gives these. */
  enter(key: StoredKey): Iterator<StoredKey> {
    const {cells, header} = this.#hive
    this.#keys += 1
    if (this.#keys > MAX_KEYS) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {what: `The registry hive has more than ${MAX_KEYS} keys.`})
    }
    const use = (offset: number): void => {
      this.#use(offset, key)
    }
    use(key.offset)
    const {minorVersion} = header
    for (const offset of key.valueOffsets(use)) useValueCells(cells, {offset, owner: key.offset, minorVersion}, use)
    const isMarked = key.disposition !== 'merge' || key.inheritsClass
    if (key.values().some((value) => value.isTombstone) || isMarked) this.marksLayers = true
    if (key.className.byteLength > 0) {
      const {classOffset} = decodeKeyNode(cells.cell(key.offset, key.offset, 'A key'))
      if (classOffset !== NIL) use(classOffset)
    }
    const {security: _readable} = key
    return key.checkedSubkeys(use, () => this.oddKeys.add(key.offset))
  }

  #use(offset: number, {offset: owner}: StoredKey): void {
    const mask = 1 << ((offset >>> 3) & 7)
    const byte = this.#used[offset >>> 6] ?? 0
    if ((byte & mask) !== 0) throw corruptAt(owner, `The key at ${hex(owner)} uses a cell that is in use elsewhere.`)
    this.#used[offset >>> 6] = byte | mask
  }
}

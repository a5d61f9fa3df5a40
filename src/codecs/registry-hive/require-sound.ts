import {UnsupportedError} from '../../model/errors.js'
import {NIL} from './hive-cells.js'
import {corruptAt, hex} from './hive-fault.js'
import {StoredKey, type HiveFile} from './hive-file.js'
import {decodeKeyNode} from './key-node.js'
import {useValueCells} from './value-cells.js'

/** Most keys of a hive that is worked with; a full server's largest has some 500,000. */
const MAX_KEYS = 4_000_000

/**
 * Looks at every key and value of a hive once. Throws `HIVE_CORRUPT` at the first fault, which includes a cell that is
 * used twice: so a small hive cannot stand for a large tree. Needs a bit for every 8 bytes of the hive.
 */
export function requireSound(hive: HiveFile): void {
  const {cells, header} = hive
  const used = new Uint8Array(Math.ceil(cells.dataBytes / 64))
  let owner = header.rootOffset
  const use = (offset: number): void => {
    const mask = 1 << ((offset >>> 3) & 7)
    const byte = used[offset >>> 6] ?? 0
    if ((byte & mask) !== 0) throw corruptAt(owner, `The key at ${hex(owner)} uses a cell that is in use elsewhere.`)
    used[offset >>> 6] = byte | mask
  }
  const pending: StoredKey[] = hive.root instanceof StoredKey ? [hive.root] : []
  let keys = 0
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    owner = key.offset
    keys += 1
    if (keys > MAX_KEYS) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {what: `The registry hive has more than ${MAX_KEYS} keys.`})
    }
    use(key.offset)
    for (const offset of key.valueOffsets(use)) useValueCells(cells, offset, header.minorVersion, use)
    key.values()
    if (key.className.byteLength > 0) {
      const {classOffset} = decodeKeyNode(cells.cell(key.offset, key.offset, 'A key'))
      if (classOffset !== NIL) use(classOffset)
    }
    const {security: _readable} = key
    key.subkeyOffsets(use)
    for (const subkey of key.subkeys()) pending.push(subkey)
  }
}

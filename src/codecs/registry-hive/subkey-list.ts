import type {HiveCells} from './hive-cells.js'
import {corruptAt, hex} from './hive-fault.js'

/** Bytes of an entry, by the signature of its list. */
const STRIDES: Readonly<Record<string, number>> = {li: 4, lf: 8, lh: 8, ri: 4}

/**
 * Offsets of the key nodes in a subkey list, of lists of lists too, in the stored order. Throws `HIVE_CORRUPT` when
 * they are not exactly `count`. Hints and hashes are not read. Source: section 1.4 of the registry hive format page.
 */
export function readSubkeyOffsets(
  cells: HiveCells,
  list: {readonly offset: number; readonly from: number; readonly count: number},
  use: (offset: number) => void = () => undefined,
): number[] {
  const found: number[] = []
  const add = (offset: number, from: number, mayNest: boolean): void => {
    const cell = cells.cell(offset, from, 'A list of subkeys', 4)
    use(offset)
    const signature = cell.toString('latin1', 0, 2) //  0  "li", "lf", "lh" or "ri"
    const entries = cell.readUInt16LE(2) //             2  entries
    const stride = STRIDES[signature]
    if (stride === undefined || (signature === 'ri' && !mayNest)) {
      throw corruptAt(offset, `Expected a list of subkeys at ${hex(offset)}, found ${JSON.stringify(signature)}.`)
    }
    if (4 + entries * stride > cell.byteLength) {
      throw corruptAt(offset, `A list of ${entries} subkeys does not fit its cell of ${cell.byteLength} bytes.`)
    }
    if (signature !== 'ri' && found.length + entries > list.count) throw tooMany(list, found.length + entries)
    for (let index = 0; index < entries; index++) {
      const entry = cell.readUInt32LE(4 + index * stride)
      if (signature === 'ri') add(entry, offset, false)
      else found.push(entry)
    }
  }
  if (list.count > cells.dataBytes) throw tooMany(list, 0)
  if (list.count > 0) add(list.offset, list.from, true)
  if (found.length !== list.count) throw tooMany(list, found.length)
  return found
}

function tooMany(list: {readonly from: number; readonly count: number}, found: number): Error {
  return corruptAt(list.from, `A key states ${list.count} subkeys, but its list has ${found}.`)
}

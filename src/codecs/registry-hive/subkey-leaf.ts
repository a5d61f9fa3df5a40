import {upcaseUnit} from '../../model/upcase.js'
import type {CellWriter} from './cell-writer.js'

/** Most entries of a leaf that Windows writes into one bin. Source: section 1.4 of the registry hive format page. */
const MAX_LEAF_ENTRIES = 507
/** First minor version whose lists carry hashes. */
const HASH_MINOR = 5

/** A subkey as its parent's list names it. */
export interface ListedKey {
  readonly name: string
  readonly offset: number
}

/** Hash of a name in an `lh` list. */
export function hashName(name: string): number {
  let hash = 0
  for (let index = 0; index < name.length; index++)
    hash = (Math.imul(hash, 37) + upcaseUnit(name.charCodeAt(index))) >>> 0
  return hash
}

/** The first four letters of a name in an `lf` list; zeros when a unit of the name does not fit a byte. */
function hintOf(name: string): Buffer {
  const hint = Buffer.alloc(4)
  for (let index = 0; index < Math.min(4, name.length); index++) {
    const unit = name.charCodeAt(index)
    if (unit > 0xff) return Buffer.alloc(4)
    hint.writeUInt8(unit, index)
  }
  return hint
}

/** Writes the list of a key's subkeys, sorted as given, and gives its offset. */
export function putSubkeyList(writer: CellWriter, subkeys: readonly ListedKey[], minorVersion: number): number {
  const leaves: number[] = []
  for (let start = 0; start < subkeys.length; start += MAX_LEAF_ENTRIES) {
    leaves.push(putLeaf(writer, subkeys.slice(start, start + MAX_LEAF_ENTRIES), minorVersion))
  }
  const [only] = leaves
  if (only !== undefined && leaves.length === 1) return only
  const offset = writer.allocate(4 + leaves.length * 4)
  const cell = writer.at(offset)
  cell.write('ri', 0, 'latin1') //              0  signature
  cell.writeUInt16LE(leaves.length, 2) //       2  entries
  for (const [index, leaf] of leaves.entries()) cell.writeUInt32LE(leaf, 4 + index * 4)
  return offset
}

function putLeaf(writer: CellWriter, subkeys: readonly ListedKey[], minorVersion: number): number {
  const isHashed = minorVersion >= HASH_MINOR
  const offset = writer.allocate(4 + subkeys.length * 8)
  const cell = writer.at(offset)
  cell.write(isHashed ? 'lh' : 'lf', 0, 'latin1') //  0  signature
  cell.writeUInt16LE(subkeys.length, 2) //            2  entries
  for (const [index, subkey] of subkeys.entries()) {
    cell.writeUInt32LE(subkey.offset, 4 + index * 8)
    if (isHashed) cell.writeUInt32LE(hashName(subkey.name), 8 + index * 8)
    else hintOf(subkey.name).copy(cell, 8 + index * 8)
  }
  return offset
}

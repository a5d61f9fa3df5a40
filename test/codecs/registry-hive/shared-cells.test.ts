import assert from 'node:assert/strict'
import {keyOf, valueOf, type HiveKey} from '../../../src/codecs/registry-hive/hive-key.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {hiveOf, openHive} from '../../helpers/hives.js'
import {TransshipError} from '../../../src/model/errors.js'

/** Where the cells begin in the file. */
const BASE_BLOCK = 4096
/** Fields of a key node and of a value. Source: sections 1.3 and 1.6 of the registry hive format page. */
const NK = {subkeys: 28, values: 40, className: 48} as const
const VK_DATA = 8
const LONG = Buffer.alloc(40_000, 0x41)

const classed = (name: string, subkeys: readonly HiveKey[] = []): HiveKey =>
  keyOf({
    name,
    className: Buffer.from(`class of ${name}`, 'utf16le'),
    values: [valueOf('short', 3, Buffer.from(`data of ${name}`)), valueOf('long', 3, LONG)],
    subkeys,
  })

/** A hive of two keys that have one of everything, and the places in it. */
class Twins {
  readonly bytes = hiveOf(keyOf({name: 'root', subkeys: [classed('a', [classed('x')]), classed('b', [classed('y')])]}))
  readonly left: number
  readonly right: number

  constructor() {
    const list = this.at(this.bytes.readUInt32LE(36), NK.subkeys)
    ;[this.left, this.right] = [this.at(list, 4), this.at(list, 12)]
  }

  /** The offset that a field of a cell holds. */
  at(cell: number, field: number): number {
    return this.bytes.readUInt32LE(BASE_BLOCK + cell + 4 + field)
  }

  put(cell: number, field: number, offset: number): void {
    this.bytes.writeUInt32LE(offset, BASE_BLOCK + cell + 4 + field)
  }

  /** The cells that following these fields one after the other leads to, from each of the two keys. */
  follow(fields: readonly number[]): [number, number] {
    const from = (start: number) => fields.reduce((cell, field) => this.at(cell, field), start)
    return [from(this.left), from(this.right)]
  }

  /** Lets the last of the fields lead to the same cell from both. */
  share(fields: readonly number[]): void {
    const last = fields.at(-1)!
    const [left, right] = this.follow(fields.slice(0, -1))
    assert.notEqual(this.at(left, last), this.at(right, last))
    this.put(right, last, this.at(left, last))
  }
}

const isShared = (error: unknown): boolean =>
  error instanceof TransshipError &&
  error.code === 'HIVE_CORRUPT' &&
  error.message.includes('uses a cell that is in use elsewhere')

const LONG_VALUE = [NK.values, 4, VK_DATA]

describe('a cell of a hive that two keys use', () => {
  it('is none in a hive as it is written', () => {
    requireSound(openHive(new Twins().bytes))
  })

  const cells: Readonly<Record<string, readonly number[]>> = {
    'the class': [NK.className],
    'the list of subkeys': [NK.subkeys],
    'the list of values': [NK.values],
    'a value': [NK.values, 0],
    'the data of a value': [NK.values, 0, VK_DATA],
    'the head of a long value': LONG_VALUE,
    'the list of its segments': [...LONG_VALUE, 4],
    'a segment': [...LONG_VALUE, 4, 0],
    'the last segment': [...LONG_VALUE, 4, 8],
  }
  for (const [what, fields] of Object.entries(cells))
    it(`is refused: ${what}`, () => {
      const twins = new Twins()
      twins.share(fields)
      assert.throws(() => {
        requireSound(openHive(twins.bytes))
      }, isShared)
    })
})

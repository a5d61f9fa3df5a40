import assert from 'node:assert/strict'
import fc from 'fast-check'
import {keyOf, valueOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {hashName} from '../../../src/codecs/registry-hive/subkey-leaf.js'
import {TransshipError} from '../../../src/model/errors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {deltaOf, deltaTree, describeTree, descriptorOf, hiveOf, openHive, plainTree} from '../../helpers/hives.js'

describe('writing and reading a hive', () => {
  it('gives the same keys again, in every version', () => {
    fc.assert(
      fc.property(plainTree(), fc.constantFrom(3, 4, 5, 6), (tree, minorVersion) => {
        const bytes = hiveOf(tree, minorVersion)
        const hive = openHive(bytes)
        requireSound(hive)
        assert.deepEqual(describeTree(hive.root), describeTree(tree))
        assert.ok(hiveOf(hive.root, minorVersion).equals(bytes), 'the same keys give the same bytes')
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('gives the same delta again, with every layer bit', () => {
    fc.assert(
      fc.property(deltaTree(), (tree) => {
        const bytes = deltaOf(tree)
        const hive = openHive(bytes)
        requireSound(hive)
        assert.equal(hive.header.minorVersion, 6)
        assert.equal(hive.header.flags, 2)
        assert.deepEqual(describeTree(hive.root), describeTree(tree))
        assert.ok(deltaOf(hive.root).equals(bytes))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('hashes surrogates as two units', () => {
    assert.equal(hashName('\u{10410}'), 0x201435)
  })

  for (const {title, count, minorVersion, signature} of [
    {title: 'one leaf of hashes', count: 507, minorVersion: 5, signature: 'lh'},
    {title: 'a list of leaves of hashes', count: 508, minorVersion: 5, signature: 'ri'},
    {title: 'one leaf of hints', count: 507, minorVersion: 3, signature: 'lf'},
    {title: 'a list of leaves of hints', count: 5000, minorVersion: 4, signature: 'ri'},
  ])
    it(`lists ${count} subkeys in ${title}`, () => {
      const subkeys = Array.from({length: count}, (_, index) => keyOf({name: `key ${index}`}))
      const root = keyOf({name: 'ROOT', subkeys, security: descriptorOf(18)})
      const hive = openHive(hiveOf(root, minorVersion))
      requireSound(hive)
      assert.equal(hive.root.subkeys().length, count)
      const list = hive.cells.cell(hive.cells.cell(32, 0, 'root').readUInt32LE(28), 0, 'list')
      assert.equal(list.toString('latin1', 0, 2), signature)
    })

  for (const {size, minorVersion, signature} of [
    {size: 16344, minorVersion: 5, signature: 'xx'},
    {size: 16345, minorVersion: 5, signature: 'db'},
    {size: 16345, minorVersion: 3, signature: 'xx'},
    {size: 1_200_000, minorVersion: 4, signature: 'db'},
  ])
    it(`stores a value of ${size} bytes in a hive 1.${minorVersion}`, () => {
      const data = Buffer.alloc(size, 'x')
      const hive = openHive(hiveOf(keyOf({name: 'ROOT', values: [valueOf('v', 3, data)]}), minorVersion))
      requireSound(hive)
      assert.ok(data.equals(hive.root.values()[0]!.data))
      const node = hive.cells.cell(hive.cells.cell(32, 0, 'root').readUInt32LE(40), 0, 'list').readUInt32LE(0)
      const stored = hive.cells.cell(hive.cells.cell(node, 0, 'value').readUInt32LE(8), 0, 'data')
      assert.equal(stored.toString('latin1', 0, 2), signature)
    })

  it('takes data that happens to begin with db for what it is in a hive 1.3', () => {
    const data = Buffer.alloc(20000, 'db')
    const hive = openHive(hiveOf(keyOf({name: 'ROOT', values: [valueOf('v', 3, data)]}), 3))
    assert.ok(data.equals(hive.root.values()[0]!.data))
  })
})

describe('damaged hives', () => {
  function readAll(bytes: Uint8Array): void {
    const hive = openHive(bytes, {acceptDirty: true})
    requireSound(hive)
    describeTree(hive.root)
  }

  it('are read or refused with a code and an offset, whichever bits are flipped', () => {
    fc.assert(
      fc.property(
        deltaTree(),
        fc.array(fc.tuple(fc.nat(), fc.nat({max: 255})), {minLength: 1, maxLength: 4}),
        (tree, flips) => {
          const bytes = Buffer.from(deltaOf(tree))
          for (const [at, byte] of flips)
            bytes.writeUInt8(byte, at % 3 === 0 ? at % 64 : 4096 + (at % (bytes.byteLength - 4096)))
          try {
            readAll(bytes)
          } catch (error) {
            assert.ok(error instanceof TransshipError, String(error))
            assert.match(error.code, /^(HIVE_CORRUPT|FORMAT_UNSUPPORTED|LIMIT_EXCEEDED)$/)
            if (error.code === 'HIVE_CORRUPT') assert.equal(typeof error.at.offset, 'number')
          }
        },
      ),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('are refused when cut anywhere', () => {
    const root = keyOf({name: 'ROOT', security: descriptorOf(18), values: [valueOf('a', 1, Buffer.alloc(30))]})
    const bytes = hiveOf(root)
    for (let length = 0; length < bytes.byteLength; length += 7) {
      assert.throws(() => {
        readAll(bytes.subarray(0, length))
      }, TransshipError)
    }
  })
})

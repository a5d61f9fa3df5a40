import assert from 'node:assert/strict'
import {mkdtempSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {encodeCarrierHead} from '../../../src/codecs/carrier/plan-carrier.js'
import {PayloadFile} from '../../../src/formats/transport-layout/carrier-file.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {type OpenFile} from '../../../src/formats/transport-layout/layout-files.js'
import {type Content} from '../../../src/model/content.js'
import {InputError} from '../../../src/model/errors.js'
import {UnpackLimit} from '../../../src/model/unpack-limit.js'
import {collect} from '../../helpers/bytes.js'
import {openBelow} from '../../helpers/open-files.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const MIB = 2 ** 20

describe('a file of a payload', () => {
  const folder = temporaryFolder()
  const limit = () => new UnpackLimit('it', 4 * MIB)
  function fileOf(bytes: Uint8Array, how: (file: OpenFile) => OpenFile = (file) => file) {
    const root = mkdtempSync(path.join(folder.path, 'payload-'))
    writeFileSync(path.join(root, 'a'), bytes)
    const opened = new FolderFiles(root, 'it').open('a', bytes.byteLength, 'it/a')
    return {root, file: new PayloadFile(how(opened), bytes.byteLength, {place: 'it/a', limit: limit()})}
  }

  for (const [note, size] of [
    ['small', MIB],
    ['large', MIB + 1],
  ] as const)
    it(`gives what lies where, as a whole, in one piece, or with holes: ${note}`, async () => {
      const bytes = Buffer.alloc(size, 'payload ')
      const read = async (use: (file: PayloadFile) => Content) => {
        const {file} = fileOf(bytes)
        const content = use(file)
        const all = await collect(content.open())
        file.close()
        return {all, content}
      }
      assert.ok((await read((file) => file.whole())).all.equals(bytes))
      const piece = await read((file) =>
        file.content({sizeBytes: 100, extents: [{offset: 0, length: 100, position: 3}], isSparse: false}),
      )
      assert.ok(piece.all.equals(bytes.subarray(3, 103)))
      assert.deepEqual([piece.content.size, piece.content.ranges], [100, undefined])
      assert.equal((await read((file) => file.content({sizeBytes: 0, extents: [], isSparse: false}))).all.byteLength, 0)
      const extents = [
        {offset: 2, length: 3, position: 10},
        {offset: 8, length: 1, position: 4},
      ]
      const holes = await read((file) => file.content({sizeBytes: 10, extents, isSparse: true}))
      assert.deepEqual([...holes.all], [0, 0, ...bytes.subarray(10, 13), 0, 0, 0, bytes[4], 0])
      assert.deepEqual(
        [holes.content.size, holes.content.ranges],
        [
          10,
          [
            {offset: 2, length: 3},
            {offset: 8, length: 1},
          ],
        ],
      )
      const two = await read((file) =>
        file.content({
          sizeBytes: 4,
          extents: [
            {offset: 0, length: 3, position: 10},
            {offset: 3, length: 1, position: 4},
          ],
          isSparse: false,
        }),
      )
      assert.deepEqual([...two.all], [...bytes.subarray(10, 13), bytes[4]])
      const short = await read((file) =>
        file.content({sizeBytes: 5, extents: [{offset: 0, length: 3, position: 10}], isSparse: false}),
      )
      assert.deepEqual([...short.all], [...bytes.subarray(10, 13), 0, 0])
      const whole = await read((file) => file.whole([{offset: 1, length: 2}]))
      assert.deepEqual(
        [whole.all.byteLength, [...whole.all.subarray(0, 4)], whole.content.ranges],
        [size, [0, bytes[1], bytes[2], 0], [{offset: 1, length: 2}]],
      )
      const sparse = await read((file) =>
        file.content({sizeBytes: 3, extents: [{offset: 0, length: 3, position: 0}], isSparse: true}),
      )
      assert.deepEqual(sparse.content.ranges, [{offset: 0, length: 3}])
    })

  it('is at hand and closed where it is small, and read while it is open where it is large', async () => {
    const small = fileOf(Buffer.alloc(MIB, 'x'))
    assert.deepEqual([openBelow(small.root).length, small.file.whole().bytes?.byteLength], [0, MIB])
    const {root, file} = fileOf(Buffer.alloc(MIB + 1, 'x'))
    assert.equal(file.whole().bytes, undefined)
    if (process.platform === 'linux') assert.equal(openBelow(root).length, 1)
    const content = file.content({sizeBytes: 5, extents: [{offset: 0, length: 5, position: 0}], isSparse: false})
    file.close()
    file.close()
    assert.deepEqual(openBelow(folder.path), [])
    await assert.rejects(collect(content.open()), {code: 'SIZE_MISMATCH', at: {path: 'it/a'}})
    assert.throws(() => file.decode('file'), {code: 'SIZE_MISMATCH'})
  })

  it('is closed where it is shorter than it was', () => {
    const root = mkdtempSync(path.join(folder.path, 'payload-'))
    writeFileSync(path.join(root, 'a'), 'abc')
    const opened = new FolderFiles(root, 'it').open('a', 4, 'it/a')
    assert.throws(() => new PayloadFile(opened, 4, {place: 'it/a', limit: limit()}), {
      code: 'SIZE_MISMATCH',
      at: {path: 'it/a', offset: 3},
    })
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('spells out no more holes than may be', async () => {
    const {file} = fileOf(Buffer.from('x'))
    const content = file.content({sizeBytes: 5 * MIB, extents: [{offset: 0, length: 1, position: 0}], isSparse: true})
    await assert.rejects(collect(content.open()), {code: 'LIMIT_EXCEEDED'})
  })

  for (const size of [10, MIB + 50])
    it(`is decoded as a carrier, or refused by its place: ${size} bytes`, async () => {
      const head = encodeCarrierHead({kind: 'file', meta: {attributes: 0x20}, contentBytes: size})
      const {file} = fileOf(Buffer.concat([head, Buffer.alloc(size, 'c')]))
      const {attributes, data} = file.decode('file')
      assert.deepEqual([attributes, data?.sizeBytes], [0x20, size])
      assert.ok((await collect(file.content(data!).open())).equals(Buffer.alloc(size, 'c')))
      file.close()
      const broken = fileOf(Buffer.concat([head, Buffer.alloc(size + 3, 'c')])).file
      assert.throws(
        () => broken.decode('file'),
        (error) =>
          error instanceof InputError &&
          error.code === 'CARRIER_CORRUPT' &&
          error.at.path === 'it/a' &&
          (error.at.offset ?? 0) >= size,
      )
      broken.close()
    })

  it('that is large is scanned through a window, so that each small piece is not read by itself', () => {
    let reads = 0
    const head = encodeCarrierHead({kind: 'file', meta: {attributes: 0x20}, contentBytes: MIB + 1})
    const {file} = fileOf(Buffer.concat([head, Buffer.alloc(MIB + 1)]), (inner) => ({
      read(offset, into) {
        reads++
        inner.read(offset, into)
      },
      range: (offset, length) => inner.range(offset, length),
      close: () => {
        inner.close()
      },
    }))
    file.decode('file')
    assert.equal(reads, 1)
    file.close()
  })
})

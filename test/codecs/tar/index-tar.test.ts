import assert from 'node:assert/strict'
import {indexTar, type IndexTarOptions, type RandomAccess} from '../../../src/codecs/tar/index-tar.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {inBlocks, longMember, paxMember, paxText, RAW_END, rawHeader, rawMember} from '../../helpers/raw-tar.js'

/** Bytes that tell what is read of them. */
function accessTo(bytes: Uint8Array) {
  const reads: [number, number][] = []
  const access: RandomAccess = {
    size: bytes.byteLength,
    read: (offset, length) => {
      reads.push([offset, length])
      return Promise.resolve(bytes.subarray(offset, offset + length))
    },
  }
  return {access, reads}
}

const index = (bytes: Uint8Array, options: Partial<IndexTarOptions> = {}) =>
  indexTar(accessTo(bytes).access, {title: 'an archive', ...options})
const [A, B] = [rawMember({name: 'a'}, 'first'), rawMember({name: 'b'}, Buffer.alloc(600, 'b'))]

describe('the index of a tar', () => {
  it('has each member with its place', async () => {
    const link = rawMember({name: 'l', type: '2', linkname: 'a'})
    assert.deepEqual(await index(Buffer.concat([A, link, B, RAW_END])), [
      {kind: 'file', name: 'a', linkname: '', offset: 512, size: 5},
      {kind: 'symlink', name: 'l', linkname: 'a', offset: 1536, size: 0},
      {kind: 'file', name: 'b', linkname: '', offset: 2048, size: 600},
    ])
    assert.deepEqual(await index(RAW_END), [])
  })

  it('has members behind extended headers, and global ones between', async () => {
    const long = 'n'.repeat(150)
    const tar = [
      paxMember([['comment', 'x']], 'g'),
      longMember('L', long),
      rawMember({name: 'n', format: 'gnu'}, 'x'),
      A,
      RAW_END,
    ]
    const found = await index(Buffer.concat(tar))
    assert.deepEqual(
      found.map(({name, offset}) => [name, offset]),
      [
        [long, 1024 + 1024 + 512],
        ['a', 1024 + 1024 + 512 + 512 + 512],
      ],
    )
  })

  it('forgets what a long name said once its member has come', async () => {
    const found = await index(Buffer.concat([paxMember([['path', 'long']]), A, B, RAW_END]))
    assert.deepEqual(
      found.map(({name}) => name),
      ['long', 'b'],
    )
  })

  it('leaps over bodies, and reads many headers at once', async () => {
    const large = rawMember({name: 'large'}, Buffer.alloc(300_000))
    const small = Array.from({length: 20}, (_, number) => rawMember({name: `s${number}`}, 'x'))
    const bytes = Buffer.concat([...small, large, A, RAW_END])
    const {access, reads} = accessTo(bytes)
    assert.equal((await indexTar(access, {title: 'x'})).length, 22)
    const behind = bytes.byteLength - 1024 - 1024
    assert.deepEqual(reads, [
      [0, 65536],
      [behind, 65536],
    ])
  })

  it('takes an extended header larger than what is read at a time', async () => {
    const path = 'p'.repeat(100_000)
    const found = await index(Buffer.concat([paxMember([['path', path]]), A, RAW_END]))
    assert.deepEqual([found[0]?.name, found[0]?.size], [path, 5])
  })

  for (const [note, bytes, offset] of [
    ['nothing', Buffer.alloc(0), 0],
    ['no end', A, 1024],
    ['one block of end', Buffer.concat([A, RAW_END.subarray(0, 512)]), 1536],
    ['a cut end', Buffer.concat([A, RAW_END.subarray(0, 1023)]), 1536],
    ['a cut header', Buffer.concat([A, B.subarray(0, 511)]), 1024],
    ['a cut body', Buffer.concat([A, B.subarray(0, 700)]), 1724],
    ['a cut padding', A.subarray(0, 1023), 1023],
    ['a cut extended header', paxMember([['path', 'x'.repeat(600)]]).subarray(0, 1024), 512],
  ] as const)
    it(`is refused where it is cut, with the place: ${note}`, async () => {
      assert.deepEqual(await lateFaultOf(index(bytes)), {code: 'ARCHIVE_TRUNCATED', at: {path: 'an archive', offset}})
    })

  const ill = Buffer.from([0x61, 0xff])
  const limit = 2 ** 20
  for (const [note, bytes, code, offset] of [
    ['a header that is damaged', Buffer.concat([A, Buffer.from(B).fill('x', 0, 1), RAW_END]), 'ARCHIVE_CORRUPT', 1024],
    ['a zero block between', Buffer.concat([A, RAW_END.subarray(0, 512), B, RAW_END]), 'ARCHIVE_CORRUPT', 1536],
    [
      'a PAX header that is malformed',
      Buffer.concat([rawMember({name: 'x', type: 'x'}, '9 path=\n'), A, RAW_END]),
      'ARCHIVE_CORRUPT',
      512,
    ],
    [
      'a global header that matters',
      Buffer.concat([paxMember([['path', 'a']], 'g'), A, RAW_END]),
      'ARCHIVE_CORRUPT',
      512,
    ],
    [
      'two names',
      Buffer.concat([paxMember([['path', 'a']]), longMember('L', 'b'), A, RAW_END]),
      'ARCHIVE_CORRUPT',
      2048,
    ],
    [
      'a sparse member of GNU',
      Buffer.concat([rawMember({name: 's', type: 'S', format: 'gnu'}), RAW_END]),
      'ARCHIVE_CORRUPT',
      0,
    ],
    [
      'a sparse member of PAX',
      Buffer.concat([paxMember([['GNU.sparse.map', '0,1']]), A, RAW_END]),
      'ARCHIVE_CORRUPT',
      1024,
    ],
    [
      'an extended header of more than a MiB',
      Buffer.concat([rawHeader({name: 'x', type: 'x', size: limit + 1}), Buffer.alloc(limit + 512), RAW_END]),
      'ARCHIVE_CORRUPT',
      0,
    ],
    ['a name that is no UTF-8', Buffer.concat([rawMember({name: ill}), RAW_END]), 'NAME_UNSAFE', 0],
    [
      'a link that is no UTF-8',
      Buffer.concat([A, rawMember({name: 'l', type: '2', linkname: ill}), RAW_END]),
      'NAME_UNSAFE',
      1024,
    ],
  ] as const)
    it(`is refused, with the place: ${note}`, async () => {
      assert.deepEqual(await lateFaultOf(index(bytes)), {code, at: {path: 'an archive', offset}})
    })

  it('takes an extended header of just a MiB', async () => {
    const record = paxText([['comment', 'x'.repeat(limit - '1048576 comment=\n'.length)]])
    assert.equal(record.byteLength, limit)
    const found = await index(
      Buffer.concat([rawHeader({name: 'x', type: 'x', size: limit}), inBlocks(record), A, RAW_END]),
    )
    assert.deepEqual(found.map(({name}) => name), ['a']) // prettier-ignore
  })

  it('takes as many members as are allowed', async () => {
    const tar = Buffer.concat([A, B, RAW_END])
    assert.equal((await index(tar, {maxEntries: 2})).length, 2)
    assert.equal((await lateFaultOf(index(tar, {maxEntries: 1}))).code, 'LIMIT_EXCEEDED')
  })

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new RangeError('enough'))
    await assert.rejects(index(Buffer.concat([A, RAW_END]), {signal}), RangeError)
    const controller = new AbortController()
    const access = {
      size: 4096,
      read: () => (controller.abort(new RangeError('enough')), Promise.resolve(Buffer.concat([A, A, A, A]))),
    }
    await assert.rejects(indexTar(access, {title: 'x', signal: controller.signal}), RangeError)
  })
})

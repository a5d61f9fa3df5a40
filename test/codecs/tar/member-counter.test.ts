import assert from 'node:assert/strict'
import {MemberCounter} from '../../../src/codecs/tar/member-counter.js'
import {
  inBlocks,
  longMember,
  paxMember,
  paxText,
  RAW_END,
  rawHeader,
  rawMember,
  sparseMember,
} from '../../helpers/raw-tar.js'

function counted(bytes: Uint8Array, size = bytes.byteLength): number {
  const counter = new MemberCounter()
  for (let at = 0; at < bytes.byteLength; at += size) counter.update(bytes.subarray(at, at + size))
  return counter.members
}

const [A, B] = [rawMember({name: 'a'}, 'first'), rawMember({name: 'b'}, Buffer.alloc(1300, 'b'))]
/** A member whose body looks like a member. */
const NESTED = rawMember({name: 'tar'}, Buffer.concat([A, B]))
const ranges = Array.from({length: 60}, (_, index) => [index * 20, Buffer.alloc(9, 1)] as const)

describe('the number of members that pass by', () => {
  for (const [note, parts, count] of [
    ['none', [RAW_END], 0],
    ['files and what they hold', [A, NESTED, B, RAW_END], 3],
    [
      'a folder and a link, whatever size they state',
      [rawMember({name: 'd', type: '5', size: 700}), rawMember({name: 'l', type: '1', size: 9}), A, RAW_END],
      3,
    ],
    [
      'behind extended headers, which do not count',
      [
        paxMember([['comment', 'x']], 'g'),
        longMember('L', 'a'),
        longMember('K', 'b'),
        paxMember([['path', 'p']]),
        A,
        B,
        RAW_END,
      ],
      2,
    ],
    [
      'with the size of a record',
      [paxMember([['size', '1300']]), rawHeader({name: 'b', size: 0}), inBlocks(Buffer.alloc(1300, A)), B, RAW_END],
      2,
    ],
    [
      'with the size of a record that is just for one',
      [paxMember([['size', '0']]), rawHeader({name: 'b', size: 700}), B, A, RAW_END],
      3,
    ],
    [
      'with the size of a record for a long name too',
      [
        paxMember([['size', '5']]),
        longMember('L', 'x'.repeat(900)),
        rawHeader({name: 'b', size: 0}),
        inBlocks(Buffer.from('first')),
        A,
        RAW_END,
      ],
      2,
    ],
    ['behind an empty PAX header', [rawMember({name: 'x', type: 'x'}), A, RAW_END], 1],
    ['behind a PAX header that is malformed', [rawMember({name: 'x', type: 'x'}, 'no record'), A, RAW_END], 1],
    ['sparse, with a map of several blocks', [sparseMember('old GNU', {name: 's', size: 5000, ranges}), A, RAW_END], 2],
    [
      'sparse, with a map in the header alone',
      [sparseMember('old GNU', {name: 's', size: 50, ranges: ranges.slice(0, 2)}), A, RAW_END],
      2,
    ],
    [
      'of type S in another format',
      [rawMember({name: 's', type: 'S', patch: {482: Buffer.of(1)}}, 'x'), A, RAW_END],
      2,
    ],
    ['up to the end', [A, RAW_END, A, A], 1],
    ['up to a damaged header', [A, Buffer.alloc(512, 'x'), A], 1],
    ['as far as it goes', [A, B.subarray(0, 511)], 1],
    ['as far as it goes, without its body', [A, B.subarray(0, 512)], 2],
  ] as const)
    it(`is ${count}: ${note}`, () => {
      const bytes = Buffer.concat(parts)
      for (const size of [bytes.byteLength, 1, 100, 512, 513, 1024])
        assert.equal(counted(bytes, size), count, `${size}`)
    })

  it('is what has passed so far', () => {
    const counter = new MemberCounter()
    const counts = [A, B, RAW_END, A].map((part) => {
      counter.update(part)
      return counter.members
    })
    assert.deepEqual(counts, [1, 2, 2, 2])
  })

  it('heeds no PAX header of more than a MiB', () => {
    const limit = 2 ** 20
    const sized = (length: number) => {
      const text = (fill: number) =>
        paxText([
          ['comment', 'x'.repeat(fill)],
          ['size', '1024'],
        ])
      const record = text(length - text(1_000_000).byteLength + 1_000_000)
      assert.equal(record.byteLength, length)
      return [rawHeader({name: 'x', type: 'x', size: length}), inBlocks(record)]
    }
    for (const [length, count] of [
      [limit, 1],
      [limit + 1, 2],
    ] as const) {
      const tar = Buffer.concat([...sized(length), rawHeader({name: 'b', size: 0}), A, RAW_END])
      assert.equal(counted(tar), count)
    }
  })
})

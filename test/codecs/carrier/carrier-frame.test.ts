import assert from 'node:assert/strict'
import {StreamId} from '../../../src/codecs/backup-stream/stream-header.js'
import {
  decodeCarrierFrame,
  encodeCarrierFrame,
  isCanonical,
  type CarrierFrame,
  type FrameStream,
} from '../../../src/codecs/carrier/carrier-frame.js'
import {findSparseLayout, isSparseForm} from '../../../src/codecs/carrier/sparse-form.js'
import {withPlainBytes} from '../../helpers/bytes.js'

const NO_TAIL = new Uint8Array()
const DATA: FrameStream = {id: StreamId.data, attributes: 0}
const SECURITY: FrameStream = {id: StreamId.security, attributes: 0}
/** Sparse data of 5 MiB as transship lays it: a block for its range, and an empty one at the end. */
const SPARSE = {
  id: StreamId.data,
  attributes: 8,
  sparse: {
    headBytes: 0,
    sizeBytes: 5 * 2 ** 20,
    blocks: [
      {offset: 2 ** 20, length: 4096, attributes: 0},
      {offset: 5 * 2 ** 20, length: 0, attributes: 0},
    ],
  },
} as const satisfies FrameStream

/** Each part that a frame can have, and its bytes as docs/recipe.md has them. */
const FORMS: readonly {note: string; frame: CarrierFrame; bytes: readonly number[]}[] = [
  {note: 'nothing at all', frame: {streams: [], tail: NO_TAIL}, bytes: [1, 0]},
  {
    note: 'attributes',
    frame: {attributes: 0x10203040, streams: [], tail: NO_TAIL},
    bytes: [1, 1, 0x40, 0x30, 0x20, 0x10],
  },
  {note: 'attributes of 0', frame: {attributes: 0, streams: [], tail: NO_TAIL}, bytes: [1, 1, 0, 0, 0, 0]},
  {note: 'a tail', frame: {streams: [], tail: Buffer.of(0, 0)}, bytes: [1, 2, 2, 0, 0]},
  {note: 'no carrier', frame: {isAbsent: true, streams: [], tail: NO_TAIL}, bytes: [1, 4]},
  {note: 'plain streams', frame: {streams: [SECURITY, DATA], tail: NO_TAIL}, bytes: [1, 0, 3, 1]},
  {
    note: 'attributes of a stream',
    frame: {streams: [{...SECURITY, attributes: 2}], tail: NO_TAIL},
    bytes: [1, 0, 0x13, 2],
  },
  {note: 'a stream of id 14', frame: {streams: [{id: 14, attributes: 0}], tail: NO_TAIL}, bytes: [1, 0, 14]},
  {note: 'a stream of id 15', frame: {streams: [{id: 15, attributes: 0}], tail: NO_TAIL}, bytes: [1, 0, 15, 15]},
  {
    note: 'a stream of the highest id and attributes',
    frame: {streams: [{id: 0xffffffff, attributes: 0xffffffff}], tail: NO_TAIL},
    bytes: [1, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f],
  },
  {
    note: 'a name',
    frame: {streams: [{...DATA, name: Buffer.from('n\0')}], tail: NO_TAIL},
    bytes: [1, 0, 0x81, 2, 0x6e, 0],
  },
  {
    note: 'a payload of its own',
    frame: {streams: [{...DATA, inline: Buffer.from('ab')}], tail: NO_TAIL},
    bytes: [1, 0, 0x21, 2, 0x61, 0x62],
  },
  {
    note: 'the size of an alternate stream',
    frame: {streams: [{id: StreamId.alternateData, attributes: 0, sizeBytes: 300}], tail: NO_TAIL},
    bytes: [1, 0, 4, 0xac, 2],
  },
  {
    note: 'an alternate stream with a payload of its own',
    frame: {streams: [{id: StreamId.alternateData, attributes: 0, inline: Buffer.from('a')}], tail: NO_TAIL},
    bytes: [1, 0, 0x24, 1, 0x61],
  },
  {
    note: 'blocks',
    frame: {
      streams: [
        {
          ...DATA,
          attributes: 8,
          sparse: {
            headBytes: 2,
            sizeBytes: 9,
            blocks: [
              {offset: 3, length: 1, attributes: 0},
              {offset: 6, length: 3, attributes: 8},
            ],
          },
        },
      ],
      tail: NO_TAIL,
    },
    bytes: [1, 0, 0x51, 8, 2, 9, 2, 1, 1, 0, 2, 3, 8],
  },
]

describe('frames of a carrier', () => {
  for (const {note, frame, bytes} of FORMS)
    it(`${note}: written and read`, () => {
      assert.deepEqual([...encodeCarrierFrame(frame)], bytes)
      assert.deepEqual(withPlainBytes(decodeCarrierFrame(Buffer.from(bytes))), withPlainBytes(frame))
    })

  for (const [note, bytes] of [
    ['another format', [2, 0]],
    ['no flags', [1]],
    ['cut attributes', [1, 1, 0, 0, 0]],
    ['a cut tail', [1, 2, 2, 0]],
    ['an id above 32 bits', [1, 0, 15, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['attributes above 32 bits', [1, 0, 0x11, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a name that is cut', [1, 0, 0x81, 2, 0x6e]],
    ['a payload that is cut', [1, 0, 0x21, 2, 0x61]],
    ['an alternate stream without its size', [1, 0, 4]],
    ['a block past the end', [1, 0, 0x41, 0, 9, 1, 5, 5, 0]],
    ['block attributes above 32 bits', [1, 0, 0x41, 0, 9, 1, 5, 4, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a header of more bytes than the stream', [1, 0, 0x41, 10, 9, 0]],
    ['fewer blocks than stated', [1, 0, 0x41, 0, 9, 2, 5, 4, 0]],
  ] as const)
    it(`refused: ${note}`, () => {
      assert.throws(() => decodeCarrierFrame(Buffer.from(bytes)), {code: 'RECIPE_CORRUPT'})
    })

  it('take a block that ends where its stream does', () => {
    assert.deepEqual(decodeCarrierFrame(Buffer.of(1, 0, 0x41, 9, 9, 1, 0, 0, 0)).streams[0]?.sparse?.blocks, [
      {offset: 9, length: 0, attributes: 0},
    ])
  })
})

describe('the form that Microsoft writes', () => {
  const ids = [StreamId.security, StreamId.data]
  const frame: CarrierFrame = {streams: [SECURITY, DATA], tail: NO_TAIL}
  it('is known', () => {
    assert.equal(isCanonical(frame, ids), true)
  })
  for (const [note, other] of [
    ['attributes', {...frame, attributes: 0}],
    ['no carrier', {...frame, isAbsent: true}],
    ['a tail', {...frame, tail: Buffer.of(0)}],
    ['a stream less', {...frame, streams: [SECURITY]}],
    ['another order', {...frame, streams: [DATA, SECURITY]}],
    ['a stream more', {...frame, streams: [SECURITY, DATA, DATA]}],
    ['attributes of a stream', {...frame, streams: [{...SECURITY, attributes: 2}, DATA]}],
    ['a name', {...frame, streams: [SECURITY, {...DATA, name: NO_TAIL}]}],
    ['a payload of its own', {...frame, streams: [SECURITY, {...DATA, inline: NO_TAIL}]}],
    ['blocks', {...frame, streams: [SECURITY, {...SPARSE, attributes: 0}]}],
  ] as const satisfies readonly (readonly [string, CarrierFrame])[])
    it(`is not: ${note}`, () => {
      assert.equal(isCanonical(other, ids), false)
    })
})

describe('the form of sparse content', () => {
  const isForm = (frame: Omit<CarrierFrame, 'tail'> & {tail?: Uint8Array}) =>
    isSparseForm(encodeCarrierFrame({tail: NO_TAIL, ...frame}))
  const sparseWith = (change: Partial<NonNullable<FrameStream['sparse']>>): FrameStream => ({
    ...SPARSE,
    sparse: {...SPARSE.sparse, ...change},
  })
  const [first, last] = SPARSE.sparse.blocks

  for (const [note, frame] of [
    ['blocks beside plain streams', {streams: [SECURITY, SPARSE]}],
    ['an alternate stream in blocks', {streams: [{...SPARSE, id: StreamId.alternateData, sizeBytes: 1}]}],
    ['nothing but the empty block', {streams: [sparseWith({blocks: [last]})]}],
    ['no blocks at all', {streams: [SECURITY, DATA]}],
  ] as const satisfies readonly (readonly [string, Omit<CarrierFrame, 'tail'>])[])
    it(`is: ${note}`, () => {
      assert.equal(isForm(frame), true)
    })

  for (const [note, frame] of [
    ['attributes', {attributes: 0, streams: [SPARSE]}],
    ['no carrier', {isAbsent: true, streams: []}],
    ['a tail', {streams: [SPARSE], tail: Buffer.of(0)}],
    ['a name', {streams: [{...SPARSE, name: Buffer.of(1)}]}],
    ['a payload of its own', {streams: [{...DATA, inline: Buffer.of(1)}]}],
    ['attributes of a plain stream', {streams: [{...SECURITY, attributes: 2}]}],
    ['another attribute', {streams: [{...SPARSE, attributes: 9}]}],
    ['another kind of stream', {streams: [{...SPARSE, id: StreamId.reparseData}]}],
    ['content before the blocks', {streams: [sparseWith({headBytes: 1})]}],
    ['no empty block at the end', {streams: [sparseWith({blocks: [first]})]}],
    ['no block at all', {streams: [sparseWith({blocks: []})]}],
    ['an end before the size', {streams: [sparseWith({blocks: [first, {...last, offset: last.offset - 1}]})]}],
    [
      'an end that is not empty',
      {streams: [sparseWith({sizeBytes: last.offset + 1, blocks: [first, {...last, length: 1}]})]},
    ],
    ['attributes of a block', {streams: [sparseWith({blocks: [{...first, attributes: 1}, last]})]}],
    ['one stream of two', {streams: [SPARSE, {...SECURITY, attributes: 2}]}],
  ] as const satisfies readonly (readonly [string, Omit<CarrierFrame, 'tail'> & {tail?: Uint8Array}])[])
    it(`is not: ${note}`, () => {
      assert.equal(isForm(frame), false)
    })

  it('is chosen for holes of a mebibyte and more', () => {
    const ranges = [{offset: 2 ** 20, length: 4096}]
    assert.deepEqual(findSparseLayout({size: 2 ** 20 + 4096, ranges}), {
      headBytes: 0,
      blocks: [
        {offset: 2 ** 20, length: 4096, attributes: 0},
        {offset: 2 ** 20 + 4096, length: 0, attributes: 0},
      ],
    })
    assert.equal(findSparseLayout({size: 2 ** 20 + 4095, ranges: [{offset: 2 ** 20 - 1, length: 4096}]}), undefined)
    assert.equal(findSparseLayout({size: 2 ** 30}), undefined)
    assert.equal(findSparseLayout(undefined), undefined)
  })

  for (const [count, isUsed] of [
    [16_384, true],
    [16_385, false],
  ] as const)
    it(`is ${isUsed ? '' : 'not '}chosen for ${count} ranges`, () => {
      const ranges = Array.from({length: count}, (_, index) => ({offset: index * 4096, length: 1}))
      assert.equal(findSparseLayout({size: 2 ** 30, ranges}) !== undefined, isUsed)
    })
})

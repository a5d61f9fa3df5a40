import assert from 'node:assert/strict'
import {decodeArchiveFrame, encodeArchiveFrame, type ArchiveFrame} from '../../../src/codecs/layer-tar/archive-frame.js'
import {withPlainBytes} from '../../helpers/bytes.js'

const HEADER = Buffer.alloc(512, 'h')

/** Each form of a frame, and its bytes as docs/recipe.md has them. */
const FORMS: readonly {note: string; frame: ArchiveFrame; bytes: Uint8Array}[] = [
  ...(
    [
      ['padding', 0],
      ['global', 1],
      ['end', 2],
      ['short-padding', 6],
      ['short-end', 7],
    ] as const
  ).map(([place, kind]) => ({
    note: `raw bytes: ${place}`,
    frame: {kind: 'raw', place, bytes: Buffer.from('raw')} as const,
    bytes: Buffer.from([kind, ...Buffer.from('raw')]),
  })),
  {
    note: 'a member with its content',
    frame: {kind: 'member', header: HEADER, body: {kind: 'content'}},
    bytes: Buffer.concat([Buffer.of(3, 0x80, 4), HEADER]),
  },
  {
    note: 'a member with bytes of its own',
    frame: {kind: 'member', header: HEADER, body: {kind: 'inline', bytes: Buffer.from('body')}},
    bytes: Buffer.concat([Buffer.of(4, 0x80, 4), HEADER, Buffer.from('body')]),
  },
  {
    note: 'a member behind padding',
    frame: {kind: 'member', header: HEADER, body: {kind: 'content'}, before: Buffer.from('p')},
    bytes: Buffer.concat([Buffer.of(8, 1, 0x70, 3, 0x80, 4), HEADER]),
  },
  {
    note: 'a sparse member',
    frame: {
      kind: 'member',
      header: HEADER,
      body: {
        kind: 'sparse',
        mapBytes: Buffer.from('map'),
        ranges: [
          {offset: 0, length: 1},
          {offset: 300, length: 2},
        ],
      },
    },
    bytes: Buffer.concat([Buffer.of(5, 0x80, 4), HEADER, Buffer.of(3, ...Buffer.from('map'), 2, 0, 1, 0xac, 2, 2)]),
  },
]

describe('frames of an archive', () => {
  for (const {note, frame, bytes} of FORMS)
    it(`${note}: written and read`, () => {
      assert.deepEqual(Buffer.from(encodeArchiveFrame(frame)), Buffer.from(bytes))
      assert.deepEqual(withPlainBytes(decodeArchiveFrame(bytes)), withPlainBytes(frame))
    })

  for (const {note, frame, bytes} of FORMS)
    if (frame.kind === 'member')
      it(`${note}: refused where it is cut`, () => {
        const end = frame.body.kind === 'inline' ? bytes.byteLength - frame.body.bytes.byteLength : bytes.byteLength
        for (let length = 0; length < end; length++)
          assert.throws(() => decodeArchiveFrame(bytes.subarray(0, length)), {code: 'RECIPE_CORRUPT'}, String(length))
      })

  for (const kind of [9, 10, 0xff])
    it(`refused: kind ${kind}`, () => {
      assert.throws(() => decodeArchiveFrame(Buffer.of(kind, 0, 0)), {code: 'RECIPE_CORRUPT'})
      assert.throws(() => decodeArchiveFrame(Buffer.of(8, 0, kind, 0)), {code: 'RECIPE_CORRUPT'})
    })
})

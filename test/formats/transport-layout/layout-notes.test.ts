import assert from 'node:assert/strict'
import {
  areLayoutNotes,
  decodeLayoutNotes,
  encodeLayoutNotes,
  type LayoutNotes,
} from '../../../src/formats/transport-layout/layout-notes.js'

const TIMES = {creation: 1n, lastAccess: -2n, lastWrite: 3n, change: 2n ** 63n - 1n}
const bytes = (text: string) => Buffer.from(text)
const noted = (json: unknown) => decodeLayoutNotes(bytes(JSON.stringify(json)))

describe('the notes on what a layer has no place for', () => {
  for (const [note, notes, json] of [
    ['times', {times: {creation: 1n, lastAccess: -2n}}, {c: '1', a: '-2'}],
    ['a sidecar', {sidecar: bytes('side')}, {sidecar: 'c2lkZQ=='}],
    ['an empty sidecar', {sidecar: bytes('')}, {sidecar: ''}],
    ['times of a sidecar', {sidecarTimes: TIMES}, {t: ['1', '-2', '3', '9223372036854775807']}],
    ['a list of deletions', {tombstones: bytes('list')}, {tombstones: 'bGlzdA=='}],
    ['no list of deletions', {tombstones: null}, {tombstones: null}],
    ['times of that list', {tombstonesTimes: TIMES}, {tt: ['1', '-2', '3', '9223372036854775807']}],
    ['plain files', {isPlain: true}, {plain: true}],
    ['a deletion on its own', {isOrphan: true}, {orphan: true}],
    [
      'several',
      {sidecar: bytes('a'), tombstones: null, isPlain: true},
      {sidecar: 'YQ==', tombstones: null, plain: true},
    ],
  ] as const satisfies readonly (readonly [string, LayoutNotes, object])[])
    it(`come back: ${note}`, () => {
      const frame = encodeLayoutNotes(notes)!
      assert.deepEqual(JSON.parse(Buffer.from(frame).toString()), json)
      assert.equal(areLayoutNotes(frame), true)
      assert.deepEqual(decodeLayoutNotes(frame), notes)
    })

  it('are none where there is nothing to note', () => {
    assert.equal(encodeLayoutNotes({}), undefined)
    assert.equal(encodeLayoutNotes({tombstones: undefined as never}), undefined)
    assert.deepEqual(
      [decodeLayoutNotes(undefined), decodeLayoutNotes(Buffer.from([1, 2])), decodeLayoutNotes(bytes('{}'))],
      [{}, {}, {}],
    )
    assert.equal(areLayoutNotes(Buffer.from([1])), false)
  })

  it('are refused where they are damaged', () => {
    for (const text of ['{', '{"sidecar":1}', '{"sidecar":[]}', '{"tombstones":true}'])
      assert.throws(() => decodeLayoutNotes(bytes(text)), {code: 'RECIPE_CORRUPT'}, text)
  })

  for (const [note, json, expected] of [
    ['one of two times', {c: '1'}, {}],
    ['the other of two times', {a: '1'}, {}],
    ['a time that is none', {c: '1', a: 'x'}, {}],
    ['a time that is a number', {c: 1, a: '1'}, {}],
    ['a time that is too long', {c: '1', a: '1'.repeat(21)}, {}],
    ['the longest time', {c: '1', a: '1'.repeat(20)}, {times: {creation: 1n, lastAccess: BigInt('1'.repeat(20))}}],
    ['three times of four', {t: ['1', '2', '3']}, {}],
    ['a time among four that is none', {tt: ['1', '2', '3', 'x']}, {}],
    ['four times that are no list', {t: '1234'}, {}],
    ['a sidecar that is null', {sidecar: null}, {}],
    ['words for true', {plain: 1, orphan: 'true'}, {}],
    ['what is not so', {plain: false, orphan: false}, {}],
    ['other keys', {later: 1}, {}],
  ] as const)
    it(`pass over what says nothing: ${note}`, () => {
      assert.deepEqual(noted(json), expected)
    })
})

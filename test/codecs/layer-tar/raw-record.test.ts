import assert from 'node:assert/strict'
import type {RawPlace} from '../../../src/codecs/layer-tar/archive-frame.js'
import {cleanName, requireLayerMember} from '../../../src/codecs/layer-tar/layer-member.js'
import {fitsPlace, watchingGaps} from '../../../src/codecs/layer-tar/raw-record.js'
import type {TarMember} from '../../../src/codecs/tar/tar-reader.js'
import type {ContentRun} from '../../../src/model/sparse-content.js'
import {UnsupportedError} from '../../../src/model/errors.js'
import {faultOf} from '../../helpers/faults.js'
import {paxMember, rawMember} from '../../helpers/raw-tar.js'
import {streamOf} from '../../helpers/streams.js'

const zeros = (length: number) => Buffer.alloc(length)
const GLOBAL = paxMember([['comment', 'x'.repeat(600)]], 'g')
const lastByte = (length: number) => zeros(length).fill(1, length - 1)

describe('bytes that are only what their place says', () => {
  for (const [place, note, bytes, fits] of [
    ['global', 'a global header', GLOBAL, true],
    ['global', 'an empty one', rawMember({name: 'x', type: 'g'}), true],
    ['global', 'one that is cut', GLOBAL.subarray(0, -1), false],
    ['global', 'one without its body', GLOBAL.subarray(0, 512), false],
    ['global', 'one with more behind', Buffer.concat([GLOBAL, zeros(512)]), false],
    ['global', 'a header of one member', paxMember([['comment', 'x']]), false],
    ['global', 'a file', rawMember({name: 'x'}, 'x'), false],
    ['global', 'a damaged one', Buffer.from(GLOBAL).fill('y', 0, 1), false],
    ['global', 'less than a block', GLOBAL.subarray(0, 511), false],
    ['padding', 'nothing', zeros(0), true],
    ['padding', 'less than a block of anything', Buffer.alloc(511, 'x'), true],
    ['padding', 'a block', zeros(512), false],
    ['short-padding', 'less than a block of zeros', zeros(511), true],
    ['short-padding', 'a block of zeros', zeros(512), false],
    ['short-padding', 'something else', lastByte(3), false],
    ['short-end', 'less than two blocks of zeros', zeros(1023), true],
    ['short-end', 'two blocks of zeros', zeros(1024), false],
    ['short-end', 'something else', lastByte(600), false],
    ['end', 'anything', rawMember({name: 'x'}, 'x'), true],
  ] as const satisfies readonly (readonly [RawPlace, string, Uint8Array, boolean])[])
    it(`${fits ? 'are' : 'are not'} in place of ${place}: ${note}`, () => {
      assert.equal(fitsPlace(place, bytes), fits)
    })
})

describe('data between the ranges of a sparse file', () => {
  const b = (text: string) => Buffer.from(text.replaceAll('.', '\0'))
  const hole = (length: number) => ({hole: length})
  const ranges = [
    {offset: 2, length: 3},
    {offset: 8, length: 2},
  ]
  for (const [note, runs, isTold, own = ranges] of [
    ['none', [b('..xxx...xx..')], false],
    ['in front', [b('x.xxx...xx..')], true],
    ['between', [b('..xxx.x.xx..')], true],
    ['right behind a range', [b('..xxxx..xx..')], true],
    ['right in front of a range', [b('..xxx..xxx..')], true],
    ['behind', [b('..xxx...xx.x')], true],
    ['none, in pieces', [b('.'), b('.x'), b('xx.'), b('..x'), b('x..')], false],
    ['between, in a piece of its own', [b('..xxx'), b('..x'), b('xx..')], true],
    ['behind, in a piece of its own', [b('..xxx...xx'), b('.x')], true],
    ['in front, in a piece of its own', [b('.x'), b('xxx...xx..')], true],
    ['none where there are holes', [hole(2), b('xxx'), hole(3), b('xx'), hole(2)], false],
    ['none where a hole is inside a range', [hole(3), b('xx...xx..')], false],
    ['none where a hole goes over ranges', [hole(12)], false],
    ['between, behind a hole', [hole(5), b('x..xx..')], true],
    ['behind, behind a hole over all ranges', [hole(11), b('x')], true],
    ['right behind a hole that ends with a range', [hole(10), b('.x')], true],
    ['none behind a hole that ends inside a range', [hole(9), b('x..')], false],
    ['none of bytes, where there are no ranges', [b('...')], false, []],
    ['of bytes, where there are no ranges', [b('..x')], true, []],
    ['none where one range is all', [b('xxx'), b('xxx')], false, [{offset: 0, length: 6}]],
    ['behind a range that ends with a piece', [b('xxx'), b('x')], true, [{offset: 0, length: 3}]],
    ['none where ranges touch', [b('xxxx')], false, [{offset: 0, length: 2}, {offset: 2, length: 2}]], // prettier-ignore
  ] as const satisfies readonly (readonly [
    string,
    readonly ContentRun[],
    boolean,
    (readonly {offset: number; length: number}[])?,
  ])[])
    it(`is told, and runs pass as they are: ${note}`, async () => {
      let told = 0
      const passed: ContentRun[] = []
      for await (const run of watchingGaps(own, streamOf<ContentRun>(...runs), () => told++)) passed.push(run)
      assert.deepEqual(passed, runs)
      assert.equal(told > 0, isTold)
    })
})

describe('names of members, cleaned', () => {
  for (const [name, clean] of [
    ['a/b', 'a/b'],
    ['a/b/', 'a/b'],
    ['./a/b', 'a/b'],
    ['a/./b', 'a/b'],
    ['a//b', 'a/b'],
    ['a/b/.', 'a/b'],
    ['.//a///.//', 'a'],
    ['.', ''],
    ['./', ''],
    ['', ''],
    ['/a/./b', '/a/./b'],
    ['/', '/'],
    ['../a', '../a'],
    ['a/../b', 'a/../b'],
    ['./../a', '../a'],
    ['.a/b.', '.a/b.'],
    ['...', '...'],
  ] as const)
    it(`'${name}' is '${clean}'`, () => {
      assert.equal(cleanName(name), clean)
    })
})

describe('members that no layer has', () => {
  const member = (facts: Partial<TarMember> & {readonly typeflag?: string}) =>
    ({
      name: 'Files/a',
      type: 'file',
      isIllFormed: false,
      storedSize: 0,
      offset: 7,
      header: {typeflag: facts.typeflag ?? '0'},
      ...facts,
    }) as TarMember
  const refused = (facts: Parameters<typeof member>[0]) =>
    faultOf(() => {
      requireLayerMember(member(facts), 'layer 3')
    })

  for (const [note, facts, code] of [
    ['an ill-formed name', {isIllFormed: true}, 'NAME_UNSAFE'],
    ['an ill-formed name of an unknown type', {isIllFormed: true, type: 'other'}, 'NAME_UNSAFE'],
    ['an unknown type', {type: 'other', typeflag: 'D'}, 'FORMAT_UNSUPPORTED'],
    ['no name', {name: ''}, 'NAME_UNSAFE'],
    ['a folder without a name', {name: '', type: 'directory'}, 'NAME_UNSAFE'],
    ['a file that is the top', {name: './'}, 'NAME_UNSAFE'],
    ['a link that is the top', {name: '.', type: 'symlink'}, 'NAME_UNSAFE'],
  ] as const)
    it(`are refused, with layer and place: ${note}`, () => {
      assert.deepEqual(refused(facts), {code, at: {path: 'layer 3', offset: 7}})
    })

  it('are of another kind of fault where another tool may read them', () => {
    assert.throws(() => {
      requireLayerMember(member({type: 'other'}), 'x')
    }, UnsupportedError)
  })

  it('are no folders, devices and links, nor the top as a folder', () => {
    for (const type of ['file', 'directory', 'symlink', 'hard-link', 'device'] as const)
      requireLayerMember(member({type}), 'x')
    for (const name of ['.', './', '././']) requireLayerMember(member({name, type: 'directory'}), 'x')
  })
})

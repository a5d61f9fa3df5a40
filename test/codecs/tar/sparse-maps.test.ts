import assert from 'node:assert/strict'
import {GrowingBytes} from '../../../src/codecs/bytes/growing-bytes.js'
import {ExtensionHeaders} from '../../../src/codecs/tar/member-headers.js'
import {findSparseForm, readSparseBodyMap} from '../../../src/codecs/tar/sparse.js'
import {findTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {paxText, rawHeader, type RawHeader} from '../../helpers/raw-tar.js'

type Records = Readonly<Record<string, string>>

/** How a member is sparse, by its records and header; `blocks` follow the header. */
async function formOf(records: Records, header: Partial<RawHeader> = {}, blocks: readonly Uint8Array[] = []) {
  const block = rawHeader({name: 'made-up', size: 100, ...header})
  const extensions = new ExtensionHeaders()
  assert.equal(extensions.take('x', paxText(Object.entries(records))), undefined)
  const parsed = findTarHeader(block)!
  const facts = extensions.resolve(parsed)
  assert.ok(typeof facts !== 'string', 'it is refused')
  const raw = new GrowingBytes(512)
  raw.push(block)
  const left = [...blocks]
  const form = await findSparseForm(parsed, {raw, facts}, () =>
    Promise.resolve(left.shift() ?? assert.fail('one block too many')),
  )
  return {form, raw: raw.view, left: left.length}
}

const RANGES = [
  {offset: 0, length: 10},
  {offset: 50, length: 5},
]
const V01 = {'GNU.sparse.map': '0,10,50,5', 'GNU.sparse.numblocks': '2', 'GNU.sparse.size': '60'}
const [MAJOR, MINOR] = ['GNU.sparse.major', 'GNU.sparse.minor']

describe('the map of a sparse file in records', () => {
  for (const [note, records, expected] of [
    ['without a version', V01, {ranges: RANGES, realSize: 60}],
    ['of version 0.0', {...V01, [MAJOR]: '0', [MINOR]: '0'}, {ranges: RANGES, realSize: 60}],
    ['of version 0.1', {...V01, [MAJOR]: '0', [MINOR]: '1'}, {ranges: RANGES, realSize: 60}],
    ['with a name', {...V01, 'GNU.sparse.name': 'real'}, {ranges: RANGES, realSize: 60, name: Buffer.from('real')}],
    [
      'with a name of bytes',
      {...V01, 'GNU.sparse.name': '\xe9'},
      {ranges: RANGES, realSize: 60, name: Buffer.from('\xe9')},
    ],
    ['with an empty name', {...V01, 'GNU.sparse.name': ''}, {ranges: RANGES, realSize: 60}],
    [
      'with its size by the other key',
      {...V01, 'GNU.sparse.size': '', 'GNU.sparse.realsize': '61'},
      {ranges: RANGES, realSize: 61},
    ],
    ['with its size by both keys', {...V01, 'GNU.sparse.realsize': '60'}, {ranges: RANGES, realSize: 60}],
    ['with no size but the stored', {...V01, 'GNU.sparse.size': ''}, {ranges: RANGES, realSize: 100}],
    ['up to its last byte', {...V01, 'GNU.sparse.size': '55'}, {ranges: RANGES, realSize: 55}],
    [
      'with ranges side by side',
      {...V01, 'GNU.sparse.map': '0,10,10,5'},
      {ranges: [RANGES[0]!, {offset: 10, length: 5}], realSize: 60},
    ],
    ['with an empty range at the end', {...V01, 'GNU.sparse.map': '0,10,60,0'}, {ranges: [RANGES[0]!], realSize: 60}],
    [
      'of no range',
      {'GNU.sparse.map': '', 'GNU.sparse.numblocks': '0', 'GNU.sparse.size': '60', [MAJOR]: '0', [MINOR]: '1'},
      {ranges: [], realSize: 60},
    ],
  ] as const satisfies readonly (readonly [string, Records, object])[])
    it(`is read: ${note}`, async () => {
      assert.deepEqual((await formOf(records)).form, {kind: 'map', ...expected})
    })

  for (const [note, records] of [
    ['an unknown version', {...V01, [MAJOR]: '1', [MINOR]: '1'}],
    ['half a version', {...V01, [MAJOR]: '0'}],
    ['no map and no version', {'GNU.sparse.size': '60'}],
    ['an empty map and no version', {...V01, 'GNU.sparse.map': ''}],
    ['two sizes', {...V01, 'GNU.sparse.realsize': '61'}],
    ['a size that is no number', {...V01, 'GNU.sparse.size': '-1'}],
    ['the name of a folder', {...V01, 'GNU.sparse.name': 'real/'}],
    ['no count', {...V01, 'GNU.sparse.numblocks': ''}],
    ['one range less than counted', {...V01, 'GNU.sparse.numblocks': '3'}],
    ['one range more than counted', {...V01, 'GNU.sparse.numblocks': '1'}],
    ['half a range', {...V01, 'GNU.sparse.map': '0,10,50'}],
    ['an offset that is no number', {...V01, 'GNU.sparse.map': '0,10,x,5'}],
    ['a length that is no number', {...V01, 'GNU.sparse.map': '0,10,50,x'}],
    ['a length below zero', {...V01, 'GNU.sparse.map': '0,10,50,-5'}],
    ['a range in the one before', {...V01, 'GNU.sparse.map': '0,10,9,5'}],
    ['ranges in the wrong order', {...V01, 'GNU.sparse.map': '50,5,0,10'}],
    ['a range beyond the end', {...V01, 'GNU.sparse.size': '54'}],
    ['an empty range beyond the end', {...V01, 'GNU.sparse.map': '0,10,61,0'}],
  ] as const satisfies readonly (readonly [string, Records])[])
    it(`is refused: ${note}`, async () => {
      assert.equal(typeof (await formOf(records)).form, 'string')
    })

  it('may have a million ranges, and no more', async () => {
    const records = (count: number) => ({
      'GNU.sparse.map': Array(count).fill('0,0').join(','),
      'GNU.sparse.numblocks': String(count),
      'GNU.sparse.size': '0',
    })
    assert.deepEqual((await formOf(records(1_000_000), {size: 0})).form, {kind: 'map', ranges: [], realSize: 0})
    assert.equal(typeof (await formOf(records(1_000_001), {size: 0})).form, 'string')
  })

  it('is none without records, and refused for what is no file', async () => {
    assert.equal((await formOf({comment: 'x'})).form, undefined)
    assert.equal((await formOf({'GNU.sparse': 'x'})).form, undefined)
    assert.equal(typeof (await formOf(V01, {type: '2'})).form, 'string')
  })

  it('lies in the body where it is of version 1.0', async () => {
    const records = {[MAJOR]: '1', [MINOR]: '0', 'GNU.sparse.realsize': '60', 'GNU.sparse.name': 'n'}
    assert.deepEqual((await formOf(records)).form, {kind: 'map-in-body', realSize: 60, name: Buffer.from('n')})
    assert.deepEqual((await formOf({...records, 'GNU.sparse.name': ''})).form, {kind: 'map-in-body', realSize: 60})
  })
})

describe('the map of a sparse file in its body', () => {
  const blocksOf = (text: string) => {
    const bytes = Buffer.alloc(Math.ceil(text.length / 512) * 512)
    bytes.write(text)
    return Array.from({length: bytes.byteLength / 512}, (_, index) => bytes.subarray(index * 512, index * 512 + 512))
  }
  const read = async (
    text: string,
    {realSize = 60, bodyBytes = 10_000, ...name}: {realSize?: number; bodyBytes?: number; name?: Buffer} = {},
  ) => {
    const blocks = blocksOf(text)
    const left = [...blocks]
    const form = await readSparseBodyMap({kind: 'map-in-body', realSize, ...name}, bodyBytes, () =>
      Promise.resolve(left.shift() ?? assert.fail('one block too many')),
    )
    return {form, left: left.length, mapBytes: Buffer.concat(blocks)}
  }

  it('is a count and as many pairs, in whole blocks', async () => {
    const {form, mapBytes} = await read('2\n0\n10\n50\n5\n', {name: Buffer.from('n')})
    assert.deepEqual(form, {kind: 'map', ranges: RANGES, realSize: 60, name: Buffer.from('n'), mapBytes})
    assert.deepEqual((await read('0\n')).form, {kind: 'map', ranges: [], realSize: 60, mapBytes: blocksOf('0\n')[0]})
  })

  it('goes over as many blocks as it needs, numbers cut in two', async () => {
    const pairs = Array.from({length: 200}, (_, index) => `${1000 + index * 10}\n3\n`).join('')
    const {form, left, mapBytes} = await read(`200\n${pairs}`, {realSize: 5000})
    assert.equal(form?.ranges.length, 200)
    assert.ok(Buffer.from(form.mapBytes ?? []).equals(mapBytes))
    assert.equal(left, 0)
  })

  it('takes no block more than it needs', async () => {
    assert.equal((await read(`1\n0\n10\n${'\0'.repeat(600)}`)).left, 1)
    assert.ok((await read('1\n0\n10\n', {bodyBytes: 512})).form)
  })

  for (const [note, text, options] of [
    ['no number', 'x\n', {}],
    ['an empty line', '\n1\n', {}],
    ['a pair that is no number', '1\n0\nx\n', {}],
    ['no line ends', '1'.repeat(1100), {}],
    ['more blocks than the body has', '1\n0\n10\n', {bodyBytes: 511}],
    ['a second block that the body has not', `200\n${'0\n0\n'.repeat(200)}`, {bodyBytes: 1023}],
    ['a range beyond the end', '1\n55\n6\n', {}],
    ['more than a million ranges', '1000001\n', {}],
  ] as const)
    it(`is refused: ${note}`, async () => {
      assert.equal((await read(text, options)).form, undefined)
    })
})

describe('the map of a sparse file in an old header of GNU', () => {
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`
  const pair = (offset: number, length: number) => octal(offset) + octal(length)
  const gnu = (patch: Readonly<Record<number, string | Uint8Array>>, size = 15): Partial<RawHeader> => ({
    type: 'S',
    format: 'gnu',
    size,
    patch: {483: octal(60), ...patch},
  })
  /** A block of further ranges. */
  const further = (text: string, hasMore: boolean) => {
    const block = Buffer.alloc(512)
    block.write(text, 'latin1')
    block[504] = hasMore ? 1 : 0
    return block
  }

  it('has up to four ranges, as many as are there', async () => {
    assert.deepEqual((await formOf({}, gnu({386: pair(0, 10) + pair(50, 5)}))).form, {
      kind: 'map',
      ranges: RANGES,
      realSize: 60,
    })
    const four = [0, 1, 2, 3].map((index) => ({offset: index * 10, length: 5}))
    const {form} = await formOf({}, gnu({386: four.map(({offset, length}) => pair(offset, length)).join('')}))
    assert.deepEqual(form, {kind: 'map', ranges: four, realSize: 60})
    assert.deepEqual((await formOf({}, gnu({}))).form, {kind: 'map', ranges: [], realSize: 60})
  })

  it('goes on in blocks of up to 21, which are kept', async () => {
    const many = Array.from({length: 21}, (_, index) => pair(20 + index, 1)).join('')
    const blocks = [further(many, true), further(pair(50, 5), false), further('', false)]
    const {form, raw, left} = await formOf({}, gnu({386: pair(0, 10), 482: Buffer.of(1)}), blocks)
    assert.ok(typeof form === 'object' && form.kind === 'map')
    assert.deepEqual([form.ranges.length, form.ranges.at(-1)], [23, RANGES[1]])
    assert.equal(left, 1)
    assert.ok(raw.subarray(512).equals(Buffer.concat(blocks.slice(0, 2))))
  })

  it('does not go on where the header does not say so', async () => {
    const {left} = await formOf({}, gnu({386: pair(0, 10)}), [further('', false)])
    assert.equal(left, 1)
  })

  for (const [note, header, blocks] of [
    ['a size that is no number', gnu({483: 'x'.repeat(12)}), []],
    ['an offset that is no number', gnu({386: `${'x'.repeat(12)}${octal(1)}`}), []],
    ['a length that is no number', gnu({386: `${octal(1)}${'x'.repeat(12)}`}), []],
    ['a range beyond the end', gnu({386: pair(50, 11)}), []],
    ['a further range that is no number', gnu({482: Buffer.of(1)}), [further('xxxxxxxxxxxxxxxxxxxxxxxx', false)]],
    ['a size below zero', gnu({483: Buffer.alloc(12, 0xff)}), []],
    ['a length below zero', gnu({386: Buffer.concat([Buffer.from(octal(1)), Buffer.alloc(12, 0xff)])}), []],
    ['another format', {type: 'S'}, []],
  ] as const)
    it(`is refused: ${note}`, async () => {
      assert.equal(typeof (await formOf({}, header, blocks)).form, 'string')
    })

  it('is refused beside records', async () => {
    assert.equal(typeof (await formOf(V01, gnu({386: pair(0, 10)}))).form, 'string')
  })
})

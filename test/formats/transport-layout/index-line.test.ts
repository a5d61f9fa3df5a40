import assert from 'node:assert/strict'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {decodeIndexLine} from '../../../src/formats/transport-layout/index-line.js'
import {encodeIndexLine, PayloadIndex, type IndexLine} from '../../../src/formats/transport-layout/payload-index.js'

const TIMES = {c: '1', a: '2', w: '3', h: '4'}
const indexOf = (text: string) => new PayloadIndex(byteSourceOf(Buffer.from(text)))

describe('a line of a payload index', () => {
  for (const {title, line} of [
    {title: 'three times of four', line: {p: 'Files', c: '1', a: '2', h: '4'}},
    {title: 'one time', line: {p: 'Files', w: '3'}},
    {title: 'a time that is a word', line: {p: 'Files', ...TIMES, w: 'now'}},
    {title: 'a time that is a number', line: {p: 'Files', ...TIMES, w: 3}},
    {title: 'a time that is null', line: {p: 'Files', ...TIMES, h: null}},
    {title: 'a time beyond 63 bits', line: {p: 'Files', ...TIMES, c: '9223372036854775808'}},
    {title: 'a time with a fraction', line: {p: 'Files', ...TIMES, c: '1.5'}},
    {title: 'a descriptor that is no text', line: {p: 'Files', sd: 7}},
    {title: 'a reparse buffer that is no text', line: {p: 'Files', rp: {}}},
    {title: 'a link that is no text', line: {p: 'Files', link: ['Files/a']}},
    {title: 'a size below zero', line: {p: 'Files', s: -1}},
    {title: 'a digest that is none', line: {p: 'Files', d: 'A'.repeat(64)}},
    {title: 'no path', line: {s: 1}},
    ...[
      '\0Files',
      '/Files',
      'Files/',
      'Files//a',
      '../a',
      'Files/..',
      'Files/./a',
      '.',
      'Files\\a',
      'Files/a:b',
    ].flatMap((path) => [
      {title: `the path ${JSON.stringify(path)}`, line: {p: path}},
      {title: `a link to ${JSON.stringify(path)}`, line: {p: 'Files/a', link: path}},
    ]),
  ])
    it(`is refused with METADATA_INVALID: ${title}`, () => {
      assert.throws(() => indexOf(`${JSON.stringify(line)}\n`), {code: 'METADATA_INVALID', message: /Line 1/})
    })

  for (const path of ['Files/...', 'Files/..a', 'Files/.a/b.', 'Files/a b$', 'Files/ü'])
    it(`may have the path ${path}`, () => {
      assert.ok(indexOf(`${JSON.stringify({p: path, link: path})}\n`).get(path) !== undefined)
    })

  const SD = '0100048000000000000000000000000000000000'
  for (const [title, line, code] of [
    ['no object', 7, 'METADATA_INVALID'],
    ['an empty path', {p: ''}, 'METADATA_INVALID'],
    ['a path that is no text', {p: 7}, 'METADATA_INVALID'],
    ['a size with a fraction', {p: 'Files', s: 1.5}, 'METADATA_INVALID'],
    ['a size beyond all numbers', {p: 'Files', s: 2 ** 53}, 'METADATA_INVALID'],
    ['a size that is text', {p: 'Files', s: '1'}, 'METADATA_INVALID'],
    ['a digest that is short', {p: 'Files', d: 'a'.repeat(63)}, 'METADATA_INVALID'],
    ['a digest that is long', {p: 'Files', d: 'a'.repeat(65)}, 'METADATA_INVALID'],
    ['a digest that is a number', {p: 'Files', d: 1}, 'METADATA_INVALID'],
    ['attributes below zero', {p: 'Files', attr: -1}, 'METADATA_INVALID'],
    ['attributes with a fraction', {p: 'Files', attr: 0.5}, 'METADATA_INVALID'],
    ['attributes beyond 32 bits', {p: 'Files', attr: 2 ** 32}, 'METADATA_INVALID'],
    ['attributes as text', {p: 'Files', attr: '1'}, 'METADATA_INVALID'],
    ['a time before all', {p: 'Files', ...TIMES, a: '-9223372036854775809'}, 'METADATA_INVALID'],
    ['a descriptor that is no base64', {p: 'Files', sd: '!'}, 'METADATA_INVALID'],
    ['a descriptor that is none', {p: 'Files', sd: 'AAAA'}, 'DESCRIPTOR_CORRUPT'],
    ['a reparse buffer that is no base64', {p: 'Files', rp: 'a'}, 'METADATA_INVALID'],
    ['extended attributes that are no list', {p: 'Files', ea: {}}, 'METADATA_INVALID'],
    ['an extended attribute that is no list', {p: 'Files', ea: ['a']}, 'METADATA_INVALID'],
    ['an extended attribute without a name', {p: 'Files', ea: [[1, 0, '']]}, 'METADATA_INVALID'],
    ['an extended attribute without flags', {p: 'Files', ea: [['A', '0', '']]}, 'METADATA_INVALID'],
    ['an extended attribute without a value', {p: 'Files', ea: [['A', 0]]}, 'METADATA_INVALID'],
    ['an extended attribute that is no base64', {p: 'Files', ea: [['A', 0, '!']]}, 'METADATA_INVALID'],
    ['an extended attribute of too long a name', {p: 'Files', ea: [['A'.repeat(256), 0, '']]}, 'ATTRIBUTES_CORRUPT'],
  ] as const)
    it(`is refused by its number: ${title}`, () => {
      assert.throws(() => decodeIndexLine(JSON.stringify(line), 7), {code, message: /Line 7 of payload-index\.jsonl/})
    })

  it('has its keys in one order, and comes back with all of them', () => {
    const line: IndexLine = {
      path: 'UtilityVM/a',
      sizeBytes: 3,
      sha256: 'ab'.repeat(32),
      times: {creation: 1n, lastAccess: 2n, lastWrite: 3n, change: 4n},
      attributes: 0xffffffff,
      metadata: {
        securityDescriptor: Buffer.from(SD, 'hex'),
        extendedAttributes: [{name: 'A', flags: 128, value: Buffer.from('v')}],
        reparsePoint: Buffer.from('r'),
      },
      link: 'UtilityVM/b',
    }
    const text = encodeIndexLine(line)
    assert.equal(
      text,
      `{"p":"UtilityVM/a","s":3,"d":"${'ab'.repeat(32)}","c":"1","a":"2","w":"3","h":"4","attr":4294967295,` +
        `"sd":"${Buffer.from(SD, 'hex').toString('base64')}","ea":[["A",128,"dg=="]],"rp":"cg==","link":"UtilityVM/b"}`,
    )
    const found = decodeIndexLine(text, 1)
    assert.equal(encodeIndexLine(found), text)
    assert.deepEqual(Object.keys(found.metadata ?? {}), ['securityDescriptor', 'extendedAttributes', 'reparsePoint'])
    for (const key of ['s', 'd', 'attr', 'sd', 'ea', 'rp', 'link']) {
      const {[key]: _, ...rest} = JSON.parse(text) as Record<string, unknown>
      assert.deepEqual(JSON.parse(encodeIndexLine(decodeIndexLine(JSON.stringify(rest), 1))), rest, key)
    }
    assert.deepEqual(decodeIndexLine('{"p":"Files","s":0,"attr":0}', 1), {path: 'Files', sizeBytes: 0, attributes: 0})
  })

  it('may tell no times at all', () => {
    assert.equal(indexOf('{"p":"Files"}\n').get('Files')?.times, undefined)
  })
})

describe('an index that another program wrote', () => {
  const times = {creation: 1n, lastAccess: 2n, lastWrite: 3n, change: 4n}
  const [a, b, c] = ['Files', 'Files/b', 'Files/c'].map((path) => encodeIndexLine({path, times}))
  for (const {title, text, line} of [
    {title: 'written as ours is', text: `${a}\n${b}\n${c}\n`, line: undefined},
    {title: 'in another order', text: `${a}\n${c}\n${b}\n`, line: 3},
    {title: 'with an empty line', text: `${a}\n\n${b}\n`, line: 2},
    {title: 'without its last end', text: `${a}\n${b}`, line: 2},
    {title: 'with spaces', text: `${a}\n${b!.replace(',', ', ')}\n`, line: 2},
    {title: 'with a key more', text: `${a!.replace('{', '{"x":1,')}\n${b}\n`, line: 1},
    {title: 'with ends of Windows', text: `${a}\r\n${b}\r\n`, line: 1},
  ])
    it(`is told from our own: ${title}`, () => {
      assert.equal(indexOf(text).findForeignLine(), line)
    })
})

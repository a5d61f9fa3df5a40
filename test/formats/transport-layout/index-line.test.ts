import assert from 'node:assert/strict'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {encodeIndexLine, PayloadIndex} from '../../../src/formats/transport-layout/payload-index.js'

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

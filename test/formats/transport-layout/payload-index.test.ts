import assert from 'node:assert/strict'
import {mkdirSync, truncateSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {ByteSource} from '../../../src/codecs/backup-stream/byte-source.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {linesOf} from '../../../src/formats/transport-layout/lines-of.js'
import {IndexWriter, PayloadIndex, type IndexLine} from '../../../src/formats/transport-layout/payload-index.js'
import {findIndex} from '../../../src/formats/transport-layout/read-index.js'
import {digestOf} from '../../../src/model/digest.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const SHA = '0123456789abcdef'.repeat(4)
const timesAt = (start: bigint) => ({
  creation: start,
  lastAccess: start + 1n,
  lastWrite: start + 2n,
  change: start + 3n,
})
const lineOf = (own: string, more: Partial<IndexLine> = {}): IndexLine => ({
  path: own,
  sizeBytes: 1,
  sha256: SHA,
  times: timesAt(1n),
  ...more,
})
const json = (own: string, more = '') => `{"p":"${own}","s":1,"d":"${SHA}","c":"1","a":"2","w":"3","h":"4"${more}}\n`
const indexOf = (text: string) => new PayloadIndex(byteSourceOf(Buffer.from(text)))

function written(fill: (writer: IndexWriter) => void): string {
  const writer = new IndexWriter()
  fill(writer)
  const {bytes, digest} = writer.finish()
  const all = Buffer.concat([...bytes.pieces()])
  assert.equal(digest, digestOf(all))
  return all.toString()
}
const pathsIn = (text: string) => [...indexOf(text).lines()].map((line) => line.path)

describe('an index that is written', () => {
  it('has a line for each file and folder, in the order of a walk', () => {
    const names = [
      'Files.$wcidirs$',
      'Files/b',
      'Files/a-b',
      'Files/a/z',
      'Files/a',
      'Files/\ue000',
      'Files/\u{1f600}',
      'Files/ab',
      'Files',
    ]
    const text = written((writer) => {
      for (const name of names) writer.add(lineOf(name))
    })
    assert.deepEqual(pathsIn(text), [
      'Files',
      'Files/a',
      'Files/a/z',
      'Files/a-b',
      'Files/ab',
      'Files/b',
      'Files/\ue000',
      'Files/\u{1f600}',
      'Files.$wcidirs$',
    ])
    assert.equal(indexOf(text).findForeignLine(), undefined)
  })

  for (const [note, line, expected] of [
    ['all facts', lineOf('Files/a'), json('Files/a')],
    ['no times', {path: 'Files/a', sizeBytes: 0, sha256: SHA}, `{"p":"Files/a","s":0,"d":"${SHA}"}\n`],
    ['times alone', {path: 'Files', times: timesAt(-5n)}, '{"p":"Files","c":"-5","a":"-4","w":"-3","h":"-2"}\n'],
    [
      'no digest',
      {path: 'Files/a', sizeBytes: 7, times: timesAt(1n)},
      '{"p":"Files/a","s":7,"c":"1","a":"2","w":"3","h":"4"}\n',
    ],
    [
      'no size',
      {path: 'Files/a', sha256: SHA, times: timesAt(1n)},
      `{"p":"Files/a","d":"${SHA}","c":"1","a":"2","w":"3","h":"4"}\n`,
    ],
    ['attributes', lineOf('Hives/x', {attributes: 0x20}), json('Hives/x', ',"attr":32')],
    ['no attributes at all', lineOf('Hives/x', {attributes: 0}), json('Hives/x', ',"attr":0')],
    [
      'metadata',
      lineOf('UtilityVM/x', {metadata: {reparsePoint: Buffer.from('r')}}),
      json('UtilityVM/x', ',"rp":"cg=="'),
    ],
    ['a link', lineOf('Files/b', {link: 'Files/a'}), json('Files/b', ',"link":"Files/a"')],
    [
      'the largest size and times',
      lineOf('Files/a', {
        sizeBytes: 2 ** 53 - 1,
        times: {creation: 2n ** 63n - 1n, lastAccess: -(2n ** 63n), lastWrite: 0n, change: 1n},
      }),
      `{"p":"Files/a","s":9007199254740991,"d":"${SHA}","c":"9223372036854775807","a":"-9223372036854775808","w":"0","h":"1"}\n`,
    ],
  ] as const)
    it(`keeps what is known, and no more: ${note}`, () => {
      const writer = new IndexWriter()
      writer.add(line)
      const known = writer.find(line.path)
      assert.deepEqual(
        known?.metadata === undefined
          ? known
          : {...known, metadata: {reparsePoint: Buffer.from(known.metadata.reparsePoint!)}},
        line,
      )
      assert.equal(
        written((other) => {
          other.add(line)
        }),
        expected,
      )
    })

  it('keeps a time of more than 64 bits as it is, where no reader takes it', () => {
    const writer = new IndexWriter()
    writer.add(lineOf('Files/a', {times: {...timesAt(1n), change: 2n ** 63n}}))
    assert.throws(() => writer.find('Files/a'), {code: 'METADATA_INVALID'})
  })

  it('keeps as many as come', () => {
    const count = 2 * 16 * 1024 + 3
    const name = (at: number) => `Files/${String(at).padStart(6, '0')}`
    const writer = new IndexWriter()
    for (let at = 0; at < count; at++) writer.add(lineOf(name(at), {sizeBytes: at, times: timesAt(BigInt(at))}))
    for (const at of [0, 16 * 1024 - 2, 16 * 1024 - 1, 16 * 1024, 2 * 16 * 1024 - 1, count - 1])
      assert.deepEqual(writer.find(name(at)), lineOf(name(at), {sizeBytes: at, times: timesAt(BigInt(at))}))
    const index = new PayloadIndex(byteSourceOf(Buffer.concat([...writer.finish().bytes.pieces()])))
    assert.equal(index.count, count)
    for (const at of [0, 15, 16, 17, count - 1]) assert.equal(index.get(name(at))?.sizeBytes, at)
  })

  it('knows a name in whatever case, spelt as it came first', () => {
    const writer = new IndexWriter()
    writer.add(lineOf('Files/Ab'))
    assert.equal(writer.findName('files/aB'), 'Files/Ab')
    assert.equal(writer.findName('Files'), undefined)
    assert.equal(writer.findName('Files/Abc'), undefined)
    assert.equal(writer.find('Files/c'), undefined)
  })

  it('has the line of a file under the first of its names, and links for the others', () => {
    const facts = lineOf('Files/m')
    const text = written((writer) => {
      writer.add(facts)
      writer.addLink('Files/z', 'Files/m')
      writer.addLink('Files/a', 'Files/z')
      assert.deepEqual(writer.find('Files/a'), {...facts, path: 'Files/a'})
      assert.equal(writer.findName('Files/A'), 'Files/a')
    })
    assert.equal(text, json('Files/a') + json('Files/m', ',"link":"Files/a"') + json('Files/z', ',"link":"Files/a"'))
  })

  it('has links that came before their line, and none that lead nowhere', () => {
    const text = written((writer) => {
      writer.addLink('Files/b', 'Files/c')
      assert.equal(writer.findName('Files/b'), undefined)
      writer.add(lineOf('Files/c'))
      writer.addLink('Files/x', 'Files/nowhere')
      assert.equal(writer.find('Files/x'), undefined)
    })
    assert.equal(text, json('Files/b') + json('Files/c', ',"link":"Files/b"'))
  })

  it('tells of links in the order of a walk, not of their letters', () => {
    const text = written((writer) => {
      writer.add(lineOf('Files/a-b'))
      writer.addLink('Files/a/b', 'Files/a-b')
    })
    assert.equal(text, json('Files/a/b') + json('Files/a-b', ',"link":"Files/a/b"'))
  })
})

describe('an index that is read', () => {
  const folder = temporaryFolder()
  const ORDERED = json('Files') + json('Files/a') + json('Files/b', ',"link":"Files/a"')

  it('tells its digest, its lines, and each by its path', () => {
    const index = indexOf(ORDERED)
    assert.deepEqual([index.digest, index.count], [digestOf(Buffer.from(ORDERED)), 3])
    assert.deepEqual(index.get('Files/b'), lineOf('Files/b', {link: 'Files/a'}))
    assert.deepEqual(
      [...index.lines()].map((line) => line.path),
      ['Files', 'Files/a', 'Files/b'],
    )
    for (const name of ['', 'File', 'Files/', 'Files/A', 'Files/aa', 'Files/c', 'Z'])
      assert.equal(index.get(name), undefined, name)
    assert.deepEqual([indexOf('').count, indexOf('').get('Files')], [0, undefined])
  })

  for (const [note, text] of [
    ['in another order', json('Files/b') + json('Files') + json('Files/a')],
    ['with empty lines', `\n${json('Files')}\n${json('Files/a')}\n\n${json('Files/b')}\n`],
    ['with empty lines, in another order', `\n${json('Files/b')}\n${json('Files/a')}\n${json('Files')}`],
    [
      'with keys in another order',
      json('Files') + json('Files/a').replace('{"p":"Files/a","s":1', '{"s":1,"p":"Files/a"') + json('Files/b'),
    ],
    ['with another spelling', json('Files') + json('Files/a').replace('Files/a', 'Files\\u002fa') + json('Files/b')],
    ['without its last end', (json('Files') + json('Files/a') + json('Files/b')).slice(0, -1)],
    ['with ends of Windows', (json('Files') + json('Files/a') + json('Files/b')).replaceAll('\n', '\r\n')],
  ] as const)
    it(`may be written by others: ${note}`, () => {
      const index = indexOf(text)
      for (const name of ['Files', 'Files/a', 'Files/b']) assert.deepEqual(index.get(name), lineOf(name), name)
      for (const name of ['', 'A', 'Files/aa', 'Files/c']) assert.equal(index.get(name), undefined, name)
      assert.equal(index.count, 3)
      assert.deepEqual([...index.lines()].map((line) => line.path).sort(), ['Files', 'Files/a', 'Files/b'])
    })

  for (const [note, text, line] of [
    ['a name twice', json('Files') + json('Files'), 2],
    ['a name twice, apart', json('Files') + json('A') + json('Files'), 3],
    ['no JSON', `${json('Files')}{\n`, 2],
    ['no JSON behind an empty line', `${json('Files')}\n{\n`, 3],
    ['no object', 'null\n', 1],
  ] as const)
    it(`is refused by the line that is none: ${note}`, () => {
      assert.throws(() => indexOf(text), {code: 'METADATA_INVALID', message: new RegExp(`Line ${line} `)})
    })

  for (const [note, names, expected] of [
    ['a folder before what lies in it', ['Files', 'Files/a'], undefined],
    ['what lies in a folder before its neighbours', ['a/z', 'a-b'], undefined],
    ['neighbours before what lies in a folder', ['a-b', 'a/z'], 2],
    ['a name that another begins with', ['ab', 'abc'], undefined],
    ['a name behind one that begins with it', ['abc', 'ab'], 2],
    ['the end of the private area before what takes two units', ['\uffee', '\u{10000}'], undefined],
    ['what takes two units before the private area', ['\u{10000}', '\ue000'], 2],
    ['what takes two units behind all below', ['\ud7ff', '\u{10000}'], undefined],
    ['the same name', ['a', 'a'], 2],
  ] as const)
    it(`has the order of a walk or is told from our own: ${note}`, () => {
      const texts = names.map((name) => json(name))
      if (names[0] === names[1]) assert.throws(() => indexOf(texts.join('')), {code: 'METADATA_INVALID'})
      else assert.equal(indexOf(texts.join('')).findForeignLine(), expected)
    })

  it('is read by pages, each once while there is room for it', () => {
    const text = Buffer.from(
      Array.from({length: 3000}, (_, at) => json(`Files/${String(at).padStart(5, '0')}`)).join(''),
    )
    let reads = 0
    const source: ByteSource = {
      sizeBytes: text.byteLength,
      read(offset, length) {
        reads++
        assert.ok(length <= 64 * 1024 && offset % (64 * 1024) === 0)
        return text.subarray(offset, offset + length)
      },
    }
    const index = new PayloadIndex(source)
    const pages = Math.ceil(text.byteLength / 65536)
    for (const at of [0, 1, 999, 2999]) assert.equal(index.get(`Files/${String(at).padStart(5, '0')}`)?.sizeBytes, 1)
    assert.deepEqual([[...index.lines()].length, reads], [3000, pages])
    // Every line, those over the edge of a page too, in an index of another order as well.
    const other = new PayloadIndex(byteSourceOf(Buffer.concat([Buffer.from(json('Z')), text])))
    for (let at = 0; at < 3000; at++) {
      const name = `Files/${String(at).padStart(5, '0')}`
      assert.equal(index.get(name)?.path, name)
      assert.equal(other.get(name)?.path, name)
    }
  })

  it('is found in a file, refused where that is none or is too large', () => {
    const files = new FolderFiles(folder.path, 'it')
    assert.equal(findIndex(files, 'none.jsonl', 'place'), undefined)
    writeFileSync(path.join(folder.path, 'index.jsonl'), ORDERED)
    const index = findIndex(files, 'index.jsonl', 'place')
    assert.deepEqual([index?.count, index?.get('Files/a')?.sizeBytes], [3, 1])
    mkdirSync(path.join(folder.path, 'folder.jsonl'))
    assert.throws(() => findIndex(files, 'folder.jsonl', 'it/folder'), {
      code: 'UNRECOGNISED_FORMAT',
      at: {path: 'it/folder'},
    })
    writeFileSync(path.join(folder.path, 'large.jsonl'), '')
    truncateSync(path.join(folder.path, 'large.jsonl'), 2 ** 30 + 1)
    assert.throws(() => findIndex(files, 'large.jsonl', 'it/large'), {code: 'LIMIT_EXCEEDED', at: {path: 'it/large'}})
  })
})

describe('lines of an index', () => {
  const linesIn = (...pieces: string[]) => [...linesOf(pieces.map((piece) => Buffer.from(piece)))].map(String)
  it('are whole, however the pieces are cut', () => {
    assert.deepEqual(linesIn(), [])
    assert.deepEqual(linesIn(''), [])
    assert.deepEqual(linesIn('a\nb\n'), ['a\n', 'b\n'])
    assert.deepEqual(linesIn('a', 'b\nc', '\n', '\n', 'd'), ['ab\n', 'c\n', '\n', 'd'])
  })
  it('are refused where one is longer than any', () => {
    const most = 2 ** 20
    assert.equal(linesIn('x'.repeat(most), '\n').length, 1)
    assert.throws(() => linesIn('x'.repeat(most + 1), '\n'), {code: 'METADATA_INVALID'})
    assert.throws(() => linesIn('a\n', 'x'.repeat(most), 'x'), {code: 'METADATA_INVALID'})
  })
})

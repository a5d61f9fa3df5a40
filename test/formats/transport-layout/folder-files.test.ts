import assert from 'node:assert/strict'
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {requireFile, streamFile} from '../../../src/formats/transport-layout/layout-files.js'
import {IndexWriter, PayloadIndex} from '../../../src/formats/transport-layout/payload-index.js'
import {PayloadStamps} from '../../../src/formats/transport-layout/payload-stamps.js'
import {collect} from '../../helpers/bytes.js'
import {sha256} from '../../helpers/archives.js'
import {openBelow} from '../../helpers/open-files.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe('the files of a layout in a folder', () => {
  const folder = temporaryFolder()
  const made = () => {
    const root = mkdtempSync(path.join(folder.path, 'files-'))
    return {root, files: new FolderFiles(root, 'it'), at: (name: string) => path.join(root, name)}
  }

  it('are listed apart from folders, each in the order of their bytes', () => {
    const {files, at} = made()
    for (const name of ['b', 'a', '\u{1f600}', '\uffee']) writeFileSync(at(name), '')
    for (const name of ['z', 'A']) mkdirSync(at(name))
    writeFileSync(at('A/inside'), '')
    assert.deepEqual(files.list(''), {folders: ['A', 'z'], files: ['a', 'b', '\uffee', '\u{1f600}']})
    assert.deepEqual(files.list('A'), {folders: [], files: ['inside']})
    assert.throws(() => files.list('none'), {code: 'NOT_FOUND', at: {path: at('none')}})
  })

  it('are no links, wherever they lead', () => {
    const {files, at} = made()
    writeFileSync(at('file'), 'x')
    symlinkSync('file', at('link'))
    assert.throws(() => files.list(''), {code: 'UNRECOGNISED_FORMAT', at: {path: 'it'}})
    assert.throws(() => files.find('link', 'it/link'), {code: 'UNRECOGNISED_FORMAT', message: /it\/link/})
  })

  it('have names in UTF-8', function () {
    const {root, files} = made()
    try {
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), '')
    } catch {
      this.skip()
    }
    assert.throws(() => files.list(''), {code: 'NAME_UNSAFE', at: {path: 'it'}})
  })

  it('are told with kind, size, times, links and a stamp', () => {
    const {files, at} = made()
    writeFileSync(at('a'), 'abc')
    utimesSync(at('a'), 5, 10)
    mkdirSync(at('d'))
    const facts = files.find('a', 'it/a')!
    assert.deepEqual(
      [facts.kind, facts.sizeBytes, facts.linkGroup, files.find('d', 'it/d')?.kind],
      ['file', 3, '', 'directory'],
    )
    assert.equal(facts.times.lastWrite, 116444736100000000n)
    linkSync(at('a'), at('b'))
    const group = files.find('a', 'a')?.linkGroup
    assert.ok(group !== '' && group === files.find('b', 'b')?.linkGroup)
    writeFileSync(at('c'), 'abc')
    utimesSync(at('c'), 5, 10)
    assert.notEqual(files.find('c', 'c')?.stamp, facts.stamp)
    assert.equal(files.find('a', 'a')?.stamp, facts.stamp)
    utimesSync(at('a'), 5, 11)
    assert.notEqual(files.find('a', 'a')?.stamp, facts.stamp)
    assert.equal(files.find('none', 'x'), undefined)
    assert.throws(() => files.find('a/b', 'it/a/b'), {code: 'NOT_FOUND', at: {path: 'it/a/b'}})
  })

  it('are read whole up to a limit, in ranges, hashed and compared', async () => {
    const {files, at} = made()
    const large = Buffer.alloc(300 * 1024, 'content ')
    writeFileSync(at('a'), large)
    writeFileSync(at('b'), large)
    writeFileSync(at('c'), Buffer.concat([large.subarray(1), large.subarray(0, 1)]))
    assert.ok(large.equals(files.findSmall('a', large.byteLength, 'it/a')!))
    assert.throws(() => files.findSmall('a', large.byteLength - 1, 'it/a'), {code: 'LIMIT_EXCEEDED'})
    assert.equal(files.findSmall('none', 10, 'it/none'), undefined)
    assert.throws(() => files.findSmall('a/b', 10, 'it/a/b'), {code: 'NOT_FOUND', at: {path: 'it/a/b'}})
    assert.equal(await files.hash('a'), sha256(large))
    assert.deepEqual([files.areSame('a', 'b'), files.areSame('a', 'c')], [true, false])
    const file = files.open('a', large.byteLength, 'it/a')
    for (const [offset, length] of [
      [0, large.byteLength],
      [1, 256 * 1024],
      [7, 0],
      [large.byteLength - 1, 1],
    ] as const)
      assert.ok((await collect(file.range(offset, length))).equals(large.subarray(offset, offset + length)))
    await assert.rejects(collect(file.range(large.byteLength - 3, 5)), {
      code: 'SIZE_MISMATCH',
      at: {path: 'it/a', offset: large.byteLength},
    })
    assert.throws(
      () => {
        file.read(large.byteLength - 1, Buffer.alloc(2))
      },
      {code: 'SIZE_MISMATCH'},
    )
    file.close()
    assert.throws(() => files.open('none', 1, 'it/none'), {code: 'NOT_FOUND', at: {path: 'it/none'}})
    assert.ok((await collect(streamFile(files, 'a', 'it/a'))).equals(large))
    for await (const _ of streamFile(files, 'a', 'it/a')) break
    await assert.rejects(collect(streamFile(files, 'none', 'it/none')), {code: 'NOT_FOUND', at: {path: 'it/none'}})
    assert.equal(requireFile(files, 'a', 'x').sizeBytes, large.byteLength)
    assert.throws(() => requireFile(files, 'none', 'it/none'), {code: 'NOT_FOUND', at: {path: 'it/none'}})
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('are known to have changed by the first that has, in the order of the index', () => {
    const {root, files, at} = made()
    mkdirSync(at('Files'))
    const names = ['Files/a', 'Files/b', 'Files/c']
    const writer = new IndexWriter()
    for (const name of ['Files', ...names, 'Files/none']) writer.add({path: name, sizeBytes: 1})
    const index = new PayloadIndex(byteSourceOf(Buffer.concat([...writer.finish().bytes.pieces()])))
    for (const name of names) writeFileSync(at(name), 'x')
    const stamps = new PayloadStamps(files, index)
    assert.equal(stamps.findChanged(), undefined)
    writeFileSync(at('Files/new'), '')
    assert.equal(stamps.findChanged(), undefined, 'of a folder names may come')
    for (const change of [
      () => {
        appendFileSync(at('Files/c'), 'y')
      },
      () => {
        writeFileSync(at('Files/b.new'), 'x')
        renameSync(at('Files/b.new'), at('Files/b'))
      },
      () => {
        rmSync(at('Files/a'))
      },
    ])
      change()
    assert.equal(stamps.findChanged(), 'Files/a')
    const again = new PayloadStamps(files, index)
    writeFileSync(at('Files/none'), '')
    assert.equal(again.findChanged(), 'Files/none')
    const folders = new PayloadStamps(files, index)
    renameSync(at('Files'), at('Other'))
    mkdirSync(at('Files'))
    assert.equal(folders.findChanged(), 'Files/b')
    assert.ok(root.startsWith(folder.path))
  })
})

import assert from 'node:assert/strict'
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {MAX_DOCUMENT_BYTES} from '../../../src/codecs/json/json-document.js'
import {keepingOpen} from '../../../src/disk/kept-open.js'
import {Archive} from '../../../src/formats/archive-file/archive.js'
import {findTarNames} from '../../../src/formats/archive-file/tar-names.js'
import {digestOf} from '../../../src/model/digest.js'
import {sha256} from '../../helpers/archives.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {errorOf} from '../../helpers/layout-store.js'
import {RAW_END, rawHeader, rawMember} from '../../helpers/raw-tar.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const open = (...members: Buffer[]) => Archive.ofStream(chunked(Buffer.concat([...members, RAW_END])), {title: 'it'})
const file = (name: string, body = name) => rawMember({name}, body)
const symlink = (name: string, linkname: string) => rawMember({name, type: '2', linkname})
const hardLink = (name: string, linkname: string) => rawMember({name, type: '1', linkname})

describe('an archive of images', () => {
  const folder = temporaryFolder()
  let made = 0

  function written(bytes: Buffer): string {
    const target = path.join(folder.path, `${made++}.tar`)
    writeFileSync(target, bytes)
    return target
  }

  it('finds members by their names, however they are spelt', async () => {
    const archive = await open(
      rawMember({name: './a/', type: '5'}),
      file('././b/c'),
      file('d\\e'),
      file('.///f'),
      file('g.'),
      rawMember({name: 'h', type: '3'}),
    )
    assert.deepEqual([...archive.names()], ['a', 'b/c', 'd/e', 'f', 'g.', 'h'])
    for (const [name, found] of [
      ['b/c', '././b/c'],
      ['./b/c', '././b/c'],
      ['b\\c', '././b/c'],
      ['b/../b/./c', '././b/c'],
      ['b//c', '././b/c'],
      ['d/e', 'd\\e'],
      ['f', './//f'],
      ['f/', './//f'],
      ['a', undefined],
      ['h', undefined],
      ['nothing', undefined],
    ] as const)
      assert.equal(archive.find(name)?.name, found, name)
    await archive.close()
  })

  for (const name of ['../a', '/a', 'a/../../b', 'C:/a', 'c:\\a', '..', '..\\a', 'a/../../a/b'])
    it(`refuses a name that leads out of it: ${name}`, async () => {
      const archive = await open(file('a'), symlink('link', name))
      assert.equal((await errorOf(() => archive.find(name))).code, 'NAME_UNSAFE')
      assert.equal((await errorOf(() => archive.find('link'))).code, 'NAME_UNSAFE')
      await archive.close()
    })

  it('follows links: one kind from where they stand, the other from the top', async () => {
    const archive = await open(
      file('a/body'),
      file('body'),
      symlink('a/soft', 'body'),
      symlink('a/up', '..\\body'),
      symlink('soft', './a/body'),
      hardLink('a/hard', 'body'),
      hardLink('hard', './a/body'),
      symlink('twice', 'a/soft'),
      symlink('nowhere', 'nothing'),
    )
    for (const [name, found] of [
      ['a/soft', 'a/body'],
      ['a/up', 'body'],
      ['soft', 'a/body'],
      ['a/hard', 'body'],
      ['hard', 'a/body'],
      ['twice', 'a/body'],
      ['nowhere', undefined],
    ] as const)
      assert.equal(archive.find(name)?.name, found, name)
    await archive.close()
  })

  for (const [links, isFound] of [
    [8, true],
    [9, false],
  ] as const)
    it(`follows ${links} links ${isFound ? 'to their end' : 'no more'}`, async () => {
      const steps = Array.from({length: links}, (_, step) =>
        symlink(String(step), step + 1 === links ? 'body' : String(step + 1)),
      )
      const archive = await open(file('body'), ...steps, symlink('loop', 'loop'))
      if (isFound) assert.equal(archive.find('0')?.name, 'body')
      else
        for (const name of ['0', 'loop']) {
          const error = await errorOf(() => archive.find(name))
          assert.deepEqual([error.code, error.at.path], ['ARCHIVE_CORRUPT', 'it'])
        }
      await archive.close()
    })

  it('tells names that come twice, but not of folders, and takes the last one', async () => {
    const archive = await open(
      ...[file('a', 'one'), file('b'), file('./a', 'second'), file('a', 'third')],
      ...['c/', 'c', './c/'].map((name) => rawMember({name, type: '5'})),
    )
    assert.deepEqual([archive.repeated, archive.contents.repeated], [['a'], ['a']])
    assert.equal((await archive.readDocument(archive.find('a')!)).toString(), Buffer.from('third').toString())
    await archive.close()
  })

  it('gives the bytes of a member: all, the first, as a stream and where they lie', async () => {
    const archive = await open(file('first'), file('second', '0123456789'))
    const entry = archive.find('second')!
    assert.equal(Buffer.from(await archive.readDocument(entry)).toString(), '0123456789')
    for (const [length, text] of [
      [4, '0123'],
      [10, '0123456789'],
      [11, '0123456789'],
      [0, ''],
    ] as const)
      assert.equal(Buffer.from(await archive.readHead(entry, length)).toString(), text)
    assert.equal((await collect(archive.stream(entry))).toString(), '0123456789')
    const {offset, length} = archive.rangeOf(entry)
    assert.deepEqual([offset, length], [3 * 512, 10])
    await archive.close()
  })

  it('finds a blob by its digest', async () => {
    const hex = sha256('x')
    const archive = await open(file(`blobs/sha256/${hex}`), file(hex))
    assert.equal(archive.findBlob(digestOf(Buffer.from('x')))?.name, `blobs/sha256/${hex}`)
    assert.equal(archive.findBlob(digestOf(Buffer.from('y'))), undefined)
    assert.equal(archive.findBlob(digestOf(Buffer.from('x'), 'sha512')), undefined)
    await archive.close()
  })

  for (const [more, isTaken] of [
    [0, true],
    [1, false],
  ] as const)
    it(`reads a document up to the size that one may have, and ${more} more`, async () => {
      const archive = await open(file('document', 'x'.repeat(MAX_DOCUMENT_BYTES + more)))
      const entry = archive.find('document')!
      if (isTaken) assert.equal((await archive.readDocument(entry)).length, MAX_DOCUMENT_BYTES)
      else assert.equal((await errorOf(() => archive.readDocument(entry))).code, 'LIMIT_EXCEEDED')
      await archive.close()
    })

  for (const [bytes, code, why] of [
    [Buffer.alloc(0), 'ARCHIVE_TRUNCATED', /empty/],
    [Buffer.from('x'), 'ARCHIVE_TRUNCATED', / 1 bytes/],
    [Buffer.alloc(511, 'x'), 'ARCHIVE_TRUNCATED', / 511 bytes/],
    [Buffer.alloc(512, 'x'), 'UNRECOGNISED_FORMAT', /header/],
    [Buffer.alloc(4096, 'x'), 'UNRECOGNISED_FORMAT', /header/],
  ] as const)
    it(`is none: ${bytes.length} bytes`, async () => {
      const target = written(bytes)
      for (const [work, title] of [
        [() => Archive.open(target, {}), target],
        [() => Archive.ofStream(chunked(bytes), {title: 'the stream'}), 'the stream'],
      ] as const) {
        const error = await errorOf(work)
        assert.deepEqual([error.code, error.at.path], [code, title])
        assert.match(error.message, why)
      }
    })

  it('may come by standard input, and is called that', async () => {
    const stdin = Object.getOwnPropertyDescriptor(process, 'stdin')!
    const openInput = async (bytes: Buffer) => {
      Object.defineProperty(process, 'stdin', {...stdin, get: () => chunked(bytes, 600)})
      try {
        return await Archive.open('-', {})
      } finally {
        Object.defineProperty(process, 'stdin', stdin)
      }
    }
    const archive = await openInput(Buffer.concat([file('a'), RAW_END]))
    assert.deepEqual([archive.path, [...archive.names()], archive.contents.isSpooled], ['-', ['a'], true])
    await archive.close()
    assert.equal((await errorOf(() => openInput(Buffer.alloc(600, 'x')))).at.path, 'Standard input')
  })

  it('is named as the user did, and spooled only where it has to be', async () => {
    const bytes = Buffer.concat([file('a'), RAW_END])
    for (const [stored, isSpooled] of [
      [bytes, false],
      [gzipSync(bytes), true],
    ] as const) {
      const target = written(stored)
      const archive = await Archive.open(target, {})
      assert.deepEqual([archive.path, archive.contents.isSpooled], [target, isSpooled])
      assert.notEqual(archive.find('a'), undefined)
      await archive.close()
    }
    const streamed = await open(file('a'))
    assert.deepEqual([streamed.path, streamed.contents.isSpooled], ['it', true])
    await streamed.close()
    await assert.rejects(collect(streamed.stream({kind: 'file', name: 'a', linkname: '', offset: 512, size: 1})))
  })

  it('is opened once as long as it is kept, and anew with other limits', async () => {
    // A file that has rested: a new one might change unseen.
    const target = 'samples/shop.tar'
    await keepingOpen(async () => {
      const first = await Archive.open(target, {})
      await first.close()
      const second = await Archive.open(target, {})
      assert.equal(second.contents, first.contents)
      const members = [...first.names()].length
      const other = await Archive.open(target, {maxEntries: members})
      assert.notEqual(other.contents, first.contents)
      assert.equal((await errorOf(() => Archive.open(target, {maxEntries: members - 1}))).code, 'LIMIT_EXCEEDED')
      await Promise.all([second, other].map((archive) => archive.close()))
    })
  })

  it('stops where it is interrupted', async () => {
    const target = written(Buffer.concat([file('a'), RAW_END]))
    await assert.rejects(Archive.open(target, {signal: AbortSignal.abort(new Error('enough'))}), /enough/)
    assert.ok(existsSync(target))
  })
})

describe('the names in a tar', () => {
  const folder = temporaryFolder()
  const bytes = Buffer.concat([file('./a'), rawMember({name: 'b/', type: '5'}), file('b/./c'), RAW_END])

  for (const [note, stored] of [
    ['plain', bytes],
    ['gzip', gzipSync(bytes)],
  ] as const)
    it(`are told without ./ in front: ${note}`, async () => {
      const target = path.join(folder.path, note)
      writeFileSync(target, stored)
      assert.deepEqual(
        [...((await findTarNames(target)) ?? [])].map((name) => name.replace(/\/$/, '')),
        ['a', 'b', 'b/./c'],
      )
    })

  it('are none of what is no tar, and an error of what is one and damaged', async () => {
    const target = path.join(folder.path, 'other')
    for (const other of [Buffer.alloc(0), Buffer.from('text'), Buffer.alloc(1024, 'x')]) {
      writeFileSync(target, other)
      assert.equal(await findTarNames(target), undefined)
    }
    writeFileSync(target, rawHeader({name: 'a', size: 1000}))
    assert.equal((await errorOf(() => findTarNames(target))).code, 'ARCHIVE_TRUNCATED')
    mkdirSync(path.join(folder.path, 'folder'))
    assert.equal((await errorOf(() => findTarNames(path.join(folder.path, 'folder')))).code, 'UNRECOGNISED_FORMAT')
    assert.ok(readdirSync(folder.path).includes('other'))
  })
})

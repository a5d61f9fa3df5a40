import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {encodePackage, partOf, type AppxPart} from '../../../src/codecs/appx/encode-package.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {verifyCanonical} from '../../../src/codecs/appx/verify-container.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import type {InputError} from '../../../src/model/errors.js'
import {collect} from '../../helpers/bytes.js'
import {assertRejects} from '../../helpers/told.js'
import {blockMapOf, mappedFile, zipOf, type ZipMember} from '../../helpers/zip-writer.js'

const TEXT = Buffer.from('a line of text\r\n'.repeat(9000))
const open = (zip: Buffer) => PackageReader.open(byteSourceOf(zip), 'x.appx')

describe('a package that is written', () => {
  const encode = async (
    parts: Iterable<AppxPart>,
    options: {level?: number; concurrency?: number; signal?: AbortSignal} = {},
  ) => {
    let digest = ''
    const manifest = (found: string) => Buffer.from(`<Package digest="${(digest = found)}"/>`)
    return {bytes: await collect(encodePackage(parts, {...options, manifest})), digest: () => digest}
  }
  const some = () => [
    partOf('Files/a.txt', TEXT),
    partOf('Files/b.png', TEXT.subarray(0, 70_000)),
    partOf('Files/none', Buffer.alloc(0)),
  ]
  const canonical = async (zip: Buffer, containerDigest: string) => {
    const source = byteSourceOf(zip)
    const faults: InputError[] = []
    const options = {title: 'x.appx', report: (fault: InputError) => faults.push(fault), containerDigest}
    verifyCanonical(await PackageReader.open(source, 'x.appx'), source, options)
    return faults
  }

  it('has the digest of all in front of its manifest', async () => {
    const {bytes, digest} = await encode(some())
    const at = bytes.indexOf('AppxManifest.xml') - 30
    assert.equal(digest(), `sha256:${createHash('sha256').update(bytes.subarray(0, at)).digest('hex')}`)
    assert.deepEqual(await canonical(bytes, digest()), [])
    const empty = await encode([])
    assert.equal(empty.digest(), `sha256:${createHash('sha256').digest('hex')}`)
    assert.deepEqual(await canonical(empty.bytes, empty.digest()), [])
    const faults = await canonical(bytes, empty.digest())
    assert.deepEqual(
      faults.map(({code, at: place}) => [code, place]),
      [['DIGEST_MISMATCH', {path: 'x.appx'}]],
    )
  })

  it('deflates at level 6 unless told, and nothing at level 0', async () => {
    const methods = async (zip: Buffer) => [...(await open(zip)).parts()].slice(0, 3).map(({entry}) => entry.method)
    const [usual, six, nine, none] = await Promise.all(
      [undefined, 6, 9, 0].map(async (level) => (await encode(some(), level === undefined ? {} : {level})).bytes),
    )
    assert.ok(usual!.equals(six!))
    assert.deepEqual([await methods(six!), await methods(none!)], [[8, 0, 8], [0, 0, 0]]) // prettier-ignore
    assert.ok(none!.includes(TEXT) && nine!.length <= six!.length)
  })

  for (const [note, blocks, found] of [
    ['shorter', [Buffer.alloc(9)], '9'],
    ['longer', [Buffer.alloc(10), Buffer.alloc(2)], '12 or more'],
    ['nothing', [], '0'],
  ] as const)
    it(`refuses a file that is ${note} than it was`, async () => {
      for (const path of ['Files/a.txt', 'Files/a.zip'])
        await assertRejects(encode([{path, sizeBytes: 10, blocks: () => blocks}]), {
          code: 'SIZE_MISMATCH',
          at: {path},
          says: [10, found],
          advises: true,
        })
    })

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('told to'))
    await assert.rejects(encode(some(), {signal}), /told to/)
  })

  it('is told by what differs from what would be written, and where', async () => {
    const {bytes, digest} = await encode(some())
    const reader = await open(bytes)
    const {central} = reader.directory
    const first = reader.part('Files/a.txt')!
    for (const [at, path] of [
      [10, 'Files/a.txt'],
      [12, 'Files/a.txt'],
      [central.offset + 4, 'The list of entries'],
      [central.offset + 46 + 3, undefined],
      [bytes.length - 22 - 20 - 56 + 12, 'The end'],
      [first.entry.endOffset - 4, undefined],
    ] as const) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 0x20
      let faults: InputError[]
      try {
        faults = await canonical(changed, digest())
      } catch {
        continue
      }
      assert.ok(faults.length > 0, String(at))
      if (path === undefined) continue
      const [fault] = faults
      assert.deepEqual([fault?.code, fault?.at], ['ARCHIVE_CONTRADICTORY', {path: 'x.appx', offset: at}])
      assert.ok(fault?.message.includes(path), fault?.message)
    }
  })

  it('is told by the order of its parts', async () => {
    const parts: readonly ZipMember[] = [
      {name: 'Files/a.txt', bytes: Buffer.from('x')},
      {name: 'AppxManifest.xml', bytes: Buffer.from('<Package/>')},
    ]
    const map = {name: 'AppxBlockMap.xml', bytes: Buffer.from(blockMapOf(parts.map((part) => mappedFile(part))))}
    const types = {name: '[Content_Types].xml', bytes: Buffer.from('<Types/>')}
    const other = zipOf([types, ...parts, map])
    const faults = await canonical(other, 'sha256:0')
    assert.ok(
      faults.some(({code, at}) => code === 'ARCHIVE_CORRUPT' && at.path === 'x.appx'),
      faults.map(String).join('\n'),
    )
  })
})

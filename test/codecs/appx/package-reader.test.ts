import assert from 'node:assert/strict'
import {BLOCK_BYTES} from '../../../src/codecs/appx/block-map.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {verifyParts} from '../../../src/codecs/appx/verify-container.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import type {InputError} from '../../../src/model/errors.js'
import {collect} from '../../helpers/bytes.js'
import {assertRejects, assertThrows} from '../../helpers/told.js'
import {blockMapOf, mappedFile, zipOf, type ZipMember} from '../../helpers/zip-writer.js'

const TEXT = Buffer.from('a line of text\r\n'.repeat(9000))
const PARTS: readonly ZipMember[] = [
  {name: 'Files/a.txt', bytes: TEXT, isDeflated: true},
  {name: 'Files/stored.bin', bytes: TEXT.subarray(0, 70_000)},
  {name: 'Files/empty', bytes: Buffer.alloc(0)},
  {name: 'AppxManifest.xml', bytes: Buffer.from('<Package/>')},
]
const TYPES: ZipMember = {name: '[Content_Types].xml', bytes: Buffer.from('<Types/>')}
const mapOf = (parts: readonly ZipMember[], change: (xml: string) => string = (xml) => xml): ZipMember => ({
  name: 'AppxBlockMap.xml',
  bytes: Buffer.from(change(blockMapOf(parts.map((part) => mappedFile(part))))),
})
const packageOf = (parts = PARTS, change?: (xml: string) => string, others: readonly ZipMember[] = []) =>
  zipOf([...parts, ...others, mapOf(parts, change), TYPES])

const open = (zip: Buffer) => PackageReader.open(byteSourceOf(zip), 'x.appx')
async function verified(zip: Buffer): Promise<{bytes: number; faults: InputError[]}> {
  const source = byteSourceOf(zip)
  const faults: InputError[] = []
  const bytes = await verifyParts(await PackageReader.open(source, 'x.appx'), source, {
    title: 'x.appx',
    report: (fault) => faults.push(fault),
  })
  return {bytes, faults}
}

describe('a package that is open', () => {
  it('has its parts in order, with what the block map says', async () => {
    const reader = await open(packageOf())
    const parts = [...reader.parts()]
    assert.deepEqual(
      parts.map(({path, mapped}) => [path, mapped]),
      [
        ['Files/a.txt', {sizeBytes: TEXT.length, localBytes: 41, firstBlock: 0, blocks: 3, isPacked: true}],
        ['Files/stored.bin', {sizeBytes: 70_000, localBytes: 46, firstBlock: 3, blocks: 2, isPacked: false}],
        ['Files/empty', {sizeBytes: 0, localBytes: 41, firstBlock: 5, blocks: 0, isPacked: false}],
        ['AppxManifest.xml', {sizeBytes: 10, localBytes: 46, firstBlock: 5, blocks: 1, isPacked: false}],
        ['AppxBlockMap.xml', undefined],
        ['[Content_Types].xml', undefined],
      ],
    )
    for (const part of parts) assert.deepEqual(reader.part(part.path), part)
    for (const path of ['Files/A.txt', 'Files', '', 'x']) assert.equal(reader.part(path), undefined)
    const [before, paths] = [reader.part('Files/empty'), reader.paths]
    assert.equal(reader.part('Files/empty'), before)
    reader.rest()
    assert.notEqual(reader.paths, paths)
    assert.deepEqual(reader.part('Files/empty'), before)
  })

  it('has longer headers where they have more fields', async () => {
    const reader = await open(packageOf([{...PARTS[1]!, localExtra: Buffer.alloc(5)}, ...PARTS.slice(2)]))
    assert.equal(reader.part('Files/stored.bin')?.mapped?.localBytes, 51)
    assert.equal(reader.part('Files/empty')?.mapped?.localBytes, 41)
  })

  it('gives blocks, ranges of them, and documents', async () => {
    const reader = await open(packageOf())
    for (const [path, bytes] of [
      ['Files/a.txt', TEXT],
      ['Files/stored.bin', TEXT.subarray(0, 70_000)],
    ] as const) {
      const part = reader.part(path)!
      const data = reader.dataOf(part)
      for (let index = 0; index * BLOCK_BYTES < bytes.length; index++) {
        const expected = bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES)
        assert.ok(Buffer.from(reader.block(part, data, index)).equals(expected))
        assert.ok((await collect(reader.blocks(part, data, index))).equals(bytes.subarray(index * BLOCK_BYTES)))
      }
      for (const [from, to] of [
        [0, 10],
        [BLOCK_BYTES - 1, BLOCK_BYTES + 1],
        [BLOCK_BYTES, BLOCK_BYTES],
        [5, bytes.length],
      ] as const) {
        const into = Buffer.alloc(to - from)
        reader.read(part, data, from, into)
        assert.ok(into.equals(bytes.subarray(from, to)), `${from} to ${to}`)
      }
    }
    assert.equal((await reader.document('AppxManifest.xml')).toString(), '<Package/>')
    assert.equal((await reader.document('[Content_Types].xml')).toString(), '<Types/>')
    await assertRejects(reader.document('AppxSignature.p7x'), {
      code: 'MANIFEST_MISSING',
      at: {path: 'x.appx'},
      says: ['AppxSignature.p7x'],
    })
    const unlisted = reader.part('AppxBlockMap.xml')!
    assertThrows(() => reader.block(unlisted, 0, 0), {code: 'ARCHIVE_CORRUPT', says: ['AppxBlockMap.xml']})
    assert.equal((await collect(reader.blocks(unlisted, 0, 0))).length, 0)
  })

  it('is whole where nothing is wrong', async () => {
    const {bytes, faults} = await verified(packageOf())
    assert.deepEqual(faults, [])
    const documents = mapOf(PARTS).bytes.length + TYPES.bytes.length
    assert.equal(bytes, TEXT.length + 70_000 + 10 + documents)
  })

  it('has each damaged block told with its place, and the others all the same', async () => {
    const zip = packageOf()
    const at = zip.indexOf(TEXT.subarray(0, 100), 0)
    zip[at + BLOCK_BYTES + 3]! ^= 1
    const reader = await open(zip)
    const part = reader.part('Files/stored.bin')!
    const data = reader.dataOf(part)
    reader.block(part, data, 0)
    const told = {code: 'DIGEST_MISMATCH', at: {path: 'x.appx: Files/stored.bin', offset: BLOCK_BYTES}, advises: true}
    assertThrows(() => reader.block(part, data, 1), told)
    await assertRejects(collect(reader.blocks(part, data, 0)), told)
    const {bytes, faults} = await verified(zip)
    assert.deepEqual(
      faults.map(({code, at: place}) => [code, place.path]),
      [['DIGEST_MISMATCH', 'x.appx: Files/stored.bin']],
    )
    assert.equal(bytes, TEXT.length + 10 + mapOf(PARTS).bytes.length + TYPES.bytes.length)
  })

  it('has a packed block that is damaged told as such', async () => {
    const zip = packageOf()
    zip.fill(0xff, 45, 60)
    const {faults} = await verified(zip)
    assert.deepEqual(
      faults.map(({code, at}) => [code, at]),
      [['ARCHIVE_CORRUPT', {path: 'x.appx: Files/a.txt', offset: 0}]],
    )
  })

  it('has another CRC told, of parts and of documents', async () => {
    for (const [path, place] of [
      ['Files/a.txt', 'x.appx: Files/a.txt'],
      ['Files/stored.bin', 'x.appx: Files/stored.bin'],
      ['[Content_Types].xml', 'x.appx: [Content_Types].xml'],
    ] as const) {
      const zip = packageOf()
      for (let at = zip.indexOf(path); at >= 0; at = zip.indexOf(path, at + 1)) {
        const central = at >= 46 && zip.readUInt32LE(at - 46) === 0x02014b50
        if (central) zip[at - 46 + 16]! ^= 1
        else if (zip.readUInt32LE(at - 30) === 0x04034b50) zip[at - 30 + 14]! ^= 1
      }
      const {faults} = await verified(zip)
      assert.deepEqual(
        faults.map(({code, at}) => [code, at.path]),
        [['DIGEST_MISMATCH', place]],
      )
    }
  })

  it('has an end of a stream told that is none', async () => {
    const zip = packageOf([{...PARTS[0]!, end: 'stored-final'}, ...PARTS.slice(1)])
    const at = zip.indexOf(Buffer.from('010000ffff504b0304', 'hex'))
    assert.ok(at > 0)
    zip[at] = 0
    const {faults} = await verified(zip)
    assert.deepEqual(
      faults.map(({code, at: place}) => [code, place]),
      [['ARCHIVE_CORRUPT', {path: 'x.appx: Files/a.txt', offset: at}]],
    )
  })

  const file = (name: string, bytes = 'x'): ZipMember => ({name, bytes: Buffer.from(bytes)})
  const without = (name: string) => (xml: string) => xml.replace(new RegExp(`<File Name="${name}".*?</File>`), '')
  for (const [note, zip, code, says] of [
    ['is no package', zipOf([file('a')]), 'UNRECOGNISED_FORMAT', ['x.appx']],
    [
      'has no manifest',
      zipOf([file('Files/a'), mapOf([file('Files/a')]), TYPES]),
      'MANIFEST_MISSING',
      ['AppxManifest.xml'],
    ],
    ['has no block map', zipOf([...PARTS, TYPES]), 'MANIFEST_MISSING', ['AppxBlockMap.xml']],
    ['has no content types', zipOf([...PARTS, mapOf(PARTS)]), 'MANIFEST_MISSING', ['[Content_Types].xml']],
    [
      'has a part that is not listed',
      packageOf(PARTS, undefined, [file('Files/more')]),
      'ARCHIVE_CONTRADICTORY',
      ['Files/more'],
    ],
    [
      'lists a part that it lacks',
      packageOf(PARTS, (xml) => xml.replace('empty', 'other')),
      'ARCHIVE_CONTRADICTORY',
      ['Files/other'],
    ],
    [
      'lists a part twice',
      packageOf(PARTS, (xml) => xml.replace(/(<File .*?<\/File>)/, '$1$1')),
      'MANIFEST_INVALID',
      ['Files/a.txt'],
    ],
    [
      'does not list its manifest',
      packageOf(PARTS, without('AppxManifest.xml')),
      'ARCHIVE_CONTRADICTORY',
      ['AppxManifest.xml'],
    ],
    [
      'lists what is not to be listed',
      packageOf(PARTS, (xml) => xml.replace('</BlockMap>', `${mappedFile(TYPES)}</BlockMap>`)),
      'ARCHIVE_CONTRADICTORY',
      ['[Content_Types].xml'],
    ],
    [
      'lists another size',
      packageOf(PARTS, (xml) => xml.replace('Size="70000"', 'Size="70001"')),
      'ARCHIVE_CONTRADICTORY',
      [70_000, 70_001],
    ],
    [
      'lists another header',
      packageOf(PARTS, (xml) => xml.replace('LfhSize="46"', 'LfhSize="47"')),
      'ARCHIVE_CONTRADICTORY',
      [47],
    ],
    [
      'lists other packed sizes',
      packageOf(PARTS, (xml) =>
        xml.replace(/Size="(\d+)"\/><Block/, (_, size: string) => `Size="${Number(size) + 1}"/><Block`),
      ),
      'ARCHIVE_CONTRADICTORY',
      ['Files/a.txt'],
    ],
    ['has a part twice', zipOf([...PARTS, PARTS[0]!, mapOf(PARTS), TYPES]), 'DUPLICATE_ENTRY', ['Files/a.txt']],
    [
      'has a part twice for Windows',
      zipOf([...PARTS, file('files/A.TXT'), mapOf(PARTS), TYPES]),
      'DUPLICATE_ENTRY',
      ['files/A.TXT'],
    ],
    [
      'has a part in a part',
      zipOf([...PARTS, file('Files/a.txt/b'), mapOf(PARTS), TYPES]),
      'NAME_COLLISION',
      ['Files/a.txt/b'],
    ],
    [
      'has a part in a later part',
      zipOf([file('Files/a.txt/b'), ...PARTS, mapOf(PARTS), TYPES]),
      'NAME_COLLISION',
      ['Files/a.txt'],
    ],
    ['has an unsafe name', zipOf([...PARTS, file('../x'), mapOf(PARTS), TYPES]), 'NAME_UNSAFE', ['../x']],
    [
      'has a name that cannot be decoded',
      zipOf([...PARTS, file('a%2'), mapOf(PARTS), TYPES]),
      'NAME_UNSAFE',
      ['a%2', 'percent-encoding'],
    ],
    [
      'has a manifest in small letters alone',
      zipOf([...PARTS.slice(0, 3), file('appxmanifest.xml'), mapOf(PARTS.slice(0, 3)), TYPES]),
      'MANIFEST_MISSING',
      ['AppxManifest.xml'],
    ],
    [
      'is a bundle',
      packageOf([...PARTS, file('AppxMetadata/AppxBundleManifest.xml')]),
      'FORMAT_UNSUPPORTED',
      ['AppxBundleManifest.xml'],
    ],
  ] as const)
    it(`is refused with ${code} where it ${note}`, async () => {
      await assertRejects(open(zip), {code, says})
    })

  it('is refused where a document is larger than any', async () => {
    const zip = packageOf()
    const at = zip.lastIndexOf('AppxBlockMap.xml') - 46
    zip.writeUInt32LE(2 ** 30 + 1, at + 24)
    await assertRejects(open(zip), {
      code: 'LIMIT_EXCEEDED',
      at: {path: 'x.appx: AppxBlockMap.xml'},
      says: [2 ** 30 + 1, 2 ** 30],
    })
  })

  it('may be read of documents that are deflated, but not of others than they state', async () => {
    const map = mapOf(PARTS)
    const zip = (form: Partial<ZipMember>) => zipOf([...PARTS, {...map, isDeflated: true, ...form}, TYPES])
    await open(zip({}))
    await open(zip({end: 'none'}))
    for (const [packed, code] of [
      [Buffer.from('no deflate stream'), 'ARCHIVE_CORRUPT'],
      [Buffer.of(3, 0), 'ARCHIVE_CORRUPT'],
    ] as const)
      await assertRejects(open(zip({packed})), {code, at: {path: 'x.appx: AppxBlockMap.xml'}})
    await assertRejects(open(zip({behind: Buffer.from('x')})), {
      code: 'ARCHIVE_CORRUPT',
      at: {path: 'x.appx: AppxBlockMap.xml'},
    })
  })
})

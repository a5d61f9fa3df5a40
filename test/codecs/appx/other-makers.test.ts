import assert from 'node:assert/strict'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {verifyParts} from '../../../src/codecs/appx/verify-container.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {TransshipError} from '../../../src/model/errors.js'
import {blockMapOf, mappedFile, zip64, zipOf, type ZipForm, type ZipMember} from '../../helpers/zip-writer.js'

const MANIFEST = Buffer.from('<Package/>')
const CONTENT = Buffer.from('a line of text\r\n'.repeat(9000))
const NTFS_TIMES = Buffer.concat([Buffer.of(0x0a, 0, 32, 0), Buffer.alloc(32, 7)])
const UTF16 = '<?xml version="1.0" encoding="utf-16"?>'
const REGULAR_FILE = 0o100644 * 65536

/** How a package is made: the forms of its parts, and of its block map. */
interface Form {
  readonly part?: ZipForm
  readonly map?: ZipForm
  readonly declaration?: string
  readonly encode?: (text: string) => Buffer
  readonly file?: Parameters<typeof mappedFile>[1]
  readonly others?: readonly ZipMember[]
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

function packageOf({part, map, declaration, encode, file, others = []}: Form): Buffer {
  const members: ZipMember[] = [
    {name: 'Files/a%20b.txt', bytes: CONTENT, ...part},
    {name: 'Files/tiny.txt', bytes: Buffer.from('x'), ...part},
    {name: 'AppxManifest.xml', bytes: MANIFEST, ...part},
  ]
  const text = blockMapOf(
    members.map((member) => mappedFile(member, file)),
    declaration,
  )
  return zipOf([
    ...members,
    ...others,
    {name: 'AppxBlockMap.xml', bytes: (encode ?? Buffer.from)(text), ...map},
    {name: '[Content_Types].xml', bytes: Buffer.from('<Types/>'), ...map},
  ])
}

/** All parts of a package, each read and checked. */
async function read(bytes: Buffer): Promise<Record<string, string>> {
  const zip = byteSourceOf(bytes)
  const reader = await PackageReader.open(zip, 'x.appx')
  const faults: TransshipError[] = []
  await verifyParts(reader, zip, {title: 'x.appx', report: (fault) => faults.push(fault)})
  if (faults[0] !== undefined) throw faults[0]
  const found: Record<string, string> = {}
  for (const part of reader.parts()) {
    const blocks: Buffer[] = []
    for (let index = 0; index < (part.mapped?.blocks ?? 0); index++)
      blocks.push(Buffer.from(reader.block(part, reader.dataOf(part), index)))
    found[part.path] = Buffer.concat(blocks).toString('latin1')
  }
  return found
}

const DEFLATED: ZipForm = {isDeflated: true}
const FORMS: readonly (readonly [title: string, form: Form])[] = [
  ['stored, as the simplest writer has it', {}],
  ['deflated', {part: DEFLATED, map: DEFLATED}],
  ['deflated without a final block, in the parts', {part: {...DEFLATED, end: 'none'}}],
  ['deflated without a final block, in the documents', {map: {...DEFLATED, end: 'none'}}],
  ['deflated without a final block anywhere', {part: {...DEFLATED, end: 'none'}, map: {...DEFLATED, end: 'none'}}],
  ['deflated with an empty stored block at the end', {part: {...DEFLATED, end: 'stored-final'}}],
  ...(['signed', 'bare', 'wide'] as const).flatMap((descriptor): (readonly [string, Form])[] => [
    [`with a ${descriptor} descriptor`, {part: {...DEFLATED, descriptor}, map: {descriptor}}],
    [
      `with sizes in the header and in a ${descriptor} descriptor`,
      {part: {...DEFLATED, descriptor, sizesTwice: true}, map: {descriptor, sizesTwice: true}},
    ],
  ]),
  ['with attributes of Windows', {part: {internalAttributes: 1, externalAttributes: 0x20}}],
  ['with attributes of Unix', {part: {externalAttributes: REGULAR_FILE}, map: {externalAttributes: REGULAR_FILE}}],
  ['with times of NTFS in the list', {part: {centralExtra: NTFS_TIMES}}],
  ['with times of NTFS in its own headers', {part: {localExtra: NTFS_TIMES}, map: {localExtra: NTFS_TIMES}}],
  ['with zeros that fill up a header', {part: {localExtra: Buffer.alloc(3)}, map: {localExtra: Buffer.alloc(7)}}],
  ['with zip64 throughout', {part: {isZip64: true}, map: {isZip64: true}}],
  ['with zip64 behind another field', {part: {isZip64: true, centralExtra: NTFS_TIMES}}],
  ['with zip64 and a descriptor', {part: {...DEFLATED, isZip64: true, descriptor: 'wide'}}],
  ['with a zip64 field that nothing needs', {part: {centralExtra: zip64([1, 2])}}],
  ['with a hint of the level in one header only', {part: {...DEFLATED, flags: 2, localFlags: 0}}],
  ['with sizes of blocks for what is stored', {file: {withSizes: true}}],
  ['with a block map in UTF-16', {declaration: UTF16, encode: (text) => Buffer.from(`\ufeff${text}`, 'utf16le')}],
  ['with a block map in UTF-16 without mark', {declaration: UTF16, encode: (text) => Buffer.from(text, 'utf16le')}],
  ['with a block map in UTF-16, big-endian', {declaration: UTF16, encode: (text) => utf16be(`\ufeff${text}`)}],
  ['with a block map in UTF-16, big-endian, without mark', {declaration: UTF16, encode: utf16be}],
  ['with a block map in UTF-16 without declaration', {declaration: '', encode: (text) => utf16be(`\ufeff${text}`)}],
  ['with a byte order mark of UTF-8', {encode: (text) => Buffer.from(`\ufeff${text}`)}],
]

const REFUSED: readonly (readonly [title: string, code: string, why: RegExp, form: Form])[] = [
  [
    'whose header has another size than the descriptor',
    'ARCHIVE_CONTRADICTORY',
    /other sizes/,
    {part: {...DEFLATED, descriptor: 'signed', sizesTwice: true, localSizeBytes: 5}},
  ],
  ['whose extra field is cut', 'ARCHIVE_CORRUPT', /is cut/, {part: {centralExtra: Buffer.of(9, 0, 200, 0, 1)}}],
  [
    'whose zip64 field is there twice',
    'ARCHIVE_CORRUPT',
    /zip64 field twice/,
    {part: {isZip64: true, centralExtra: zip64([1])}},
  ],
  ['whose header is longer than the block map says', 'ARCHIVE_CONTRADICTORY', /header/, {file: {localBytes: 99}}],
  [
    'whose header is longer, which the block map does not say',
    'ARCHIVE_CONTRADICTORY',
    /header/,
    {part: {localExtra: NTFS_TIMES}, file: {localBytes: 45}},
  ],
  [
    'whose blocks cannot be found in deflated data',
    'ARCHIVE_CONTRADICTORY',
    /where its compressed blocks begin/,
    {part: DEFLATED, file: {withSizes: false}},
  ],
  [
    'with bytes behind the end of a deflated part',
    'ARCHIVE_CONTRADICTORY',
    /do not add up/,
    {part: {...DEFLATED, behind: Buffer.from('hidden')}},
  ],
  [
    'with bytes behind the end of a deflated document',
    'ARCHIVE_CORRUPT',
    /Extra data follows/,
    {map: {...DEFLATED, behind: Buffer.from('hidden')}},
  ],
  [
    'whose block map says that it is Latin',
    'MANIFEST_INVALID',
    /iso-8859-1/,
    {declaration: '<?xml version="1.0" encoding="iso-8859-1"?>'},
  ],
  ['whose block map says that it is UTF-16 and is not', 'MANIFEST_INVALID', /utf-16/, {declaration: UTF16}],
  [
    'whose block map in UTF-16 ends within a character',
    'MANIFEST_INVALID',
    /./,
    {declaration: UTF16, encode: (text) => Buffer.from(`\ufeff${text}`, 'utf16le').subarray(0, -1)},
  ],
  [
    'whose block map in UTF-16 has half a character',
    'MANIFEST_INVALID',
    /./,
    {declaration: UTF16, encode: (text) => Buffer.from(`\ufeff${text.replace('tiny', '\ud800')}`, 'utf16le')},
  ],
  ...['AppxMetadata/AppxBundleManifest.xml', 'appxmetadata/appxbundlemanifest.XML'].map(
    (name) =>
      [
        `that are bundles, by ${name}`,
        'FORMAT_UNSUPPORTED',
        /single packages/,
        {others: [{name, bytes: Buffer.from('<Bundle/>')}]},
      ] as const,
  ),
]

describe('packages of other makers', () => {
  for (const [title, form] of FORMS)
    it(`are read ${title}`, async () => {
      const found = await read(packageOf(form))
      assert.equal(found['Files/a b.txt'], CONTENT.toString('latin1'))
      assert.equal(found['Files/tiny.txt'], 'x')
      assert.equal(found['AppxManifest.xml'], MANIFEST.toString())
    })

  for (const [title, code, why, form] of REFUSED)
    it(`are refused ${title}: ${code}`, async () => {
      await assert.rejects(read(packageOf(form)), (error) => {
        assert.ok(error instanceof TransshipError, String(error))
        assert.equal(error.code, code, error.message)
        assert.match(`${error.what} ${error.why ?? ''}`, why)
        return true
      })
    })
})

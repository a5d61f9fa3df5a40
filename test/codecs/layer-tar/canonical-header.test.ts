import assert from 'node:assert/strict'
import {
  canonicalHeader,
  canonicalLinkHeader,
  canonicalStreamHeader,
  OPAQUE_NAME,
  streamMode,
  WHITEOUT_PREFIX,
} from '../../../src/codecs/layer-tar/canonical-header.js'
import {encodeReparsePoint} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {findPaxRecords} from '../../../src/codecs/tar/pax.js'
import {findTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {contentOf} from '../../../src/model/content.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {UNIX_EPOCH, type WindowsMetadata} from '../../../src/model/windows-metadata.js'

const second = (count: number) => UNIX_EPOCH + BigInt(count) * 10_000_000n
const TIMES = {creation: second(1), lastAccess: second(2), lastWrite: second(3), change: second(4)}
const META: WindowsMetadata = {attributes: 0x20, times: TIMES}
const path = parseLayerPath('Files/a')
const file = (meta: Partial<WindowsMetadata> = {}, content = contentOf(Buffer.from('text'))): FileEntry => ({
  kind: 'file',
  path,
  meta: {...META, ...meta},
  content,
})
const bare = (meta: Partial<WindowsMetadata> = {}): FileEntry => ({kind: 'file', path, meta: {...META, ...meta}})
const folder = (meta: Partial<WindowsMetadata> = {}): DirectoryEntry => ({
  kind: 'directory',
  path,
  meta: {...META, attributes: 0x10, ...meta},
})
const [SYMLINK, JUNCTION] = (['symlink', 'junction'] as const).map((kind) =>
  encodeReparsePoint({kind, target: 'C:\\t'}),
)
const OTHER = Buffer.from('18000080040000000102030405', 'hex')

/** What header blocks say. */
function said(blocks: Uint8Array) {
  const bytes = Buffer.from(blocks)
  const header = findTarHeader(bytes.subarray(-512))!
  const extension = bytes.byteLength > 512 ? findTarHeader(bytes.subarray(0, 512)) : undefined
  const records = extension === undefined ? undefined : findPaxRecords(bytes.subarray(512, 512 + extension.size))
  const {typeflag, mode, size, mtime, uid, gid, format} = header
  assert.deepEqual([uid, gid, format], [0, 0, 'ustar'])
  return {
    name: Buffer.from(header.name).toString(),
    linkname: Buffer.from(header.linkname).toString(),
    typeflag,
    mode,
    size,
    mtime,
    records: Object.fromEntries(records ?? []),
  }
}

const RECORDS = {'MSWINDOWS.fileattr': '32', 'LIBARCHIVE.creationtime': '1', atime: '2', ctime: '4'}

describe('the header that Microsoft writes', () => {
  it('of a file', () => {
    assert.deepEqual(said(canonicalHeader(file(), false)), {
      name: 'Files/a',
      linkname: '',
      typeflag: '0',
      mode: 0o100000,
      size: 4,
      mtime: 3,
      records: RECORDS,
    })
  })

  for (const [note, entry, typeflag, mode, size] of [
    ['a file without data', bare(), '0', 0, 0],
    ['an empty file', file({}, contentOf(Buffer.alloc(0))), '0', 0o100000, 0],
    ['a folder', folder(), '5', 0o40000, 0],
    ['a symlink', bare({reparsePoint: SYMLINK!}), '2', 0o120000, 0],
    ['a symlink with content, whose size it does not tell', file({reparsePoint: SYMLINK!}), '2', 0o120000, 0],
    ['a symlink to a folder', folder({reparsePoint: SYMLINK!}), '2', 0o160000, 0],
    ['a junction', folder({reparsePoint: JUNCTION!}), '2', 0o160000, 0],
    ['a file with another reparse point', file({reparsePoint: OTHER}), '0', 0o120000, 4],
    ['a folder with another reparse point', folder({reparsePoint: OTHER}), '5', 0o160000, 0],
    ['a file with a damaged reparse point', file({reparsePoint: Buffer.of(1)}), '0', 0o120000, 4],
  ] as const)
    it(`has type ${typeflag} and mode ${mode.toString(8)} of ${note}`, () => {
      const found = said(canonicalHeader(entry, false))
      assert.deepEqual([found.typeflag, found.mode, found.size], [typeflag, mode, size])
    })

  it('has the target of a link, and a record of a junction alone', () => {
    const [link, junction] = [bare({reparsePoint: SYMLINK!}), folder({reparsePoint: JUNCTION!})].map((entry) =>
      said(canonicalHeader(entry, false)),
    )
    assert.deepEqual([link?.linkname, junction?.linkname], ['C:\\t', 'C:\\t'])
    assert.deepEqual(
      [link?.records['MSWINDOWS.mountpoint'], junction?.records['MSWINDOWS.mountpoint']],
      [undefined, '1'],
    )
    assert.equal(said(canonicalHeader(file({reparsePoint: OTHER}), false)).linkname, '')
  })

  it('has descriptor and extended attributes, but those of names that no record can have', () => {
    const found = said(
      canonicalHeader(
        file({
          securityDescriptor: Buffer.from('descriptor'),
          extendedAttributes: ['A.B', 'x=y', 'n\0l', ''].map((name) => ({name, flags: 0x80, value: Buffer.from(name)})),
        }),
        false,
      ),
    )
    assert.deepEqual(found.records, {
      ...RECORDS,
      'MSWINDOWS.rawsd': Buffer.from('descriptor').toString('base64'),
      'MSWINDOWS.xattr.A.B': Buffer.from('A.B').toString('base64'),
    })
  })

  for (const [keepFrames, layout, expected] of [
    [true, Buffer.of(1, 2), 'AQI='],
    [true, undefined, undefined],
    [false, Buffer.of(1, 2), undefined],
  ] as const)
    it(`has the form of a layout ${expected === undefined ? 'not' : ''} where forms are ${keepFrames ? '' : 'not '}kept and there is ${layout === undefined ? 'none' : 'one'}`, () => {
      const frame = layout === undefined ? {} : {frame: {layout}}
      for (const blocks of [
        canonicalHeader({...file(), ...frame}, keepFrames),
        canonicalLinkHeader({kind: 'hard-link', path, target: path, meta: META, ...frame}, keepFrames),
      ])
        assert.equal(said(blocks).records['TRANSSHIP.layout'], expected)
    })

  it('of a hard link has its target and mode, and no descriptor', () => {
    const meta = {
      ...META,
      securityDescriptor: Buffer.from('x'),
      extendedAttributes: [{name: 'A', flags: 0, value: Buffer.of(1)}],
    }
    const entry: HardLinkEntry = {kind: 'hard-link', path, target: parseLayerPath('Files/t'), meta}
    assert.deepEqual(said(canonicalLinkHeader(entry, true)), {
      name: 'Files/a',
      linkname: 'Files/t',
      typeflag: '1',
      mode: 0o644,
      size: 0,
      mtime: 3,
      records: RECORDS,
    })
  })

  it('of a stream has its name, and times and mode of its owner', () => {
    const owner = {path, meta: {...META, securityDescriptor: Buffer.from('x')}, mode: 0o120000}
    const blocks = canonicalStreamHeader(owner, {name: 'Zone.Identifier', content: contentOf(Buffer.from('stream'))})
    assert.deepEqual(said(blocks), {
      name: 'Files/a:Zone.Identifier',
      linkname: '',
      typeflag: '0',
      mode: 0o120000,
      size: 6,
      mtime: 3,
      records: {atime: '2', ctime: '4'},
    })
  })

  for (const [note, entry, mode] of [
    ['a file', file(), 0o100000],
    ['a file without data', bare(), 0],
    ['a folder', folder(), 0o40000],
    ['a file with a reparse point', file({reparsePoint: OTHER}), 0o120000],
    ['a folder with a reparse point', folder({reparsePoint: OTHER}), 0o160000],
    ['a reparse point without data', bare({reparsePoint: OTHER}), 0o120000],
  ] as const)
    it(`gives streams of ${note} the mode ${mode.toString(8)}`, () => {
      assert.equal(streamMode(entry), mode)
    })

  it('marks deletions by the names of the image specification', () => {
    assert.deepEqual([WHITEOUT_PREFIX, OPAQUE_NAME], ['.wh.', '.wh..wh..opq'])
  })
})

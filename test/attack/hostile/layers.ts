import {gzipSync} from 'node:zlib'
import {classicMembers, hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {longMember, paxMember, RAW_END, rawHeader, rawMember, type RawHeader} from '../../helpers/raw-tar.js'
import type {Built, HostileInput} from './input.js'

const TOP = rawMember({name: 'Files/', type: '5'})

/** An image of one sound layer and one hostile layer, in each form that a tool reads. */
export async function imageOf(
  layer: Buffer,
  how: {readonly stored?: Buffer; readonly suffix?: string} = {},
): Promise<Built> {
  const below = Buffer.concat([TOP, rawMember({name: 'Files/below.txt'}, 'of a layer below'), RAW_END])
  const parts = partsOf([below, layer])
  // umoci unpacks for Linux alone.
  const forLinux = partsOf([below, layer], {os: 'linux'})
  const builder = new LayoutBuilder()
  const stored = how.stored ?? layer
  const image = builder.image(forLinux, {
    layers: [builder.blob(OCI.layer, below), builder.blob(`${OCI.layer}${how.suffix ?? ''}`, stored)],
  })
  const named = {...image, annotations: {'org.opencontainers.image.ref.name': 'app'}}
  const layout = {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify({schemaVersion: 2, manifests: [named]}),
    ...Object.fromEntries(builder.files),
  }
  const members =
    how.stored === undefined
      ? classicMembers(parts)
      : hybridMembers(parts, {stored: {layers: [below, stored], suffix: how.suffix ?? ''}})
  const archive = await tarOf(members)
  return {
    reference: (folder) => `docker-archive:${folder}/image.tar`,
    files: {'image.tar': archive},
    forms: {tar: stored, archive, layout},
  }
}

interface Row {
  readonly name: string
  readonly code: string
  readonly entry?: string
  readonly exit?: number
  /** Members behind the folder `Files`, in front of the end. */
  readonly members: readonly Uint8Array[]
  /** In place of the end. */
  readonly end?: Uint8Array
}

const file = (name: string | Uint8Array, body: string | Uint8Array = 'x', more: Omit<RawHeader, 'name'> = {}) =>
  rawMember({name, ...more}, body)
const link = (name: string, linkname: string) => rawMember({name, type: '1', linkname})
const pax = (records: readonly (readonly [string, string])[], name = 'Files/a', body = 'x') =>
  Buffer.concat([paxMember(records), file(name, body)])
const named = (title: string, code: string, names: readonly string[]): Row[] =>
  names.map((name) => ({name: `${title} ${JSON.stringify(name).slice(1, -1)}`, code, members: [file(name)]}))
const stretched = (name: string | Uint8Array, size: number) => rawHeader({name, size})
/** A number that octal digits cannot hold. */
const base256 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(12)
  bytes.writeBigInt64BE(value, 4)
  if (value < 0n) bytes.fill(0xff, 0, 4)
  bytes[0] = (bytes[0] ?? 0) | 0x80
  return bytes
}

const ROWS: readonly Row[] = [
  ...named('a name that leads out:', 'NAME_UNSAFE', [
    '../evil.txt',
    'Files/../../evil.txt',
    'Files/a/../b.txt',
    'Files/a\\..\\b.txt',
    '..',
    'Files/..',
  ]),
  ...named('an absolute name:', 'NAME_UNSAFE', [
    '/Files/a.txt',
    '//server/share/a.txt',
    'C:/Windows/a.txt',
    'Files/C:a.txt',
    '\\\\?\\C:\\a.txt',
    '\\Windows\\a',
  ]),
  ...named('a device name:', 'NAME_RESERVED', [
    'Files/CON',
    'Files/NUL.txt',
    'Files/com1.log',
    'Files/Aux/b.txt',
    'Files/LPT¹',
    'Files/CONIN$',
    'Files/prn.a.b',
  ]),
  ...named('a name that Windows cuts:', 'NAME_RESERVED', [
    'Files/dot.',
    'Files/space ',
    'Files/dots.../b',
    'Files/ /b',
  ]),
  ...named('a control character:', 'NAME_UNSAFE', ['Files/a\u0007b', 'Files/\u001b[2J', 'Files/a\nb']),
  ...named('a name outside of the payload:', 'NAME_UNSAFE', ['etc/passwd', 'Filesystem/a', 'Hives2/x', 'a.txt']),
  {name: 'a name that is not UTF-8', code: 'NAME_UNSAFE', members: [file(Buffer.from('Files/\xff\xfe', 'latin1'))]},
  {name: 'a component of 256 characters', code: 'NAME_UNSAFE', members: [pax([['path', `Files/${'n'.repeat(256)}`]])]},
  {name: 'a name of 600 folders', code: 'LIMIT_EXCEEDED', members: [pax([['path', `Files/${'a/'.repeat(600)}x`]])]},
  {
    name: 'a name of 40,000 characters',
    code: 'NAME_UNSAFE',
    members: [pax([['path', `Files/${`${'n'.repeat(200)}/`.repeat(200)}x`]])],
  },
  {name: 'a NUL in a PAX name', code: 'LAYER_CORRUPT', members: [pax([['path', 'Files/a\u0000/../../evil']])]},
  {name: 'a PAX name that leads out', code: 'NAME_UNSAFE', members: [pax([['path', '../../evil']])]},
  {
    name: 'a GNU name that leads out',
    code: 'NAME_UNSAFE',
    members: [longMember('L', '../../evil'), file('Files/x', 'x', {format: 'gnu'})],
  },
  {name: 'a prefix that leads out', code: 'NAME_UNSAFE', members: [file('evil', 'x', {patch: {345: '../..'}})]},
  {
    name: 'names that differ in case',
    code: 'NAME_COLLISION',
    entry: 'Files/README',
    members: [file('Files/readme'), file('Files/README')],
  },
  {name: 'folders that differ in case', code: 'NAME_COLLISION', members: [file('Files/Dir/a'), file('Files/DIR/a')]},
  {
    name: 'names that NTFS takes for one',
    code: 'NAME_COLLISION',
    members: [file('Files/straße'), file('Files/STRAßE')],
  },
  {
    name: 'a member twice',
    code: 'DUPLICATE_ENTRY',
    entry: 'Files/a',
    members: [file('Files/a', '1'), file('Files/b'), file('Files/a', '2')],
  },
  {name: 'a file as a folder', code: 'NAME_COLLISION', members: [file('Files/a'), file('Files/a/b')]},
  {name: 'a folder as a file', code: 'NAME_COLLISION', members: [file('Files/a/b'), file('Files/a')]},
  {
    name: 'a link in the way of a file',
    code: 'NAME_UNSAFE',
    members: [rawMember({name: 'Files/a', type: '2', linkname: '/etc'}), file('Files/a/passwd')],
  },
  {
    name: 'a hard link to nothing',
    code: 'LINK_TARGET_MISSING',
    entry: 'Files/l',
    members: [link('Files/l', 'Files/nowhere')],
  },
  {
    name: 'a hard link that leads out',
    code: 'NAME_UNSAFE',
    entry: '../../etc/passwd',
    members: [link('Files/l', '../../etc/passwd')],
  },
  {name: 'an absolute hard link', code: 'NAME_UNSAFE', members: [link('Files/l', '/etc/passwd')]},
  {name: 'a hard link to itself', code: 'LINK_TARGET_MISSING', members: [link('Files/l', 'Files/l')]},
  {
    name: 'hard links in a circle',
    code: 'LINK_TARGET_MISSING',
    members: [link('Files/a', 'Files/b'), link('Files/b', 'Files/a')],
  },
  {
    name: 'a hard link to a folder',
    code: 'LINK_TARGET_MISSING',
    members: [rawMember({name: 'Files/d/', type: '5'}), link('Files/l', 'Files/d')],
  },
  {name: 'a whiteout that leads out', code: 'NAME_UNSAFE', members: [file('Files/../../.wh.a', '')]},
  {name: 'a whiteout of nothing', code: 'NAME_UNSAFE', members: [file('Files/.wh.', '')]},
  {name: 'a whiteout of the parent', code: 'NAME_UNSAFE', members: [file('Files/.wh...', '')]},
  {name: 'a sidecar of a folder', code: 'NAME_UNSAFE', members: [file('Files/a.$wcidirs$')]},
  {name: 'a stream without its file', code: 'NAME_UNSAFE', members: [file('Files/none:stream')]},
  {name: 'a stream of a stream', code: 'NAME_UNSAFE', members: [file('Files/a'), file('Files/a:b:c')]},
  {name: 'a character device', code: 'accepted', members: [rawMember({name: 'Files/dev', type: '3'})]},
  {name: 'a block device', code: 'accepted', members: [rawMember({name: 'Files/dev', type: '4'})]},
  {name: 'a pipe in a layer', code: 'accepted', members: [rawMember({name: 'Files/pipe', type: '6'})]},
  {name: 'an unknown type of member', code: 'FORMAT_UNSUPPORTED', members: [rawMember({name: 'Files/a', type: 'Z'})]},
  {
    name: 'a volume of several',
    code: 'FORMAT_UNSUPPORTED',
    members: [rawMember({name: 'Files/a', type: 'M', format: 'gnu'})],
  },
  {
    name: 'a header with a wrong checksum',
    code: 'LAYER_CORRUPT',
    members: [Buffer.from(rawHeader({name: 'Files/a'}).fill('7', 148, 154))],
  },
  {name: 'a header of noise', code: 'LAYER_CORRUPT', members: [Buffer.alloc(512, 0xa5)]},
  {name: 'a size below zero', code: 'LAYER_CORRUPT', members: [file('Files/a', '', {patch: {124: base256(-512n)}})]},
  {name: 'a size of 2^62', code: 'LAYER_CORRUPT', members: [file('Files/a', '', {patch: {124: base256(2n ** 62n)}})]},
  {name: 'a body that is cut', code: 'ARCHIVE_TRUNCATED', members: [stretched('Files/a', 5000)], end: Buffer.alloc(0)},
  {name: 'a layer without its end', code: 'accepted', members: [file('Files/a')], end: Buffer.alloc(0)},
  {
    name: 'a PAX record that is too long',
    code: 'LAYER_CORRUPT',
    members: [rawMember({name: 'x', type: 'x'}, '99 path=Files/a\n'), file('Files/b')],
  },
  {
    name: 'a PAX record without its end',
    code: 'LAYER_CORRUPT',
    members: [rawMember({name: 'x', type: 'x'}, '15 path=Files/a'), file('Files/b')],
  },
  {name: 'a PAX size that is none', code: 'LAYER_CORRUPT', members: [pax([['size', '-1']])]},
  {name: 'a PAX header of 2 MiB', code: 'LAYER_CORRUPT', members: [pax([['comment', 'x'.repeat(2 * 2 ** 20)]])]},
  {
    name: '40 PAX headers for one member',
    code: 'LAYER_CORRUPT',
    members: [...Array.from({length: 40}, () => paxMember([['comment', 'x']])), file('Files/a')],
  },
  {name: 'a PAX header for nothing', code: 'LAYER_CORRUPT', members: [paxMember([['path', 'Files/a']])]},
  {
    name: 'a security descriptor of noise',
    code: 'DESCRIPTOR_CORRUPT',
    members: [pax([['MSWINDOWS.rawsd', Buffer.alloc(40, 0xa5).toString('base64')]])],
  },
  {
    name: 'a security descriptor that is cut',
    code: 'DESCRIPTOR_CORRUPT',
    members: [pax([['MSWINDOWS.rawsd', 'AQAEgBQAAAA=']])],
  },
  {name: 'attributes that are no number', code: 'LAYER_CORRUPT', members: [pax([['MSWINDOWS.fileattr', 'hidden']])]},
  {
    name: 'a sparse map out of order',
    code: 'LAYER_CORRUPT',
    members: [
      pax(
        [
          ['GNU.sparse.major', '0'],
          ['GNU.sparse.minor', '1'],
          ['GNU.sparse.name', 'Files/s'],
          ['GNU.sparse.size', '100'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.map', '50,1,0,1'],
        ],
        'Files/s',
        'ab',
      ),
    ],
  },
  {
    name: 'a sparse map beyond the file',
    code: 'LAYER_CORRUPT',
    members: [
      pax(
        [
          ['GNU.sparse.major', '0'],
          ['GNU.sparse.minor', '1'],
          ['GNU.sparse.name', 'Files/s'],
          ['GNU.sparse.size', '10'],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.map', '50,2'],
        ],
        'Files/s',
        'ab',
      ),
    ],
  },
  {
    name: 'a hole of 2^50 bytes',
    code: 'LIMIT_EXCEEDED',
    members: [
      pax(
        [
          ['GNU.sparse.major', '0'],
          ['GNU.sparse.minor', '1'],
          ['GNU.sparse.name', 'Files/s'],
          ['GNU.sparse.size', String(2 ** 50)],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.map', '0,2'],
        ],
        'Files/s',
        'ab',
      ),
    ],
  },
  {
    name: 'a sparse name that leads out',
    code: 'NAME_UNSAFE',
    members: [
      pax(
        [
          ['GNU.sparse.major', '0'],
          ['GNU.sparse.minor', '1'],
          ['GNU.sparse.name', '../../s'],
          ['GNU.sparse.size', '2'],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.map', '0,2'],
        ],
        'Files/s',
        'ab',
      ),
    ],
  },
  {
    name: 'a GNU name of 2 MiB',
    code: 'LAYER_CORRUPT',
    members: [longMember('L', `Files/${'n'.repeat(2 * 2 ** 20)}`), file('Files/x', 'x', {format: 'gnu'})],
  },
]

const layers: readonly HostileInput[] = ROWS.map(
  ({name, code, entry, exit = code === 'accepted' ? 0 : 3, members, end = RAW_END}) => ({
    name,
    format: 'layer',
    use: 'convert',
    code,
    exit,
    ...(entry === undefined ? {} : {entry}),
    build: () => imageOf(Buffer.concat([TOP, ...members, end])),
  }),
)

const SOUND = Buffer.concat([TOP, file('Files/a', 'y'.repeat(3000)), RAW_END])
const bomb = (mib: number) =>
  Buffer.concat([TOP, rawHeader({name: 'Files/zeros', size: mib * 2 ** 20}), Buffer.alloc(mib * 2 ** 20), RAW_END])
const cut = (bytes: Buffer) => bytes.subarray(0, bytes.byteLength - 12)
const flipped = (bytes: Buffer) => {
  const copy = Buffer.from(bytes)
  copy[copy.byteLength - 6] = (copy[copy.byteLength - 6] ?? 0) ^ 0x55
  return copy
}

const COMPRESSED: readonly {name: string; code: string; stored: () => Buffer; layer?: () => Buffer; suffix?: string}[] =
  [
    {name: 'a gzip layer that is cut', code: 'ARCHIVE_TRUNCATED', stored: () => cut(gzipSync(SOUND))},
    {name: 'a gzip layer with a wrong checksum', code: 'LAYER_CORRUPT', stored: () => flipped(gzipSync(SOUND))},
    {
      name: 'noise behind a gzip layer',
      code: 'LAYER_CORRUPT',
      stored: () => Buffer.concat([gzipSync(SOUND), Buffer.from('noise')]),
    },
    {
      name: 'a second gzip member of other bytes',
      code: 'DIGEST_MISMATCH',
      stored: () => Buffer.concat([gzipSync(SOUND), gzipSync(Buffer.from('more'))]),
    },
    {name: 'a gzip layer that is none', code: 'DIGEST_MISMATCH', stored: () => Buffer.from('not gzip at all')},
    {
      name: 'a gzip layer of another diffID',
      code: 'DIGEST_MISMATCH',
      stored: () => gzipSync(Buffer.concat([SOUND, Buffer.alloc(512)])),
    },
    {
      name: 'a zstd layer that is none',
      code: 'DIGEST_MISMATCH',
      stored: () => Buffer.from('not zstd at all'),
      suffix: '+zstd',
    },
    {
      name: 'a gzip bomb of 66 MiB',
      code: 'LIMIT_EXCEEDED',
      stored: () => gzipSync(bomb(66), {level: 9}),
      layer: () => bomb(66),
    },
  ]

const compressed: readonly HostileInput[] = COMPRESSED.map(
  ({name, code, stored, layer = () => SOUND, suffix = '+gzip'}) => ({
    name,
    format: 'compressed layer',
    use: 'convert',
    code,
    exit: 3,
    build: () => imageOf(layer(), {stored: stored(), suffix}),
  }),
)

export const LAYER_INPUTS: readonly HostileInput[] = [...layers, ...compressed]

import assert from 'node:assert/strict'
import {decodeArchiveFrame} from '../../../src/codecs/layer-tar/archive-frame.js'
import {decodeLayerTar, type DecodeLayerTarOptions} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {canonicalWhiteout} from '../../../src/codecs/layer-tar/canonical-header.js'
import {decodeReparsePoint} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import type {EntryFrame, LayerEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {paxMember, RAW_END, rawHeader, rawMember, sparseMember, type RawHeader} from '../../helpers/raw-tar.js'
import {SECURITY_DESCRIPTORS} from '../../helpers/security-descriptors.js'

/** An entry in short: what it is, its path, and what else it says. */
type Short = Readonly<Record<string, unknown>>

function frameOf(frame: EntryFrame | undefined): Short {
  if (frame?.archive === undefined) return {}
  const found = decodeArchiveFrame(frame.archive)
  if (found.kind === 'raw')
    return {frame: `${found.place}: ${Buffer.from(found.bytes).toString('latin1').replaceAll('\0', '')}`}
  const {body, before} = found
  const text = body.kind === 'inline' ? `inline ${Buffer.from(body.bytes).toString('latin1')}`.trim() : body.kind
  return {frame: `${text}${before === undefined ? '' : ' behind padding'}`}
}

async function shortOf(entry: LayerEntry): Promise<Short> {
  const {kind} = entry
  if (kind === 'frame') return {kind, ...frameOf(entry.frame)}
  const {path} = entry
  if (kind === 'hard-link') return {kind, path, target: entry.target, ...frameOf(entry.frame)}
  if (kind === 'tombstone' || kind === 'opaque') return {kind, path, ...frameOf(entry.frame)}
  const content =
    kind === 'file' && entry.content !== undefined
      ? {text: (await collect(entry.content.open())).toString('latin1')}
      : {}
  const streams: Short[] = []
  for await (const stream of entry.streams ?? [])
    streams.push({
      name: stream.name,
      text: (await collect(stream.content.open())).toString('latin1'),
      ...frameOf(stream.frame),
    })
  return {kind, path, ...content, ...(streams.length === 0 ? {} : {streams}), ...frameOf(entry.frame)}
}

async function entriesOf(
  members: readonly Uint8Array[],
  options: Partial<DecodeLayerTarOptions> = {},
): Promise<Short[]> {
  const found: Short[] = []
  const tar = chunked(Buffer.concat([...members, RAW_END]), 1000)
  for await (const entry of decodeLayerTar(tar, {title: 'layer 1', keepFrames: false, ...options}))
    found.push(await shortOf(entry))
  return found
}

const kept = (...members: readonly Uint8Array[]) => entriesOf(members, {keepFrames: true})
const plain = (...members: readonly Uint8Array[]) => entriesOf(members)
const member = (name: string, body = '', header: Partial<RawHeader> = {}) => rawMember({name, ...header}, body)
const folder = (name: string, header: Partial<RawHeader> = {}) => rawMember({name, type: '5', ...header})
const odd = (bytes: Buffer) => Buffer.from(bytes).fill('#', bytes.byteLength - 1)
const noMode = (bytes: Buffer) => {
  const header = rawHeader({name: 'Files/a', size: bytes.readUInt8(134) - 0x30, patch: {100: '0000000\0'}})
  return Buffer.concat([header, bytes.subarray(512)])
}

describe('entries of a layer tar', () => {
  for (const [note, members, expected] of [
    ['a folder and a file', [folder('Files/'), member('Files/a', 'x')], [{kind: 'directory', path: 'Files'}, {kind: 'file', path: 'Files/a', text: 'x'}]], // prettier-ignore
    ['an empty file', [member('Files/a')], [{kind: 'file', path: 'Files/a', text: ''}]],
    ['an empty file without a mode, which has no data', [noMode(member('Files/a'))], [{kind: 'file', path: 'Files/a'}]],
    ['a file without a mode', [noMode(member('Files/a', 'x'))], [{kind: 'file', path: 'Files/a', text: 'x'}]],
    ['a device, which has no data', [member('Files/a', '', {type: '3'})], [{kind: 'file', path: 'Files/a'}]],
    ['a folder by its attributes', [paxMember([['MSWINDOWS.fileattr', '16']]), member('Files/a', 'x')], [{kind: 'directory', path: 'Files/a'}]], // prettier-ignore
    ['a file by its attributes', [paxMember([['MSWINDOWS.fileattr', '32']]), folder('Files/a')], [{kind: 'file', path: 'Files/a'}]], // prettier-ignore
    ['a whiteout', [member('Files/d/.wh.gone')], [{kind: 'tombstone', path: 'Files/d/gone'}]],
    ['a whiteout at the top', [member('.wh.Files')], [{kind: 'tombstone', path: 'Files'}]],
    ['an opaque folder', [member('Files/d/.wh..wh..opq')], [{kind: 'opaque', path: 'Files/d'}]],
    [
      'a folder that is opaque as another kind',
      [folder('./Files/d/.wh..wh..opq/')],
      [{kind: 'opaque', path: 'Files/d'}],
    ],
    ['no note of AUFS', [member('.wh..wh.plnk', 'x'), member('Files/.wh..wh.aufs')], []],
    ['no top', [folder('./'), folder('.')], []],
    ['no folder that is stated twice', [folder('Files/'), folder('Files/')], [{kind: 'directory', path: 'Files'}]],
    ['a hard link', [member('Files/a', '', {type: '1', linkname: './Files/t'})], [{kind: 'hard-link', path: 'Files/a', target: 'Files/t'}]], // prettier-ignore
    ['cleaned names', [member('./Files//a')], [{kind: 'file', path: 'Files/a', text: ''}]],
    ['no outer bytes', [paxMember([['comment', 'x']], 'g'), odd(member('Files/a', 'x'))], [{kind: 'file', path: 'Files/a', text: 'x'}]], // prettier-ignore
  ] as const)
    it(`are ${note}`, async () => {
      assert.deepEqual(await plain(...members), expected)
    })

  for (const [type, records, kind] of [
    ['2', [], 'symlink'],
    ['2', [['MSWINDOWS.mountpoint', '1']], 'junction'],
    ['2', [['MSWINDOWS.mountpoint', '']], 'junction'],
  ] as const)
    it(`are links, whose slashes become backslashes: ${kind}, ${records.length} records`, async () => {
      const members = [
        ...(records.length === 0 ? [] : [paxMember(records)]),
        member('Files/l', '', {type, linkname: 'a/b'}),
        RAW_END,
      ]
      for await (const entry of decodeLayerTar(chunked(Buffer.concat(members)), {title: 'x', keepFrames: false})) {
        assert.ok(entry.kind === 'file' && entry.content === undefined)
        const point = decodeReparsePoint(entry.meta.reparsePoint ?? Buffer.of())
        assert.deepEqual([point.kind, point.kind !== 'other' && point.printName], [kind, 'a\\b'])
      }
    })

  it('are alternate streams too, behind their owner', async () => {
    const members = [
      member('Files/a', 'x'),
      member('Files/a:one', '1'),
      member('./Files/a:two:$DATA', '2', {type: '\0'}),
      member('Files/b', 'y'),
      folder('Files/d'),
      member('Files/d:three', '3'),
    ]
    assert.deepEqual(await plain(...members), [
      {kind: 'file', path: 'Files/a', text: 'x', streams: [{name: 'one', text: '1'}, {name: 'two', text: '2'}]}, // prettier-ignore
      {kind: 'file', path: 'Files/b', text: 'y'},
      {kind: 'directory', path: 'Files/d', streams: [{name: 'three', text: '3'}]},
    ])
  })

  it('are passed over where nobody reads them', async () => {
    const tar = Buffer.concat([
      member('Files/a', 'x'),
      member('Files/a:one', '1'),
      odd(member('Files/a:two', '2')),
      member('Files/b'),
      RAW_END,
    ])
    const paths: string[] = []
    for await (const entry of decodeLayerTar(chunked(tar, 700), {title: 'x', keepFrames: true}))
      paths.push(entry.kind === 'frame' ? 'frame' : entry.path)
    assert.deepEqual(paths, ['Files/a', 'frame', 'Files/b'])
  })
})

describe('forms of the entries of a layer tar', () => {
  const MODE = {patch: {100: '0100000\0'}}
  for (const [note, members, expected] of [
    ['the body of what has none', [member('Files/d/.wh.gone', 'x')], [{kind: 'tombstone', path: 'Files/d/gone', frame: 'inline x'}]], // prettier-ignore
    ['a header that is spelt otherwise', [member('Files/.wh.gone', '', MODE)], [{kind: 'tombstone', path: 'Files/gone', frame: 'inline'}]], // prettier-ignore
    ['none of a whiteout as it is written', [Buffer.from(canonicalWhiteout(parseLayerPath('Files/gone')))], [{kind: 'tombstone', path: 'Files/gone'}]], // prettier-ignore
    ['an opaque folder', [member('Files/d/.wh..wh..opq', 'x')], [{kind: 'opaque', path: 'Files/d', frame: 'inline x'}]],
    ['a note of AUFS', [member('Files/.wh..wh.aufs', 'x')], [{kind: 'frame', frame: 'inline x'}]],
    ['the top', [folder('./')], [{kind: 'frame', frame: 'inline'}]],
    ['a folder that is stated twice', [folder('Files/'), folder('Files/')], [{kind: 'directory', path: 'Files', frame: 'inline'}, {kind: 'frame', frame: 'inline'}]], // prettier-ignore
    ['a hard link', [member('Files/a', '', {type: '1', linkname: 'Files/t'})], [{kind: 'hard-link', path: 'Files/a', target: 'Files/t', frame: 'inline'}]], // prettier-ignore
    ['a file', [member('Files/a', 'x')], [{kind: 'file', path: 'Files/a', text: 'x', frame: 'content'}]],
    ['a file without data', [noMode(member('Files/a'))], [{kind: 'file', path: 'Files/a', frame: 'inline'}]],
    ['a folder with a body', [paxMember([['MSWINDOWS.fileattr', '16']]), member('Files/a', 'x')], [{kind: 'directory', path: 'Files/a', frame: 'inline x'}]], // prettier-ignore
    ['a global header', [paxMember([['comment', 'x']], 'g')], [{kind: 'frame', frame: /^global: /}]],
    ['padding behind a file', [odd(member('Files/a', 'x'))], [{kind: 'file', path: 'Files/a', text: 'x', frame: 'content'}, {kind: 'frame', frame: 'padding: #'}]], // prettier-ignore
    ['padding behind a whiteout', [odd(member('Files/.wh.a', 'x'))], [{kind: 'tombstone', path: 'Files/a', frame: 'inline x'}, {kind: 'frame', frame: 'padding: #'}]], // prettier-ignore
  ] as const)
    it(`are kept: ${note}`, async () => {
      const found = await kept(...members)
      assert.equal(found.length, expected.length)
      for (const [index, entry] of found.entries()) {
        const {frame, ...rest} = expected[index] as Short
        const {frame: own, ...facts} = entry
        assert.deepEqual(facts, rest)
        if (frame instanceof RegExp) assert.match(String(own), frame)
        else assert.equal(own, frame)
      }
    })

  it('are kept: what follows the end', async () => {
    const found = await kept(RAW_END, Buffer.from('behind'))
    assert.equal(found.map(({frame}) => String(frame).replace('end: ', '')).join(''), 'behind')
  })

  it('of streams say what lay in front of them in place of zeros', async () => {
    const members = [odd(member('Files/a', 'x')), odd(member('Files/a:one', '1')), member('Files/a:two', '2'), odd(member('Files/a:last', '3')), member('Files/b')] // prettier-ignore
    const [first, padding] = await kept(...members)
    assert.deepEqual(first?.['streams'], [
      {name: 'one', text: '1', frame: 'content behind padding'},
      {name: 'two', text: '2', frame: 'content behind padding'},
      {name: 'last', text: '3', frame: 'content'},
    ])
    assert.deepEqual(padding, {kind: 'frame', frame: 'padding: #'})
  })

  it('of sparse files have their map', async () => {
    const tar = sparseMember('1.0', {name: 'Files/s', size: 2000, ranges: [[10, Buffer.from('data')]]})
    const [file] = await kept(tar)
    assert.equal(file?.['frame'], 'sparse')
    assert.equal(String(file['text']).length, 2000)
  })

  const limit = 256 * 1024
  it('have bodies of what has none up to 256 KiB', async () => {
    const body = (length: number) => rawMember({name: 'Files/.wh.a'}, Buffer.alloc(length, 'x'))
    const [entry] = await kept(body(limit))
    assert.equal(String(entry?.['frame']).length, 'inline '.length + limit)
    assert.deepEqual(await lateFaultOf(kept(body(limit + 1))), {
      code: 'LIMIT_EXCEEDED',
      at: {path: 'layer 1', offset: 0},
    })
    assert.deepEqual(await plain(body(limit + 1)), [{kind: 'tombstone', path: 'Files/a'}])
  })

  it('have no bodies with holes of what has none', async () => {
    const sparse = sparseMember('0.1', {name: 'Files/.wh.a', size: 20, ranges: [[5, Buffer.from('x')]]})
    assert.equal((await lateFaultOf(kept(sparse))).code, 'LIMIT_EXCEEDED')
    assert.deepEqual(await plain(sparse), [{kind: 'tombstone', path: 'Files/a'}])
  })

  it('hold those of a layout that records have', async () => {
    const tar = Buffer.concat([paxMember([['TRANSSHIP.layout', 'AQI=']]), member('Files/a'), paxMember([['TRANSSHIP.layout', 'Aw==']]), member('Files/l', '', {type: '1', linkname: 'Files/a'}), RAW_END]) // prettier-ignore
    const layouts: unknown[] = []
    for await (const entry of decodeLayerTar(chunked(tar), {title: 'x', keepFrames: false}))
      layouts.push([...(entry.frame?.layout ?? [])])
    assert.deepEqual(layouts, [[1, 2], [3]])
  })
})

describe('forms that are kept though nothing is spelt otherwise', () => {
  const SD = SECURITY_DESCRIPTORS[0]!.bytes.toString('base64')
  /** The records of Microsoft; `creation` is when it was made. */
  const written = (name: string, {creation = '1', withDescriptor = false, type = '0'} = {}) => [
    paxMember([
      ['LIBARCHIVE.creationtime', creation],
      ...(withDescriptor ? [['MSWINDOWS.rawsd', SD] as const] : []),
      ['atime', '1'],
      ['ctime', '1'],
      ['mtime', '1'],
    ]),
    rawMember({name, type}),
  ]
  /** Which entries have a form where a form of their own spelling does not count. */
  const isCanonicalIn = async (members: readonly Uint8Array[], path: string) => {
    const first = await collect(chunked(Buffer.concat([...members, RAW_END])))
    const again = await collect(
      encodeLayerTar(decodeLayerTar(chunked(first), {title: 'x', keepFrames: false}), {keepFrames: false}),
    )
    for await (const entry of decodeLayerTar(chunked(again), {title: 'x', keepFrames: true}))
      if (entry.kind !== 'frame' && entry.path === path) return entry.frame?.archive === undefined
    return assert.fail(path)
  }

  for (const [note, members, path, isCanonical] of [
    ['a file', written('Files/a'), 'Files/a', true],
    ['a top folder', written('Files', {type: '5'}), 'Files', false],
    ['a hive', written('Hives/System_Delta'), 'Hives/System_Delta', false],
    ['a file of a utility VM', written('UtilityVM/a'), 'UtilityVM/a', true],
    ['a file of a utility VM with a time of its own', written('UtilityVM/a', {creation: '2'}), 'UtilityVM/a', false],
    [
      'the same below a top without a descriptor',
      [...written('UtilityVM', {type: '5'}), ...written('UtilityVM/a', {creation: '2'})],
      'UtilityVM/a',
      false,
    ],
    [
      'the same below a top with one',
      [...written('UtilityVM', {type: '5', withDescriptor: true}), ...written('UtilityVM/a', {creation: '2'})],
      'UtilityVM/a',
      true,
    ],
    [
      'a hive below a top with one',
      [...written('UtilityVM', {type: '5', withDescriptor: true}), ...written('Hives/a')],
      'Hives/a',
      false,
    ],
  ] as const)
    it(`are ${isCanonical ? 'none' : 'some'} of ${note}`, async () => {
      assert.equal(await isCanonicalIn(members, path), isCanonical)
    })
})

describe('members that a layer is refused for', () => {
  const A = member('Files/a', 'x')
  for (const [note, members, code, offset] of [
    ['another top', [member('Other/a')], 'NAME_UNSAFE', 0],
    ['a name that leads out', [folder('Files/'), member('Files/../a')], 'NAME_UNSAFE', 512],
    ['an absolute name', [member('/Files/a')], 'NAME_UNSAFE', 0],
    ['a reserved name', [member('Files/NUL')], 'NAME_RESERVED', 0],
    ['the name of metadata', [member('Files/d.$wcidirs$')], 'NAME_UNSAFE', 0],
    ['a whiteout of what is elsewhere', [member('.wh.Other')], 'NAME_UNSAFE', 0],
    ['a whiteout of nothing', [member('Files/.wh.')], 'NAME_UNSAFE', 0],
    ['an opaque folder elsewhere', [member('Other/.wh..wh..opq')], 'NAME_UNSAFE', 0],
    ['an opaque top', [member('.wh..wh..opq')], 'NAME_UNSAFE', 0],
    ['a note of AUFS elsewhere', [member('Other/.wh..wh.aufs')], 'NAME_UNSAFE', 0],
    ['a link to elsewhere', [member('Files/a', '', {type: '1', linkname: '../t'})], 'NAME_UNSAFE', 0],
    ['a file twice', [A, A], 'DUPLICATE_ENTRY', 1024],
    ['a file twice in another case', [A, member('Files/A')], 'NAME_COLLISION', 1024],
    ['a folder that differs', [folder('Files'), folder('Files', {patch: {100: '0000001\0'}})], 'DUPLICATE_ENTRY', 512],
    ['a folder in place of a file', [A, folder('Files/a')], 'DUPLICATE_ENTRY', 1024],
    ['a file in place of a folder', [folder('Files/a'), A], 'DUPLICATE_ENTRY', 512],
    ['another type', [member('Files/a', '', {type: 'D'})], 'FORMAT_UNSUPPORTED', 0],
    ['a stream twice', [A, member('Files/a:s'), member('Files/a:S')], 'DUPLICATE_ENTRY', 1536],
    ['a stream without a name', [A, member('Files/a:')], 'NAME_UNSAFE', 1024],
    ['a stream of another type', [A, member('Files/a:s:$INDEX')], 'NAME_UNSAFE', 1024],
    ['a stream of nobody', [A, member('Files/b:s')], 'NAME_UNSAFE', 1024],
    ['a stream that is a folder', [A, folder('Files/a:s')], 'NAME_UNSAFE', 1024],
  ] as const)
    it(`say why and where: ${note}`, async () => {
      for (const keepFrames of [true, false])
        assert.deepEqual(await lateFaultOf(entriesOf(members, {keepFrames})), {code, at: {path: 'layer 1', offset}})
    })

  it('are those nested too deep', async () => {
    assert.equal((await plain(member('Files/a/b'))).length, 1)
    assert.equal((await lateFaultOf(entriesOf([member('Files/a/b')], {maxNameDepth: 2}))).code, 'LIMIT_EXCEEDED')
    assert.equal((await entriesOf([member('Files/a/b')], {maxNameDepth: 3})).length, 1)
  })

  it('are more than are allowed', async () => {
    assert.equal((await lateFaultOf(entriesOf([A, member('Files/b')], {maxEntries: 1}))).code, 'LIMIT_EXCEEDED')
  })

  it('have the code of a layer where the tar is damaged', async () => {
    assert.equal((await lateFaultOf(entriesOf([Buffer.alloc(512, 'x')]))).code, 'LAYER_CORRUPT')
  })

  it('close the source', async () => {
    let isClosed = false
    async function* source() {
      try {
        yield* chunked(Buffer.concat([A, A, RAW_END]), 512)
      } finally {
        isClosed = true
      }
    }
    for await (const _entry of decodeLayerTar(source(), {title: 'x', keepFrames: false})) break
    assert.equal(isClosed, true)
  })
})

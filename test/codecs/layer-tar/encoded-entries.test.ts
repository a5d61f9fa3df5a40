import assert from 'node:assert/strict'
import {
  encodeArchiveFrame,
  type ArchiveFrame,
  type FramedBody,
  type RawPlace,
} from '../../../src/codecs/layer-tar/archive-frame.js'
import {
  canonicalHeader,
  canonicalLinkHeader,
  canonicalOpaque,
  canonicalStreamHeader,
  canonicalWhiteout,
} from '../../../src/codecs/layer-tar/canonical-header.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {encodeReparsePoint} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {contentOf, type Content, type SparseRange} from '../../../src/model/content.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import type {WindowsMetadata} from '../../../src/model/windows-metadata.js'
import {collect} from '../../helpers/bytes.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {inBlocks, paxMember, RAW_END, rawHeader} from '../../helpers/raw-tar.js'
import {streamOf} from '../../helpers/streams.js'

const TIMES = {creation: 10n ** 17n, lastAccess: 10n ** 17n, lastWrite: 10n ** 17n, change: 10n ** 17n}
const META: WindowsMetadata = {attributes: 0x20, times: TIMES}
const at = parseLayerPath

/** Content that has to be opened, of a size that need not be true. */
const opened = (bytes: string, size = bytes.length): Content => ({
  size,
  // eslint-disable-next-line @typescript-eslint/require-await
  async *open() {
    for (let from = 0; from < bytes.length; from += 3) yield Buffer.from(bytes.slice(from, from + 3))
  },
})
const sparse = (size: number, ranges: readonly SparseRange[], stored: string): Content => ({
  ...opened('', size),
  ranges,
  openRanges: () => opened(stored).open(),
})
const file = (name: string, content: Content | undefined, more: Partial<FileEntry> = {}): FileEntry => ({
  kind: 'file',
  path: at(name),
  meta: META,
  ...(content === undefined ? {} : {content}),
  ...more,
})
const text = (name: string, body: string, more: Partial<FileEntry> = {}) =>
  file(name, contentOf(Buffer.from(body)), more)
const folder = (name: string, more: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  kind: 'directory',
  path: at(name),
  meta: META,
  ...more,
})
const headerOf = (entry: FileEntry | DirectoryEntry, keepFrames = false) =>
  Buffer.from(canonicalHeader(entry, keepFrames))

const encoded = (entries: readonly LayerEntry[], keepFrames = true) =>
  collect(encodeLayerTar(streamOf(...entries), {keepFrames}))
const tarOf = (...parts: readonly Uint8Array[]) => Buffer.concat([...parts, RAW_END])

const raw = (place: RawPlace, bytes: Uint8Array): LayerEntry => ({
  kind: 'frame',
  frame: {archive: encodeArchiveFrame({kind: 'raw', place, bytes})},
})
const formOf = (header: Uint8Array, body: FramedBody, before?: Uint8Array) =>
  encodeArchiveFrame({kind: 'member', header, body, ...(before === undefined ? {} : {before})} satisfies ArchiveFrame)
const member = (header: Uint8Array, body: string): LayerEntry => ({
  kind: 'frame',
  frame: {archive: formOf(header, {kind: 'inline', bytes: Buffer.from(body)})},
})
const HEADER = rawHeader({name: 'Files/other', size: 4})

describe('a layer tar that is written', () => {
  const link = {kind: 'hard-link', path: at('Files/l'), target: at('Files/a'), meta: META} as const
  const A = text('Files/a', 'five!')
  const streams = () => ({
    streams: streamOf<AlternateStream>(
      {name: 's', content: contentOf(Buffer.from('stream'))},
      {name: 'o', content: opened('opened')},
    ),
  })
  const streamHeader = (mode: number, name: string, size: number) =>
    Buffer.from(canonicalStreamHeader({path: A.path, meta: META, mode}, {name, content: contentOf(Buffer.alloc(size))}))

  for (const [note, entries, parts] of [
    ['nothing', [], []],
    ['a file', [A], [headerOf(A), inBlocks(Buffer.from('five!'))]],
    ['a file that has to be opened', [file('Files/a', opened('five!'))], [headerOf(A), inBlocks(Buffer.from('five!'))]],
    ['an empty file', [text('Files/e', '')], [headerOf(text('Files/e', ''))]],
    ['a file without data', [file('Files/n', undefined)], [headerOf(file('Files/n', undefined))]],
    ['a folder', [folder('Files')], [headerOf(folder('Files'))]],
    [
      'a file of whole blocks',
      [text('Files/b', 'x'.repeat(1024))],
      [headerOf(text('Files/b', 'x'.repeat(1024))), Buffer.alloc(1024, 'x')],
    ],
    ['a whiteout', [{kind: 'tombstone', path: at('Files/g')}], [canonicalWhiteout(at('Files/g'))]],
    ['an opaque folder', [{kind: 'opaque', path: at('Files/d')}], [canonicalOpaque(at('Files/d'))]],
    ['a hard link', [link], [canonicalLinkHeader(link, false)]],
  ] as const satisfies readonly (readonly [string, readonly LayerEntry[], readonly Uint8Array[]])[])
    it(`is ${note}`, async () => {
      for (const keepFrames of [true, false]) assert.ok((await encoded(entries, keepFrames)).equals(tarOf(...parts)))
    })

  it('has streams behind their owner, with its mode', async () => {
    const expected = (entry: FileEntry | DirectoryEntry, body: Uint8Array, mode: number) =>
      tarOf(
        headerOf(entry),
        body,
        streamHeader(mode, 's', 6),
        inBlocks(Buffer.from('stream')),
        streamHeader(mode, 'o', 6),
        inBlocks(Buffer.from('opened')),
      )
    assert.ok((await encoded([{...A, ...streams()}])).equals(expected(A, inBlocks(Buffer.from('five!')), 0o100000)))
    const dir = folder('Files/a')
    assert.ok((await encoded([{...dir, ...streams()}])).equals(expected(dir, Buffer.alloc(0), 0o40000)))
    const bare = file('Files/a', undefined)
    assert.ok((await encoded([{...bare, ...streams()}])).equals(expected(bare, Buffer.alloc(0), 0)))
  })

  it('spells out holes', async () => {
    const content: Content = {
      ...opened(`ab${'\0'.repeat(8)}`),
      ranges: [{offset: 0, length: 2}],
      openRanges: () => opened('ab').open(),
    }
    const entry = file('Files/s', content)
    assert.ok((await encoded([entry])).equals(tarOf(headerOf(entry), inBlocks(Buffer.from(`ab${'\0'.repeat(8)}`)))))
  })

  for (const [bytes, size] of [
    ['five!', 4],
    ['five!', 6],
    ['', 1],
    ['x', 0],
  ] as const)
    it(`is refused where content of ${size} bytes has ${bytes.length}`, async () => {
      assert.equal((await lateFaultOf(encoded([file('Files/a', opened(bytes, size))]))).code, 'SIZE_MISMATCH')
    })

  it('comes in pieces of up to 256 KiB, large ones as they are', async () => {
    const limit = 256 * 1024
    const large = Buffer.alloc(limit, 'L')
    const smaller = Buffer.alloc(limit - 1, 's')
    const entries = [
      text('Files/a', 'x'),
      file('Files/large', contentOf(large)),
      file('Files/smaller', contentOf(smaller)),
      text('Files/z', 'z'),
    ]
    const sizes: number[] = []
    let isSame = false
    for await (const piece of encodeLayerTar(streamOf(...entries), {keepFrames: false})) {
      assert.ok(piece.byteLength > 0 && piece.byteLength <= limit)
      isSame ||= piece === large
      sizes.push(piece.byteLength)
    }
    assert.equal(isSame, true)
    const header = headerOf(entries[0]!).byteLength
    assert.deepEqual(sizes.slice(0, 2), [header + 512 + headerOf(entries[1]!).byteLength, limit])
    assert.equal(sizes.length, 5)
  })

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new RangeError('enough'))
    await assert.rejects(collect(encodeLayerTar(streamOf<LayerEntry>(A), {keepFrames: false, signal})), RangeError)
  })
})

describe('what a layer tar cannot hold', () => {
  const SYMLINK = encodeReparsePoint({kind: 'symlink', target: 't'})
  const losses = async (entry: LayerEntry, keepFrames: boolean) => {
    const events: WorkEvent[] = []
    const tar = await collect(encodeLayerTar(streamOf(entry), {keepFrames, onEvent: (event) => events.push(event)}))
    return {
      told: events.map((event) => (event.kind === 'loss' ? `${event.code} ${event.subject}` : event.kind)),
      tar,
    }
  }
  const streams = () => ({streams: streamOf<AlternateStream>({name: 's', content: contentOf(Buffer.from('x'))})})
  const attributes = (name: string) => ({meta: {...META, extendedAttributes: [{name, flags: 0, value: Buffer.of(1)}]}})
  const linked = {meta: {...META, reparsePoint: SYMLINK}}
  for (const [note, make, told, kept = told] of [
    ['nothing of a file', () => text('Files/a', 'x'), []],
    ['content of a link', () => text('Files/a', 'x', linked), ['link-content Files/a']],
    ['content of a link that has to be opened', () => file('Files/a', opened('x'), linked), ['link-content Files/a']],
    ['no content of an empty link', () => text('Files/a', '', linked), []],
    ['streams without data', () => folder('Files/a', streams()), ['stream-without-data Files/a:s'], []],
    [
      'streams of a file without data',
      () => file('Files/a', undefined, streams()),
      ['stream-without-data Files/a:s'],
      [],
    ],
    ['no streams of an empty file', () => text('Files/a', '', streams()), []],
    [
      'attributes that no record can name',
      () => text('Files/a', 'x', attributes('a=b')),
      ['attribute-name Files/a'],
      [],
    ],
    [
      'the same of what has to be opened',
      () => file('Files/a', opened('x'), attributes('a=b')),
      ['attribute-name Files/a'],
      [],
    ],
    ['no attributes that a record can name', () => text('Files/a', 'x', attributes('a.b')), []],
    [
      'a deletion in a folder that is not there',
      () => ({kind: 'tombstone', path: at('Files/a'), frame: {layout: Buffer.of(1)}}),
      ['deletion-without-folder Files/a'],
      [],
    ],
    ['no deletion else', () => ({kind: 'tombstone', path: at('Files/a')}), []],
  ] as const satisfies readonly (readonly [string, () => LayerEntry, readonly string[], (readonly string[])?])[])
    it(`is told: ${note}`, async () => {
      assert.deepEqual((await losses(make(), false)).told, told)
      assert.deepEqual((await losses(make(), true)).told, kept)
    })

  it('is left out', async () => {
    const entry = text('Files/a', 'x', linked)
    assert.ok((await losses(entry, false)).tar.equals(tarOf(headerOf(entry))))
    assert.ok(
      (await losses({kind: 'tombstone', path: at('Files/a'), frame: {layout: Buffer.of(1)}}, false)).tar.equals(
        RAW_END,
      ),
    )
    assert.ok((await losses(folder('Files/a', streams()), false)).tar.equals(tarOf(headerOf(folder('Files/a')))))
  })

  it('is told nobody who does not listen', async () => {
    assert.ok((await encoded([text('Files/a', 'x', linked)], false)).byteLength > 0)
  })
})

describe('forms in a layer tar that is written', () => {
  const content = {kind: 'content'} as const
  const form = (body: FramedBody, before?: Uint8Array) => ({frame: {archive: formOf(HEADER, body, before)}})
  const mapped = (...ranges: readonly SparseRange[]) => form({kind: 'sparse', mapBytes: Buffer.from('map'), ranges})
  const inline = (body: string) => ({kind: 'inline', bytes: Buffer.from(body)}) as const

  for (const [note, entry, parts] of [
    ['the header of a file', text('Files/a', 'five', form(content)), [HEADER, inBlocks(Buffer.from('five'))]],
    [
      'the header of a file that has to be opened',
      file('Files/a', opened('five'), form(content)),
      [HEADER, inBlocks(Buffer.from('five'))],
    ],
    ['the body of what has none', folder('Files/a', form(inline('body'))), [HEADER, inBlocks(Buffer.from('body'))]],
    ['the body of an empty file', text('Files/a', '', form(inline('body'))), [HEADER, inBlocks(Buffer.from('body'))]],
    [
      'a whiteout',
      {kind: 'tombstone', path: at('Files/a'), ...form(inline('x'))},
      [HEADER, inBlocks(Buffer.from('x'))],
    ],
    ['an opaque folder', {kind: 'opaque', path: at('Files/a'), ...form(inline(''))}, [HEADER]],
    [
      'a hard link',
      {kind: 'hard-link', path: at('Files/a'), target: at('Files/t'), meta: META, ...form(inline(''))},
      [HEADER],
    ],
    ['content of what has none', folder('Files/a', form(content)), [HEADER]],
    ['outer bytes', member(HEADER, 'abcd'), [HEADER, inBlocks(Buffer.from('abcd'))]],
    ['a global header', raw('global', paxMember([['comment', 'x']], 'g')), [paxMember([['comment', 'x']], 'g')]],
    [
      'a sparse file',
      file('Files/a', sparse(10, [{offset: 2, length: 3}], 'abc'), mapped({offset: 2, length: 3})),
      [HEADER, inBlocks(Buffer.from('mapabc'))],
    ],
    [
      'a sparse file whose holes are spelt out',
      text('Files/a', '\0\0abc\0', mapped({offset: 2, length: 3})),
      [HEADER, inBlocks(Buffer.from('mapabc'))],
    ],
    ['a sparse file without data', file('Files/a', undefined, mapped()), [HEADER, inBlocks(Buffer.from('map'))]],
  ] as const satisfies readonly (readonly [string, LayerEntry, readonly Uint8Array[]])[])
    it(`are replayed: ${note}`, async () => {
      assert.ok((await encoded([entry])).equals(tarOf(...parts)))
    })

  it('are passed over where they are not to be kept', async () => {
    const entries = [
      raw('global', paxMember([['comment', 'x']], 'g')),
      text('Files/a', 'five', form(content)),
      member(HEADER, 'abcd'),
      raw('end', Buffer.from('x')),
    ]
    assert.ok(
      (await encoded(entries, false)).equals(tarOf(headerOf(text('Files/a', 'five')), inBlocks(Buffer.from('five')))),
    )
  })

  const A = text('Files/a', 'five!')
  const padding = Buffer.alloc(507, '#')
  const spelt = [headerOf(A), Buffer.from('five!')]
  for (const [note, entries, expected] of [
    ['padding', [A, raw('padding', padding), folder('Files/d')], tarOf(...spelt, padding, headerOf(folder('Files/d')))],
    [
      'padding in front of a stream',
      [
        {
          ...A,
          streams: streamOf<AlternateStream>({name: 's', content: contentOf(Buffer.of()), ...form(content, padding)}),
        },
      ],
      tarOf(...spelt, padding, HEADER),
    ],
    [
      'padding behind outer bytes',
      [member(HEADER, 'five!'), raw('padding', padding)],
      tarOf(HEADER, Buffer.from('five!'), padding),
    ],
    [
      'bytes behind the end',
      [A, raw('end', Buffer.from('one')), raw('end', Buffer.from('two'))],
      tarOf(...spelt, Buffer.alloc(507), RAW_END, Buffer.from('onetwo')).subarray(0, -1024),
    ],
    ['a short end', [A, raw('short-end', Buffer.alloc(700))], Buffer.concat([...spelt, Buffer.alloc(507 + 700)])],
    ['a short padding', [A, raw('short-padding', Buffer.alloc(100))], Buffer.concat([...spelt, Buffer.alloc(100)])],
    [
      'a short padding longer than what is left',
      [folder('Files/d'), raw('short-padding', Buffer.alloc(100))],
      headerOf(folder('Files/d')),
    ],
    [
      'an end behind a short end',
      [raw('short-end', Buffer.alloc(100)), raw('end', Buffer.from('x'))],
      Buffer.concat([Buffer.alloc(100), Buffer.from('x')]),
    ],
  ] as const satisfies readonly (readonly [string, readonly LayerEntry[], Uint8Array])[])
    it(`are replayed in their place: ${note}`, async () => {
      assert.ok((await encoded(entries)).equals(expected))
    })

  const bodied = (body: FramedBody, content: string) => [text('Files/a', content, form(body))]
  for (const [note, entries] of [
    ['padding behind nothing', [raw('padding', padding)]],
    ['padding that is too long', [A, raw('padding', Buffer.alloc(508))]],
    ['padding that is too short', [A, raw('padding', Buffer.alloc(506))]],
    ['padding in front of what is no stream', [folder('Files/d', form(content, padding))]],
    ['a member in place of a global header', [raw('global', HEADER)]],
    [
      'raw bytes for an entry',
      [{...A, frame: {archive: encodeArchiveFrame({kind: 'raw', place: 'end', bytes: HEADER})}}],
    ],
    ['an entry behind the end', [raw('end', Buffer.of(1)), A]],
    ['an entry that has to be opened, behind the end', [raw('end', Buffer.of(1)), file('Files/a', opened('x'))]],
    ['a folder behind a short end', [raw('short-end', Buffer.alloc(9)), folder('Files/d')]],
    ['a folder behind a short padding', [A, raw('short-padding', Buffer.alloc(9)), folder('Files/d')]],
    ['outer bytes behind the end', [raw('end', Buffer.of(1)), member(HEADER, 'x')]],
    ['a short end behind the end', [raw('end', Buffer.of(1)), raw('short-end', Buffer.of(0))]],
    ['a global header behind the end', [raw('end', Buffer.of(1)), raw('global', paxMember([['comment', 'x']], 'g'))]],
    ['a short end that is none', [raw('short-end', Buffer.of(1))]],
    ['bytes in place of content', bodied(inline('evil'), 'five')],
    ['outer bytes with content', [{kind: 'frame', frame: {archive: formOf(HEADER, content)}}]],
    [
      'data between the ranges',
      bodied({kind: 'sparse', mapBytes: Buffer.of(), ranges: [{offset: 0, length: 1}]}, 'xx'),
    ],
  ] as const satisfies readonly (readonly [string, readonly LayerEntry[]])[])
    it(`are refused in another place: ${note}`, async () => {
      assert.equal((await lateFaultOf(encoded(entries))).code, 'RECIPE_CORRUPT')
    })

  it('are refused where they are none', async () => {
    assert.equal(
      (await lateFaultOf(encoded([{kind: 'frame', frame: {archive: Buffer.of(99)}}]))).code,
      'RECIPE_CORRUPT',
    )
    assert.ok((await encoded([{kind: 'frame', frame: {}}])).equals(RAW_END))
  })

  for (const [bytes, size] of [
    ['abc', 9],
    ['abcdefghij', 9],
  ] as const)
    it(`are refused for a sparse file of ${size} bytes that has ${bytes.length}`, async () => {
      const entry = file('Files/a', opened(bytes, size), mapped({offset: 0, length: 10}))
      assert.equal((await lateFaultOf(encoded([entry]))).code, 'SIZE_MISMATCH')
    })
})

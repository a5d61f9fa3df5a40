import assert from 'node:assert/strict'
import {encodeArchiveFrame, type ArchiveFrame} from '../../../src/codecs/layer-tar/archive-frame.js'
import {canonicalHeader} from '../../../src/codecs/layer-tar/canonical-header.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {rebuiltTar} from '../../../src/formats/layer-blob/rebuilt-tar.js'
import {contentOf} from '../../../src/model/content.js'
import type {AlternateStream, DirectoryEntry, FileEntry, LayerEntry} from '../../../src/model/layer-entry.js'
import {collect} from '../../helpers/bytes.js'
import {directoryEntry, linkEntry} from '../../helpers/file-system-model.js'
import {fileOf} from '../../helpers/layer-archives.js'
import {rawHeader, rawMember} from '../../helpers/raw-tar.js'
import {assertRejects} from '../../helpers/told.js'

const FOLDER = directoryEntry('Files') as DirectoryEntry
const FILE = fileOf('Files/a.txt', 'text')

const failedWith = async (error: unknown) => {
  await Promise.resolve()
  throw error
}

async function* given<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item)
}

const framed = <T extends LayerEntry>(entry: T, frame: ArchiveFrame): T => ({
  ...entry,
  frame: {archive: encodeArchiveFrame(frame)},
})
/** The entry with the header that another one has. */
const spelt = <T extends LayerEntry>(entry: T, as: FileEntry | DirectoryEntry): T =>
  framed(entry, {kind: 'member', header: canonicalHeader(as, true), body: {kind: 'content'}})
const PADDING = {
  kind: 'frame',
  frame: {archive: encodeArchiveFrame({kind: 'raw', place: 'end', bytes: Buffer.alloc(512)})},
} as const
const streams = (...names: readonly string[]) => ({
  streams: given(names.map((name): AlternateStream => ({name, content: contentOf(Buffer.from(name))}))),
})

/** What comes out of it, and the error that ends it. */
async function rebuilt(entries: readonly LayerEntry[]): Promise<{bytes: Buffer; error: unknown}> {
  const chunks: Buffer[] = []
  let error: unknown
  try {
    for await (const chunk of rebuiltTar(given(entries), {})) chunks.push(Buffer.from(chunk))
  } catch (thrown) {
    error = thrown
  }
  return {bytes: Buffer.concat(chunks), error}
}

describe('a tar that a recipe makes', () => {
  const asWritten = (entries: readonly LayerEntry[]) => collect(encodeLayerTar(given(entries), {keepFrames: true}))

  for (const [note, make] of [
    ['nothing', () => []],
    ['entries without forms', () => [FOLDER, FILE, linkEntry('Files/b.txt', 'Files/a.txt')]],
    ['entries with the forms that they have', () => [spelt(FOLDER, FOLDER), spelt(FILE, FILE)]],
    [
      'streams',
      () => [FOLDER, {...FILE, ...streams('one', 'two')}, spelt(fileOf('Files/c', 'c'), fileOf('Files/c', 'c'))],
    ],
    ['streams of a folder', () => [{...FOLDER, ...streams('one')}, spelt(FILE, FILE)]],
    ['zeros behind its end', () => [FOLDER, FILE, PADDING]],
  ] as const satisfies readonly (readonly [string, () => LayerEntry[]])[])
    it(`is what its entries say: ${note}`, async () => {
      const {bytes, error} = await rebuilt(make())
      assert.equal(error, undefined)
      assert.ok(bytes.equals(await asWritten(make())))
    })

  for (const [note, entries, says] of [
    ['another name', [FOLDER, spelt(FILE, fileOf('Files/b.txt', 'text'))], ['Files/a.txt', 'Files/b.txt']],
    [
      'another kind',
      [FOLDER, spelt(fileOf('Files/a.txt', ''), directoryEntry('Files/a.txt') as DirectoryEntry)],
      ['directory', 'file'],
    ],
    ['another size', [FOLDER, spelt(FILE, fileOf('Files/a.txt', 'texts'))], []],
    ['other attributes', [FOLDER, spelt(FILE, fileOf('Files/a.txt', 'text', 0x21))], ['Files/a.txt']],
    [
      'another target of a link',
      [
        FOLDER,
        FILE,
        framed(linkEntry('Files/b.txt', 'Files/a.txt'), {
          kind: 'member',
          header: rawHeader({name: 'Files/b.txt', type: '1', linkname: 'Files/c.txt'}),
          body: {kind: 'inline', bytes: Buffer.alloc(0)},
        }),
      ],
      ['Files/b.txt', 'Files/c.txt', 'Files/a.txt'],
    ],
    [
      'a file that is not in the payload',
      [
        FOLDER,
        FILE,
        {
          kind: 'frame',
          frame: {
            archive: encodeArchiveFrame({
              kind: 'member',
              header: rawHeader({name: 'Files/evil.exe', size: 2}),
              body: {kind: 'inline', bytes: Buffer.from('MZ')},
            }),
          },
        },
      ],
      ['Files/evil.exe'],
    ],
    [
      'an end in front of a file of the payload',
      [
        FOLDER,
        {
          kind: 'frame',
          frame: {archive: encodeArchiveFrame({kind: 'raw', place: 'global', bytes: Buffer.alloc(1024)})},
        },
        FILE,
      ],
      [],
    ],
    [
      'a member in its header',
      [
        FOLDER,
        framed(FILE, {
          kind: 'member',
          header: Buffer.concat([rawMember({name: 'Files/evil.exe'}, 'MZ'), canonicalHeader(FILE, true)]),
          body: {kind: 'content'},
        }),
      ],
      ['Files/evil.exe'],
    ],
    [
      'another form of its content',
      [
        FOLDER,
        framed(FILE, {
          kind: 'member',
          header: canonicalHeader(FILE, true),
          body: {kind: 'sparse', mapBytes: Buffer.alloc(0), ranges: [{offset: 0, length: 4}]},
        }),
      ],
      ['Files/a.txt'],
    ],
  ] as const satisfies readonly (readonly [string, readonly LayerEntry[], readonly string[]])[])
    it(`is refused before it is whole, with what is wrong: ${note}`, async () => {
      const {bytes, error} = await rebuilt(entries)
      await assertRejects(failedWith(error), {code: 'RECIPE_CORRUPT', says, advises: true})
      const whole = await asWritten(entries).catch(() => undefined)
      assert.ok(whole === undefined || bytes.byteLength < whole.byteLength)
    })

  it('is refused where a stream has the name of another', async () => {
    const header = Buffer.from(canonicalHeader(fileOf('Files/a.txt_one', 'xxx'), true))
    const form = encodeArchiveFrame({
      kind: 'member',
      header: withName(header, 'Files/a.txt:one'),
      body: {kind: 'content'},
    })
    for (const [name, content, says] of [
      ['one', 'xxx', undefined],
      ['two', 'xxx', ['Files/a.txt:one']],
    ] as const) {
      const stream: AlternateStream = {name, content: contentOf(Buffer.from(content)), frame: {archive: form}}
      const {error} = await rebuilt([FOLDER, {...FILE, streams: given([stream])}])
      if (says === undefined) assert.equal(error, undefined)
      else await assertRejects(failedWith(error), {code: 'RECIPE_CORRUPT', says})
    }
  })

  /** The header with another name in its last block. */
  function withName(header: Buffer, name: string): Buffer {
    const copy = Buffer.from(header)
    const at = copy.byteLength - 512
    copy.fill(0, at, at + 100)
    copy.write(name, at, 'latin1')
    copy.fill(' ', at + 148, at + 156)
    const sum = copy.subarray(at).reduce((total, byte) => total + byte, 0)
    copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
    return copy
  }

  it('passes a failure of its source on', async () => {
    const failure = new Error('the disk fails')
    async function* failing(): AsyncGenerator<LayerEntry> {
      yield spelt(FOLDER, FOLDER)
      await Promise.reject(failure)
    }
    await assert.rejects(collect(rebuiltTar(failing(), {})), (error) => error === failure)
  })
})

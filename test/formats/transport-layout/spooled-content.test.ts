import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {TransportLayout} from '../../../src/formats/transport-layout/read-layout.js'
import {writeLayout} from '../../../src/formats/transport-layout/write-layout.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const DATA = 1
const ALTERNATE = 4

function streamOf(id: number, name: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(20)
  const spelt = Buffer.from(name, 'utf16le')
  header.writeUInt32LE(id, 0)
  header.writeBigUInt64LE(BigInt(body.byteLength), 8)
  header.writeUInt32LE(spelt.byteLength, 16)
  return Buffer.concat([header, spelt, body])
}

const ATTRIBUTES = Buffer.from('20000000', 'hex')
/** Too large for one buffer, so that it stays a file until its place comes. */
const CONTENT = Buffer.alloc(3 * 1024 * 1024, 'content ')
/** Its content stands behind a stream, and entries have the content first. */
const CARRIER = Buffer.concat([
  ATTRIBUTES,
  streamOf(ALTERNATE, ':mark:$DATA', Buffer.from('one')),
  streamOf(DATA, '', CONTENT),
])
/** Beside the carrier, a file called as a temporary file might be. */
const NAMES = ['late', 'late.~content', 'late~content.tmp', '~content.tmp']

type FileEntry = Extract<LayerEntry, {kind: 'file'}>

const fault = new Error('The source breaks.')

// eslint-disable-next-line @typescript-eslint/require-await -- a source that breaks, in the shape of one that does not
async function* broken(): AsyncGenerator<Uint8Array> {
  yield CONTENT.subarray(0, 4096)
  throw fault
}

const FAULTS: readonly {readonly title: string; readonly spoil: (entry: FileEntry) => FileEntry}[] = [
  {
    title: 'its content breaks',
    spoil: (entry) => ({...entry, content: {size: CONTENT.byteLength, open: broken}}),
  },
  {
    title: 'its streams cannot be begun',
    spoil: (entry) => ({
      ...entry,
      streams: {
        [Symbol.asyncIterator]() {
          throw fault
        },
      },
    }),
  },
  {
    title: 'its streams break',
    spoil: (entry) => ({
      ...entry,
      streams: {[Symbol.asyncIterator]: () => ({next: () => Promise.reject(fault)})},
    }),
  },
  {
    title: 'its streams cannot be left',
    spoil: (entry) => ({
      ...entry,
      streams: {
        [Symbol.asyncIterator]: () => {
          const inner = entry.streams![Symbol.asyncIterator]()
          return {next: () => inner.next(), return: () => Promise.reject(fault)}
        },
      },
    }),
  },
]

describe('content that waits for its place in a carrier', () => {
  const place = temporaryFolder()

  function entriesOf(spoil: (entry: FileEntry) => FileEntry = (entry) => entry): AsyncIterable<LayerEntry> {
    const root = mkdtempSync(path.join(place.path, 'source-'))
    for (const folder of ['Files', 'Hives']) mkdirSync(path.join(root, folder))
    for (const name of NAMES) writeFileSync(path.join(root, 'Files', name), CARRIER)
    const options = {title: 'source', form: 'delta', isPlain: false} as const
    const layout = new TransportLayout(new FolderFiles(root, 'source'), options)
    return (async function* () {
      for await (const entry of layout.entries()) yield entry.kind === 'file' ? spoil(entry) : entry
    })()
  }

  const OPTIONS = {title: 'target', form: 'delta', keepsRecipe: true, unkeptTimes: 'ignored'} as const

  function assertNothingWaits(root: string): void {
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith('~')),
      [],
    )
    if (process.platform !== 'linux') return
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return ''
      }
    })
    assert.deepEqual(
      open.filter((file) => file.startsWith(root)),
      [],
    )
  }

  it('comes back byte for byte, whatever the files beside are called', async () => {
    const root = mkdtempSync(path.join(place.path, 'target-'))
    await writeLayout(root, entriesOf(), OPTIONS)
    for (const name of NAMES) assert.ok(readFileSync(path.join(root, 'Files', name)).equals(CARRIER), name)
    assertNothingWaits(root)
  })

  for (const {title, spoil} of FAULTS) {
    it(`is closed and removed when ${title}`, async () => {
      const root = mkdtempSync(path.join(place.path, 'target-'))
      await assert.rejects(writeLayout(root, entriesOf(spoil), OPTIONS), fault)
      assertNothingWaits(root)
    })
  }
})

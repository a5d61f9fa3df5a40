import {mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {byteSourceOf} from '../../src/codecs/backup-stream/byte-source.js'
import {encodeTombstones} from '../../src/codecs/tombstones/tombstones.js'
import {FolderFiles} from '../../src/formats/transport-layout/folder-files.js'
import {PayloadIndex} from '../../src/formats/transport-layout/payload-index.js'
import {TransportLayout, type ReadLayoutOptions} from '../../src/formats/transport-layout/read-layout.js'
import {
  writeLayout,
  type WriteLayoutOptions,
  type WrittenLayout,
} from '../../src/formats/transport-layout/write-layout.js'
import type {WorkEvent} from '../../src/model/events.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'

/** A carrier of a file with this content, as Microsoft's importer writes it. */
export function carrierOf(content: string, attributes = 0x20): Buffer {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(attributes, 0)
  head.writeUInt32LE(1, 4)
  head.writeUInt32LE(Buffer.byteLength(content), 12)
  return Buffer.concat([head, Buffer.from(content)])
}

/** The sidecar of a folder. */
export const SIDECAR = Buffer.from('10000000', 'hex')

/** What lies at the top of a layout that holds nothing. */
export const TOPS = {
  'Files/': '',
  'Hives/': '',
  'Files.$wcidirs$': SIDECAR,
  'Hives.$wcidirs$': SIDECAR,
  'tombstones.txt': encodeTombstones([]),
}

/** Makes a folder below `within` with these files; a name that ends in `/` is a folder. */
export function folderWith(within: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = mkdtempSync(path.join(within, 'layout-'))
  for (const [name, bytes] of Object.entries(files)) {
    const file = path.join(root, name)
    mkdirSync(name.endsWith('/') ? file : path.dirname(file), {recursive: true})
    if (!name.endsWith('/')) writeFileSync(file, bytes)
  }
  return root
}

/** Gives files and folders a time, in seconds. */
export function touch(root: string, times: Readonly<Record<string, number>>): void {
  for (const [name, seconds] of Object.entries(times)) utimesSync(path.join(root, name), seconds, seconds)
}

export const indexOfText = (text: string | Uint8Array) => new PayloadIndex(byteSourceOf(Buffer.from(text)))

/** A layout in a folder; what it tells goes into `events`. */
export function layoutIn(root: string, options: Partial<ReadLayoutOptions> = {}) {
  const events: WorkEvent[] = []
  const layout = new TransportLayout(new FolderFiles(root, 'it'), {
    title: 'it',
    form: 'delta',
    isPlain: false,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return {layout, events}
}

/** Writes entries as a layout into a new folder below `within`. */
export async function layoutWith(
  within: string,
  entries: readonly LayerEntry[],
  options: Partial<WriteLayoutOptions> = {},
): Promise<WrittenLayout & {readonly root: string; readonly events: readonly WorkEvent[]; readonly indexText: string}> {
  const root = mkdtempSync(path.join(within, 'written-'))
  const events: WorkEvent[] = []
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* given(): AsyncGenerator<LayerEntry> {
    yield* entries
  }
  const written = await writeLayout(root, given(), {
    title: 'it',
    form: 'delta',
    keepsRecipe: false,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return {...written, root, events, indexText: Buffer.concat([...written.index.pieces()]).toString()}
}

/** What may be done to a layout in a folder. */
export type LayoutChange = (root: string) => void

export const changing =
  (name: string, change: (file: string) => void): LayoutChange =>
  (root) => {
    change(path.join(root, name))
  }
export const writing = (name: string, bytes: string | Uint8Array) =>
  changing(name, (file) => {
    mkdirSync(path.dirname(file), {recursive: true})
    writeFileSync(file, bytes)
  })
export const removing = (name: string) =>
  changing(name, (file) => {
    rmSync(file, {recursive: true})
  })

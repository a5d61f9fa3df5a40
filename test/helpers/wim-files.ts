import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import type {Content} from '../../src/model/content.js'
import type {TransshipError} from '../../src/model/errors.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {WimFile} from '../../src/transports/wim/wim-file.js'
import {readWimLayer} from '../../src/transports/wim/wim-layer.js'

/** A vector of test/vectors/wim. */
export function wimVector(name: string): string {
  return path.join('test/vectors/wim', name.includes('.') ? name : `${name}.wim`)
}

/** What a file says of one entry, in the terms of the listings of test/vectors/wim. */
export interface WimRow {
  path: string
  attr: number
  times: string[]
  sd: string | null
  /** SHA-256 by role: `data`, `reparse` (without its head), `:stream`; '' = empty; no empty data of a reparse point. */
  content: Record<string, string>
  link?: string
}

/** An entry as it comes out, `Files/…` as `/…`. A further name of a file has `link`, its first name. */
export async function rowOf(entry: LayerEntry, prefix = 'Files'): Promise<WimRow> {
  if (entry.kind !== 'file' && entry.kind !== 'directory' && entry.kind !== 'hard-link') throw new Error(entry.kind)
  const {attributes, times, securityDescriptor, reparsePoint} = entry.meta
  const content: Record<string, string> = {}
  if (reparsePoint !== undefined) content['reparse'] = sum(reparsePoint.subarray(8))
  const isLeftOut = reparsePoint !== undefined && entry.kind === 'file' && entry.content?.size === 0
  if (entry.kind === 'file' && entry.content !== undefined && !isLeftOut)
    content['data'] = await contentSum(entry.content)
  if (entry.kind !== 'hard-link' && entry.streams !== undefined)
    for await (const stream of entry.streams) content[`:${stream.name}`] = await contentSum(stream.content)
  return {
    path: entry.path.slice(prefix.length),
    attr: attributes,
    times: [times.creation, times.lastAccess, times.lastWrite].map(String),
    sd:
      securityDescriptor === undefined
        ? null
        : createHash('sha256').update(securityDescriptor).digest('hex').slice(0, 16),
    content,
    ...(entry.kind === 'hard-link' ? {link: entry.target.slice(prefix.length)} : {}),
  }
}

async function contentSum(content: Content): Promise<string> {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of content.open()) {
    hash.update(piece)
    size += piece.byteLength
  }
  if (size !== content.size) throw new Error(`${size} bytes came of ${content.size}`)
  return size === 0 ? '' : hash.digest('hex')
}

function sum(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Every entry of an image, and the faults of those that were left out. */
export async function readRows(file: string, index = 1): Promise<{rows: WimRow[]; faults: TransshipError[]}> {
  const wim = await WimFile.open(file)
  try {
    const rows: WimRow[] = []
    const faults: TransshipError[] = []
    const layer = readWimLayer(wim, {files: index}, {onFault: (fault) => faults.push(fault)})
    for await (const entry of layer) rows.push(await rowOf(entry))
    return {rows, faults}
  } finally {
    await wim.close()
  }
}

/** A listing, in the order of the layer: what an independent reader found. */
export function listedRows(name: string, image = 1): WimRow[] {
  const lines = readFileSync(path.join('test/vectors/wim/listings', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
  const firsts = new Map<number, string>()
  return lines
    .map((line) => {
      const row = JSON.parse(line) as {
        path: string
        attr: string
        sd: string | null
        content: Record<string, string>
        link?: number
        image: number
      }
      // FILETIMEs are larger than what JSON.parse keeps exact.
      const times = (/"times": \[([^\]]*)\]/.exec(line)?.[1] ?? '').split(', ')
      return {...row, times}
    })
    .filter((row) => row.image === image)
    .sort((left, right) => Buffer.compare(walkKey(left.path), walkKey(right.path)))
    .map(({path: place, attr, sd, content, link, times}) => {
      const first = link === undefined ? undefined : firsts.get(link)
      if (link !== undefined && first === undefined) firsts.set(link, place)
      const isReparse = 'reparse' in content
      const kept = Object.entries(content).filter(([role, hash]) => !(isReparse && role === 'data' && hash === ''))
      return {
        path: place,
        attr: Number(attr),
        times,
        sd,
        content: first === undefined ? Object.fromEntries(kept) : {},
        ...(first === undefined ? {} : {link: first}),
      }
    })
}

/** Folders before what is in them, names in the order of their UTF-8 bytes. */
function walkKey(place: string): Buffer {
  return Buffer.from(place.replaceAll('/', '\0'))
}

/** A Windows image file whose metadata can be changed: nothing in it is compressed. */
export interface EditableWim {
  /** The metadata of its image, as they are stored. */
  readonly tree: Buffer
  /** The file with other metadata of the same size, behind their right SHA-1. */
  readonly withTree: (tree: Uint8Array) => Buffer
}

export async function editableWim(): Promise<EditableWim> {
  const file = readFileSync(wimVector('none'))
  const opened = await WimFile.open(wimVector('none'))
  const stored = await opened.readWhole(opened.table.images[0]!, {title: 'metadata', limit: 2 ** 24})
  await opened.close()
  const hash = createHash('sha1').update(stored).digest()
  const at = file.indexOf(stored)
  // Two names that differ in case alone are refused before anything else is read.
  const tree = Buffer.from(stored)
  tree.write('CASF.TXT', tree.indexOf('CASE.TXT', 0, 'utf16le'), 'utf16le')
  return {
    tree,
    withTree(changed) {
      const made = Buffer.from(file)
      made.set(changed, at)
      // Without the integrity table, whose place is in the head: it would tell of every change.
      made.fill(0, 124, 148)
      const sum = createHash('sha1').update(changed.subarray(0, tree.byteLength)).digest()
      for (let found = made.indexOf(hash); found >= 0; found = made.indexOf(hash, found + 1)) sum.copy(made, found)
      return made
    },
  }
}

import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {copyFileSync, existsSync, mkdirSync, truncateSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {Content} from '../../src/model/content.js'
import {wim} from '../../src/transports/wim/wim.js'
import {WimFile} from '../../src/transports/wim/wim-file.js'
import {readWimLayer} from '../../src/transports/wim/wim-layer.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {wimVector} from '../helpers/wim-files.js'

/** What wimlib and we say of one entry. Contents by role, SHA-1; a link has those of its first name. */
interface Row {
  readonly path: string
  readonly attributes: number
  readonly descriptor: string
  /** Creation, write, access; seconds, as wimlib prints them. */
  readonly seconds: readonly number[]
  readonly contents: Readonly<Record<string, string>>
  /** The paths of one file, in the order of the walk. */
  readonly names: readonly string[]
}

const NOTHING = '0'.repeat(40)

/** `wimlib-imagex dir --detailed`, parsed. */
function judged(file: string, index: number, references: readonly string[]): Row[] {
  const text = runTool('wimlib-imagex', ['dir', file, String(index), '--detailed', ...references])
  const groups = new Map<string, string[]>()
  const rows = text
    .split(/^-{70,}$/m)
    .filter((block) => block.includes('Full Path'))
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name} *= (.*)$`, 'm').exec(block)?.[1] ?? ''
      const place = /^Full Path *= "(.*)"$/m.exec(block)?.[1] ?? ''
      const attributes = Number(field('Attributes'))
      const group = field('Link Group ID')
      const contents: Record<string, string> = {}
      for (const [, role = '', hash = ''] of block.matchAll(/^\t(.*):\nHash *= 0x([0-9a-f]{40})$/gm)) {
        const named = /^Named data stream "(.*)"$/.exec(role)?.[1]
        const key = named !== undefined ? `:${named}` : role === 'Reparse point stream' ? 'reparse' : 'data'
        contents[key] = hash
      }
      const isData = (attributes & 0x10) === 0 && !('reparse' in contents)
      if ('data' in contents && !isData && (contents['data'] === NOTHING || (attributes & 0x10) !== 0))
        delete contents['data']
      if (isData) contents['data'] ??= NOTHING
      const row = {
        path: place === '/' ? '' : place,
        attributes,
        descriptor: field('Security Descriptor'),
        seconds: ['Creation Time', 'Last Write Time', 'Last Access Time'].map((name) => Date.parse(field(name)) / 1000),
        contents,
        group: /^0x0*$/.test(group) || group === '' ? '' : `${group} ${JSON.stringify(contents)}`,
      }
      if (row.group !== '') groups.set(row.group, [...(groups.get(row.group) ?? []), row.path])
      return row
    })
  return rows
    .map(({group, ...row}) => ({
      ...row,
      names: group === '' ? [row.path] : [...(groups.get(group) ?? [])].sort(compareTexts),
    }))
    .sort(byPath)
}

function byPath(left: {readonly path: string}, right: {readonly path: string}): number {
  return Buffer.compare(Buffer.from(left.path), Buffer.from(right.path))
}

async function ours(file: string, index: number): Promise<Row[]> {
  const opened = await WimFile.open(file)
  try {
    const rows: Row[] = []
    const names = new Map<string, string[]>()
    for await (const entry of readWimLayer(opened, {files: index})) {
      if (entry.kind !== 'file' && entry.kind !== 'directory' && entry.kind !== 'hard-link') throw new Error(entry.kind)
      const place = entry.path.slice('Files'.length)
      const contents: Record<string, string> = {}
      const {attributes, times, securityDescriptor, reparsePoint} = entry.meta
      if (reparsePoint !== undefined) contents['reparse'] = sum(reparsePoint.subarray(8))
      // wimlib does not list the data under a reparse point; the listings of the vectors have them.
      if (entry.kind === 'file' && entry.content !== undefined && reparsePoint === undefined)
        contents['data'] = await contentSum(entry.content)
      if (entry.kind !== 'hard-link')
        for await (const stream of entry.streams ?? []) contents[`:${stream.name}`] = await contentSum(stream.content)
      const first = entry.kind === 'hard-link' ? entry.target.slice('Files'.length) : place
      const all = names.get(first) ?? []
      names.set(first, all)
      all.push(place)
      rows.push({
        path: place,
        attributes,
        descriptor: Buffer.from(securityDescriptor ?? []).toString('hex'),
        seconds: [times.creation, times.lastWrite, times.lastAccess].map(
          (time) => Number(time / 10_000_000n) - 11_644_473_600,
        ),
        contents: entry.kind === 'hard-link' ? (rows.find((row) => row.path === first)?.contents ?? {}) : contents,
        names: all,
      })
    }
    return rows.sort(byPath).map((row) => ({...row, names: [...row.names].sort(compareTexts)}))
  } finally {
    await opened.close()
  }
}

const compareTexts = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))

function sum(bytes: Uint8Array): string {
  return bytes.byteLength === 0 ? NOTHING : createHash('sha1').update(bytes).digest('hex')
}

async function contentSum(content: Content): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of content.open()) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  assert.equal(bytes.byteLength, content.size)
  return sum(bytes)
}

const capture = (...options: string[]) => ({how: 'capture', options}) as const
const exported = (...options: string[]) => ({how: 'export', options}) as const
const split = (mebibytes: string, from: string) => ({how: 'split', options: [mebibytes], from}) as const

/** Files that wimlib makes of one NTFS volume, and of files made before. */
const FILES: readonly {
  readonly name: string
  readonly made: {
    readonly how: 'capture' | 'export' | 'split'
    readonly options: readonly string[]
    readonly from?: string
  }
}[] = [
  {name: 'none.wim', made: capture('--compress=none')},
  {name: 'none-checked.wim', made: capture('--compress=none', '--check')},
  {name: 'none-pipable.wim', made: exported('--compress=none', '--pipable')},
  {name: 'xpress.wim', made: capture('--compress=fast')},
  {name: 'xpress-8k.wim', made: capture('--compress=XPRESS', '--chunk-size=8192')},
  {name: 'xpress-16k.wim', made: capture('--compress=XPRESS', '--chunk-size=16384', '--check')},
  {name: 'xpress-64k.wim', made: exported('--compress=XPRESS', '--chunk-size=65536')},
  {name: 'xpress-pipable.wim', made: exported('--compress=XPRESS', '--pipable', '--check')},
  {name: 'lzx.wim', made: capture('--compress=LZX')},
  {name: 'lzx-most.wim', made: capture('--compress=LZX:100', '--check')},
  {name: 'lzx-least.wim', made: capture('--compress=LZX:1')},
  {name: 'lzx-64k.wim', made: exported('--compress=LZX', '--chunk-size=65536')},
  {name: 'lzx-256k.wim', made: exported('--compress=LZX', '--chunk-size=262144')},
  {name: 'lzx-2m.wim', made: exported('--compress=LZX', '--chunk-size=2097152')},
  {name: 'lzx-pipable.wim', made: exported('--compress=LZX', '--pipable')},
  {name: 'lzx-pipable-128k.wim', made: exported('--compress=LZX', '--pipable', '--chunk-size=131072')},
  {name: 'no-acls.wim', made: capture('--no-acls')},
  {name: 'norpfix.wim', made: capture('--norpfix')},
  {name: 'solid-lzx.wim', made: exported('--solid', '--solid-compress=LZX', '--compress=LZX')},
  {
    name: 'solid-xpress.wim',
    made: exported('--solid', '--solid-compress=XPRESS', '--solid-chunk-size=16384', '--compress=XPRESS'),
  },
  {name: 'split-lzx.swm', made: split('0.03', 'lzx.wim')},
  {name: 'split-none.swm', made: split('0.05', 'none.wim')},
]

describe('Windows image files, wimlib the judge', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()
  const inFolder = (name: string) => path.join(folder.path, name)
  let volume = ''

  before(function () {
    const context = {test: this.test, skip: () => this.skip()} as unknown as Mocha.Context
    for (const tool of ['wimlib-imagex', 'mkntfs']) requireTool(context, tool)
    // The tree of the vectors, on a volume: so that all that NTFS keeps is captured anew.
    const tree = inFolder('tree.wim')
    copyFileSync(wimVector('lzx-new'), tree)
    runTool('wimlib-imagex', ['update', tree, '1', '--command=delete /Case.txt'])
    volume = inFolder('volume.img')
    writeFileSync(volume, '')
    truncateSync(volume, 16 * 2 ** 20)
    runTool('mkntfs', ['-Q', '-F', '-q', volume])
    runTool('wimlib-imagex', ['apply', tree, '1', volume])
  })

  const make = (name: string): string => {
    const file = inFolder(name)
    const found = FILES.find((row) => row.name === name)
    if (existsSync(file) || found === undefined) return file
    const {how, options, from} = found.made
    if (how === 'capture') runTool('wimlib-imagex', ['capture', volume, file, 'GOLD', ...options])
    else if (how === 'export') runTool('wimlib-imagex', ['export', make('none.wim'), '1', file, ...options])
    else runTool('wimlib-imagex', ['split', make(from ?? ''), file, ...options])
    return file
  }

  for (const {name} of FILES)
    it(`both say the same of ${name}`, async () => {
      const file = make(name)
      const references = name.endsWith('.swm') ? [`--ref=${file.replace(/\.swm$/, '*.swm')}`] : []
      const expected = judged(file, 1, references)
      assert.ok(expected.length > 40)
      assert.deepEqual(await ours(file, 1), expected)
      assert.deepEqual((await wim.verify({transport: 'wim', path: file}, {})).faults, [])
    })

  it('both say the same of two images in one file, which share contents', async () => {
    const file = inFolder('two.wim')
    const more = inFolder('more')
    mkdirSync(path.join(more, 'folder'), {recursive: true})
    writeFileSync(path.join(more, 'folder', 'file.txt'), 'x'.repeat(100_000))
    copyFileSync(make('none.wim'), file)
    runTool('wimlib-imagex', ['append', more, file, 'MORE'])
    for (const index of [1, 2]) assert.deepEqual(await ours(file, index), judged(file, index, []))
    const items = await wim.list({transport: 'wim', path: file}, {})
    assert.deepEqual(
      items.map(({names}) => names),
      [['GOLD'], ['MORE']],
    )
  })

  it('a file of many chunks, with offsets of its own', async () => {
    const file = inFolder('large.wim')
    const more = inFolder('large')
    mkdirSync(more)
    // Words in an order that does not repeat: neither raw chunks nor one long match.
    let text = ''
    for (let number = 1; text.length < 2 ** 20; number = (number * 48_271) % 0x7fffffff)
      text += `${(number % 5000).toString(36)} `
    writeFileSync(path.join(more, 'words.txt'), text)
    writeFileSync(
      path.join(more, 'calls.bin'),
      Buffer.from(text).map((byte, index) => (index % 7 === 0 ? 0xe8 : byte % 16)),
    )
    for (const options of [
      ['--compress=LZX'],
      ['--compress=XPRESS'],
      ['--compress=LZX', '--chunk-size=1048576'],
      ['--compress=LZX', '--pipable'],
    ]) {
      runTool('wimlib-imagex', ['capture', more, file, ...options])
      assert.deepEqual(await ours(file, 1), judged(file, 1, []), options.join(' '))
      spawnSync('rm', [file])
    }
  })
})

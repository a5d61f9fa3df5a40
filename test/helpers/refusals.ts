import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync} from 'node:fs'
import path from 'node:path'
import {pack, type Header} from 'tar-stream'
import {convert} from '../../src/convert/convert.js'
import type {ConvertOptions} from '../../src/convert/options.js'
import {TransshipError} from '../../src/model/errors.js'
import {collect} from './bytes.js'

/** Everything below a folder: names, kinds, modes, bytes and write times, so that two looks can be held together. */
export function lookAt(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of (readdirSync(folder, {recursive: true}) as string[]).sort()) {
    const file = path.join(folder, name)
    const stats = lstatSync(file, {bigint: true})
    const mode = (stats.mode & 0o777n).toString(8)
    if (stats.isFile()) {
      const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
      found[name] = `file ${mode} ${stats.mtimeNs} ${digest}`
    } else found[name] = stats.isSymbolicLink() ? `link ${readlinkSync(file)}` : `folder ${mode}`
  }
  return found
}

/** A member of a hand-built layer: a body, or a link. */
export type LayerMember = readonly [
  name: string,
  body: string | {readonly hardLink: string} | {readonly symlink: string},
]

/** A layer tar with exactly these members, in this order, however unsafe their names. */
export async function layerOf(members: readonly LayerMember[]): Promise<Buffer> {
  const tar = pack()
  for (const [name, body] of members) {
    const header: Partial<Header> & {name: string} = {name, mtime: new Date(1_700_000_000_000), mode: 0o644}
    if (typeof body === 'string') {
      if (name.endsWith('/')) tar.entry({...header, type: 'directory'})
      else tar.entry(header, body)
    } else if ('hardLink' in body) tar.entry({...header, type: 'link', linkname: body.hardLink})
    else tar.entry({...header, type: 'symlink', linkname: body.symlink})
  }
  tar.finalize()
  return collect(tar as AsyncIterable<Uint8Array>)
}

export interface Target {
  readonly title: string
  /** Makes what is there before, in an empty folder; gives the reference to write to. */
  readonly prepare: (folder: string) => string
  readonly options: ConvertOptions
}

/** The sample's, without the packages that tests damage: what is there already is not read again. */
function repositoryIn(folder: string): string {
  cpSync('samples/repository', path.join(folder, 'repository'), {
    recursive: true,
    preserveTimestamps: true,
    filter: (from) => !/CN=Contoso_(?:Shop|WebServer)_[^/]*$/.test(from),
  })
  return `inbox:${path.join(folder, 'repository')}`
}

function archiveIn(folder: string): string {
  const file = path.join(folder, 'image.tar')
  cpSync('samples/shop.tar', file, {preserveTimestamps: true})
  return `docker-archive:${file}`
}

/** Destinations that read what a layer holds, there already or not. */
export const DECODING_TARGETS: readonly Target[] = [
  {
    title: 'a repository that is not there, nor the folder above',
    prepare: (folder) => `inbox:${path.join(folder, 'deep', 'repository')}`,
    options: {layers: 'chain'},
  },
  {title: 'a repository', prepare: repositoryIn, options: {layers: 'chain'}},
  {title: 'a repository, squashed', prepare: repositoryIn, options: {layers: 'squash'}},
  {title: 'a repository, to be replaced', prepare: repositoryIn, options: {layers: 'chain', replace: true}},
  {
    title: 'a transport layout that is not there, nor the folder above',
    prepare: (folder) => `layout:${path.join(folder, 'deep', 'layout')}`,
    options: {layers: 'squash', osLayers: 0},
  },
  {
    title: 'a transport layout, to be replaced',
    prepare: (folder) => {
      const from = path.join('samples', 'repository', 'CN=Contoso_WebServer_1.0.0.0')
      for (const name of ['Files', 'Hives', 'Files.$wcidirs$', 'Hives.$wcidirs$', 'tombstones.txt'])
        cpSync(path.join(from, name), path.join(folder, 'layout', name), {recursive: true, preserveTimestamps: true})
      return `layout:${path.join(folder, 'layout')}`
    },
    options: {layers: 'squash', osLayers: 0, replace: true},
  },
]

/** Destinations that pass layers on as they are. */
export const PASSING_TARGETS: readonly Target[] = [
  {title: 'an archive that is not there', prepare: (folder) => `docker-archive:${folder}/image.tar`, options: {}},
  {title: 'an archive, to be replaced', prepare: archiveIn, options: {replace: true}},
  {title: 'an archive, to be compressed', prepare: archiveIn, options: {replace: true, compression: 'gzip'}},
]

export const ALL_TARGETS = [...DECODING_TARGETS, ...PASSING_TARGETS]

export interface Refusal {
  /** Or several, between bars, where it depends on the place which is met first. */
  readonly code: string
  /** Exit code; 3 unless told. */
  readonly exit?: number
  /** What the message must hold: the file, the layer, the entry. */
  readonly names: readonly (string | RegExp)[]
}

/** Demands that the error is one of ours with that code, and says all it is to say. */
export function assertRefusal(error: unknown, {code, exit = 3, names}: Refusal): void {
  assert.ok(
    error instanceof TransshipError,
    `no error of ours: ${error instanceof Error ? error.stack : String(error)}`,
  )
  assert.ok(code.split('|').includes(error.code), `${error.code} instead of ${code}: ${error.message}`)
  assert.equal(error.exitCode, exit, error.message)
  for (const name of names) {
    const isSaid = typeof name === 'string' ? error.message.includes(name) : name.test(error.message)
    assert.ok(isSaid, `the message does not name ${String(name)}: ${error.message}`)
  }
}

/** Converts, and demands that it is refused and that the destination is as it was, to the byte. */
export async function assertRefused(
  source: string,
  target: Target,
  folder: string,
  refusal: Refusal,
  options: ConvertOptions = {},
): Promise<void> {
  mkdirSync(folder, {recursive: true})
  const destination = target.prepare(folder)
  const before = lookAt(folder)
  await assert.rejects(convert(source, destination, {...target.options, ...options}), (error) => {
    assertRefusal(error, refusal)
    return true
  })
  assert.deepEqual(lookAt(folder), before)
}

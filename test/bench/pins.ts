import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {bytesBelow, hasTool} from './contenders.js'
import {buildGoPacker} from './go-packer.js'
import {measure, median, type Measured} from './measured.js'

/*
 * What it costs to keep the compressed form of layers with packages, for layers of several compressors: time and disk of
 * `--pins keep` and `--pins reproduce` beside `--pins none`, in one run.
 */

const MAIN = path.resolve(import.meta.dirname, '..', '..', 'src', 'main.js')
const MODES = ['none', 'keep', 'reproduce'] as const

export const PIN_COLUMNS = ['layers of', 'pins', 'time to none', 'disk to none', 'tar a second', 'peak RSS']

interface StoredDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** Rows for the table above; `archive` is an image whose layers are not compressed. */
export async function pinRows(folder: string, archive: string, rounds: number): Promise<string[][]> {
  const plain = path.join(folder, 'plain')
  execFileSync(process.execPath, [MAIN, 'convert', `docker-archive:${archive}`, `oci:${plain}:x`, '--quiet'])
  const compressors: readonly (readonly [string, () => string])[] = [
    ['GNU gzip -6', () => compressedLayout(plain, path.join(folder, 'gzip'), 'gzip -6 -n')],
    ...(hasTool('go')
      ? [['Go, level 6', () => compressedLayout(plain, path.join(folder, 'go'), buildGoPacker(folder))] as const]
      : []),
    ['pigz', () => compressedLayout(plain, path.join(folder, 'pigz'), 'pigz -6 -n')],
    ['skopeo (pgzip)', () => bySkopeo(plain, path.join(folder, 'pgzip'))],
    ['Node’s zlib, which is not reproduced', () => byNode(plain, path.join(folder, 'node'))],
  ]
  const tarBytes = layersOf(plain).reduce((sum, {size}) => sum + size, 0)
  const rows: string[][] = []
  for (const [title, make] of compressors) {
    const layout = make()
    const runs = new Map<string, Measured[]>(MODES.map((mode) => [mode, []]))
    const disk = new Map<string, number>()
    for (let round = 0; round < rounds; round++)
      for (const mode of MODES) {
        const target = path.join(folder, 'packages')
        const args = ['convert', `oci:${layout}:x`, `inbox:${target}`, '--layers', 'chain', '--pins', mode, '--quiet']
        runs.get(mode)?.push(await measure(process.execPath, [MAIN, ...args], folder))
        disk.set(mode, bytesBelow(target))
        rmSync(target, {recursive: true, force: true})
      }
    const secondsOf = (mode: string) => (runs.get(mode) ?? []).map(({seconds}) => seconds)
    const base = secondsOf('none')
    for (const mode of MODES) {
      const ratio = median(secondsOf(mode).map((seconds, index) => seconds / (base[index] ?? seconds)))
      const peak = Math.max(...(runs.get(mode) ?? []).map(({peakBytes}) => peakBytes))
      rows.push([
        title,
        mode,
        ratio.toFixed(2),
        ((disk.get(mode) ?? 0) / (disk.get('none') ?? 1)).toFixed(3),
        `${(tarBytes / 2 ** 20 / median(secondsOf(mode))).toFixed(0)} MiB/s`,
        `${(peak / 2 ** 20).toFixed(0)} MiB`,
      ])
    }
    rmSync(layout, {recursive: true, force: true})
  }
  return rows
}

const blobOf = (layout: string, digest: string) => path.join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length))
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

function manifestOf(layout: string) {
  const index = json(path.join(layout, 'index.json')) as {manifests: StoredDescriptor[]}
  const [descriptor] = index.manifests
  if (descriptor === undefined) throw new Error(`${layout} has no image`)
  return {index, descriptor, manifest: json(blobOf(layout, descriptor.digest)) as {layers: StoredDescriptor[]}}
}

function layersOf(layout: string): readonly StoredDescriptor[] {
  return manifestOf(layout).manifest.layers
}

/** The same image with each layer compressed by a command that reads and writes a pipe. */
function compressedLayout(from: string, to: string, command: string): string {
  execFileSync('cp', ['-r', from, to])
  const {index, descriptor, manifest} = manifestOf(to)
  const layers = manifest.layers.map(({mediaType, digest}) => {
    const packed = path.join(to, 'packed')
    execFileSync('bash', ['-c', `${command} < '${blobOf(to, digest)}' > '${packed}'`])
    const bytes = readFileSync(packed)
    const stored = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    renameSync(packed, blobOf(to, stored))
    rmSync(blobOf(to, digest))
    return {mediaType: `${mediaType}+gzip`, digest: stored, size: bytes.length}
  })
  const bytes = JSON.stringify({...manifest, layers})
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  writeFileSync(blobOf(to, digest), bytes)
  const manifests = [{...descriptor, digest, size: bytes.length}]
  writeFileSync(path.join(to, 'index.json'), JSON.stringify({...index, manifests}))
  return to
}

function bySkopeo(from: string, to: string): string {
  mkdirSync(to)
  const copy = ['--insecure-policy', '--override-os', 'windows', 'copy', '--quiet', '--dest-compress']
  execFileSync('skopeo', [...copy, `oci:${from}:x`, `oci:${to}:x`])
  return to
}

function byNode(from: string, to: string): string {
  execFileSync(process.execPath, [
    MAIN,
    'convert',
    `oci:${from}:x`,
    `oci:${to}:x`,
    '--compression',
    'gzip:6',
    '--quiet',
  ])
  return to
}

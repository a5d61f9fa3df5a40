import {cpSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import type {ConvertOptions} from '../../src/convert/options.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {layerOf} from '../helpers/refusals.js'
import {layersIn} from '../helpers/windows-images.js'

/** What a trial converts, and where to: below its root, `from` holds the source and `to` the destination. */
export interface Direction {
  readonly name: string
  /** Of what `makeStock` made, which file or folder is copied to `from`. */
  readonly stock: 'image.tar' | 'other.tar' | 'repository' | 'layout'
  readonly source: string
  /** Copied to `to` first, with a name there: what the run must keep or replace. */
  readonly existing?: readonly [stock: string, as: string]
  readonly destination: string
  /** Where the destination is verified; else the destination. */
  readonly verified?: string
  readonly options: ConvertOptions
}

/** Every form of source and of destination, new, existing and to be replaced. */
export const DIRECTIONS: readonly Direction[] = [
  {
    name: 'archive to a new repository',
    stock: 'image.tar',
    source: 'docker-archive:from/image.tar',
    destination: 'inbox:to/deep/r',
    options: {layers: 'chain'},
  },
  {
    name: 'archive to an existing repository, squashed',
    stock: 'image.tar',
    source: 'docker-archive:from/image.tar',
    existing: ['repository', 'r'],
    destination: 'inbox:to/r',
    options: {layers: 'squash', osLayers: 1, name: 'Squashed', publisher: 'CN=Contoso'},
  },
  {
    name: 'archive to a package that is replaced',
    stock: 'other.tar',
    source: 'docker-archive:from/other.tar',
    existing: ['repository', 'r'],
    destination: 'inbox:to/r',
    options: {
      layers: 'squash',
      osLayers: 1,
      name: 'Big',
      publisher: 'CN=Contoso',
      packageVersion: '1.0.0.0',
      replace: true,
    },
  },
  {
    name: 'archive to AppX packages',
    stock: 'image.tar',
    source: 'docker-archive:from/image.tar',
    destination: 'appx:to/r',
    options: {layers: 'chain'},
  },
  {
    name: 'archive to an existing OCI layout',
    stock: 'image.tar',
    source: 'docker-archive:from/image.tar',
    existing: ['oci', 'o'],
    destination: 'oci:to/o:new',
    verified: 'oci:to/o',
    options: {compression: 'gzip'},
  },
  {
    name: 'archive to an OCI archive',
    stock: 'image.tar',
    source: 'docker-archive:from/image.tar',
    destination: 'oci-archive:to/x.tar:new',
    options: {},
  },
  {
    name: 'repository to an archive that is replaced',
    stock: 'repository',
    source: 'inbox:from/repository:Big',
    existing: ['other.tar', 'x.tar'],
    destination: 'docker-archive:to/x.tar',
    options: {replace: true},
  },
  {
    name: 'repository to a new OCI layout',
    stock: 'repository',
    source: 'inbox:from/repository:Big',
    destination: 'oci:to/o:new',
    verified: 'oci:to/o',
    options: {},
  },
  {
    name: 'archive to a transport layout',
    stock: 'image.tar',
    source: 'docker-archive:from/image.tar',
    destination: 'layout:to/l',
    options: {layers: 'squash', osLayers: 0},
  },
  {
    name: 'transport layout to an archive',
    stock: 'layout',
    source: 'layout:from/layout',
    destination: 'docker-archive:to/x.tar:app:1',
    verified: 'docker-archive:to/x.tar',
    // A transport layout does not say when the image was made.
    options: {sourceDateEpoch: 1_700_000_000},
  },
]

/** Bytes that do not compress, the same each time (xorshift32). */
function noise(seed: number, length: number): string {
  let state = seed
  return Buffer.from(
    Array.from({length}, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return 33 + ((state >>> 0) % 90)
    }),
  ).toString('latin1')
}

/** Makes, once, what every trial copies. `kilobytes`: how large the top layer is. */
export async function makeStock(stock: string, kilobytes: number): Promise<void> {
  mkdirSync(stock, {recursive: true})
  const lower = await layersIn('samples/shop.tar')
  for (const [file, seed] of [
    ['image.tar', 1],
    ['other.tar', 2],
  ] as const) {
    const files = Array.from(
      {length: 8},
      (_, index) => [`Files/Data/f${index}.bin`, noise(seed * 100 + index, kilobytes * 128)] as const,
    )
    const top = await layerOf([['Files/', ''], ['Files/Data/', ''], ...files])
    writeFileSync(path.join(stock, file), await tarOf(classicMembers(partsOf([...lower, top]), ['big:1'])))
  }
  const image = `docker-archive:${path.join(stock, 'image.tar')}`
  const named = {name: 'Big', publisher: 'CN=Contoso', packageVersion: '1.0.0.0'}
  await convert(image, `inbox:${path.join(stock, 'repository')}`, {layers: 'squash', osLayers: 1, ...named})
  await convert(image, `layout:${path.join(stock, 'layout')}`, {layers: 'squash', osLayers: 0})
  await convert('docker-archive:samples/shop.tar', `oci:${path.join(stock, 'oci')}:old`, {})
}

/** Lays a direction out in an empty root. */
export function layOut(direction: Direction, stock: string, root: string): void {
  const copy = (from: string, to: string) => {
    cpSync(from, to, {recursive: true, preserveTimestamps: true})
  }
  mkdirSync(path.join(root, 'from'))
  mkdirSync(path.join(root, 'to'), {recursive: true})
  copy(path.join(stock, direction.stock), path.join(root, 'from', direction.stock))
  if (direction.existing !== undefined)
    copy(path.join(stock, direction.existing[0]), path.join(root, 'to', direction.existing[1]))
}

/** A reference below `root`, in place of one that begins with `from` or `to`. */
export function placed(reference: string, root: string): string {
  return reference.replace(/:(?=(?:from|to)\/)/, `:${root}/`)
}

/** The command's flags that say the same as the options. */
export function flagsOf(options: ConvertOptions): string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return value === true ? [flag] : [flag, String(value)]
  })
}

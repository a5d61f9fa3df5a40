import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type {PinnedPackage} from './targets.js'

/** Where a package lies on this machine, or undefined. */
export type FindPackage = (wanted: PinnedPackage) => string | undefined

/** Packages that were installed already, below folders called `node_modules`; for tests, which load nothing. */
export function findInstalled(folders: readonly string[]): FindPackage {
  return ({name, version}) => {
    for (const folder of folders) {
      const place = path.join(folder, name)
      const file = path.join(place, 'package.json')
      if (!existsSync(file)) continue
      const found = JSON.parse(readFileSync(file, 'utf8')) as {readonly version: string}
      if (found.version === version) return place
    }
    return undefined
  }
}

/** Packages from npm, kept in a folder. Each tarball must have the digest that is pinned. */
export function fetchInto(folder: string): FindPackage {
  return ({name, version, integrity}) => {
    const place = path.join(folder, `${name.replace('/', '+')}-${version}`)
    if (existsSync(place)) return place
    const temporary = `${place}.tmp`
    rmSync(temporary, {recursive: true, force: true})
    mkdirSync(temporary, {recursive: true})
    const args = ['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--pack-destination', temporary]
    const [packed] = JSON.parse(npm(args, folder)) as [{readonly filename: string}]
    const tarball = path.join(temporary, path.basename(packed.filename))
    const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64')
    if (integrity !== `sha512-${digest}`) throw new Error(`${name} ${version} is not the package that is pinned.`)
    execFileSync('tar', ['-xzf', tarball, '-C', temporary, '--strip-components=1'])
    rmSync(tarball)
    renameSync(temporary, place)
    return place
  }
}

/** Runs npm; its standard output. */
export function npm(args: readonly string[], cwd: string): string {
  const shell = process.platform === 'win32'
  return execFileSync('npm', [...args, '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    shell,
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

import {spawnSync} from 'node:child_process'
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import process from 'node:process'
import {CHECKSUMS} from './release.js'

/*
 * `npm run pack:twice`: builds and packs the committed state in two folders of other names and depths, and compares every
 * file of the two releases. Arguments go to `pack-release`, for instance `-- --targets linux-x64`. Exit 1 when they differ.
 */

const root = path.resolve(import.meta.dirname, '..', '..')
const folder = mkdtempSync(path.join(tmpdir(), 'transship-twice-'))
try {
  const [one, two] = ['one', path.join('another', 'folder', 'two')].map((name) => packIn(path.join(folder, name)))
  if (one === two) process.stdout.write(`${one ?? ''}Both releases are the same.\n`)
  else {
    process.stdout.write(`The releases differ:\n${one ?? ''}\n${two ?? ''}`)
    process.exitCode = 1
  }
} finally {
  rmSync(folder, {recursive: true, force: true})
}

/** The checksums of a release that is made in a new checkout. */
function packIn(checkout: string): string {
  mkdirSync(path.dirname(checkout), {recursive: true})
  run('git', ['clone', '--quiet', '--no-hardlinks', root, checkout], root)
  // A bundler writes the paths of what it takes in: the packages must lie in the checkout, as after `npm ci`.
  cpSync(realpathSync(path.join(root, 'node_modules')), path.join(checkout, 'node_modules'), {recursive: true})
  const fetched = path.join(root, '.node')
  if (existsSync(fetched)) symlinkSync(fetched, path.join(checkout, '.node'))
  run(process.execPath, ['build.js'], checkout)
  run(process.execPath, [path.join('dist', 'packaging', 'pack-release.js'), ...process.argv.slice(2)], checkout)
  return readFileSync(path.join(checkout, 'release', CHECKSUMS), 'utf8')
}

function run(program: string, args: readonly string[], cwd: string): void {
  const {status, error} = spawnSync(program, args, {cwd, stdio: ['ignore', 'ignore', 'inherit']})
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status ?? 'a signal'}.`)
}

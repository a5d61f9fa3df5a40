import {execFileSync} from 'node:child_process'
import {chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import {listOwnFiles} from './bundle.js'
import type {FindPackage} from './fetch-package.js'
import {BUILDERS, type PinnedPackage, type Target} from './targets.js'

/** Node looks for the blob only where this is found with a 1 behind it. Source: nodejs.org/api/single-executable-applications. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

export interface ExecutableParts {
  /** The checkout. */
  readonly root: string
  /** The command line as one script, and what its worker threads run. */
  readonly code: string
  readonly workerCode: string
  /** Where files lie that are needed on the way. */
  readonly work: string
  readonly find: FindPackage
}

/** Makes one executable. Throws where a package is missing. */
export async function makeExecutable(
  target: Target,
  file: string,
  {root, code, workerCode, work, find}: ExecutableParts,
): Promise<void> {
  const runtime = requirePackage(find, target.runtime)
  const folder = path.join(work, target.name)
  mkdirSync(folder, {recursive: true})
  writeFileSync(path.join(folder, 'transship.cjs'), code)
  writeFileSync(path.join(folder, 'worker.cjs'), workerCode)
  const config = {
    // Without a folder: traces of errors show this name.
    main: 'transship.cjs',
    output: 'transship.blob',
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // Compiled code would be bound to the processor that made it.
    useCodeCache: false,
    assets: Object.fromEntries([
      ...listOwnFiles(root),
      ['tasks/worker.cjs', path.join(folder, 'worker.cjs')],
      ...koffiFiles(target, {root, folder, find}),
    ]),
  }
  writeFileSync(path.join(folder, 'sea.json'), JSON.stringify(config, undefined, 2))
  execFileSync(builderOf(target, find), ['--experimental-sea-config', 'sea.json'], {cwd: folder, stdio: 'pipe'})
  copyFileSync(path.join(runtime, 'bin', target.system.startsWith('win32') ? 'node.exe' : 'node'), file)
  chmodSync(file, 0o755)
  const {inject} = await import('postject')
  await inject(file, 'NODE_SEA_BLOB', readFileSync(path.join(folder, config.output)), {sentinelFuse: FUSE})
}

/** koffi as `loadKoffi` unpacks it: its script, and the native code where that script looks for it. */
function koffiFiles(target: Target, {root, folder, find}: Pick<ExecutableParts, 'root' | 'find'> & {folder: string}) {
  const native = requirePackage(find, target.koffi)
  const triplet = target.system.replace('-', '_')
  const files = new Map([
    ['src/koffi/indirect.cjs', path.join(root, 'node_modules', 'koffi', 'src', 'koffi', 'indirect.cjs')],
    [`build/koffi/${triplet}/koffi.node`, path.join(native, triplet, 'koffi.node')],
  ])
  const list = path.join(folder, 'koffi.json')
  writeFileSync(list, JSON.stringify([...files.keys()]))
  return [...[...files].map(([name, file]) => [`koffi/${name}`, file] as const), ['koffi/files.json', list] as const]
}

/** A Node for this machine, of the release that the target carries. */
function builderOf({runtime}: Target, find: FindPackage): string {
  const system = `${process.platform}-${process.arch}`
  const builder = BUILDERS.find((each) => each.system === system && each.runtime.version === runtime.version)
  if (builder === undefined) throw new Error(`Node ${runtime.version} for ${system} is not pinned in targets.ts.`)
  const folder = requirePackage(find, builder.runtime)
  return path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

function requirePackage(find: FindPackage, wanted: PinnedPackage): string {
  const found = find(wanted)
  if (found === undefined) throw new Error(`The package ${wanted.name} ${wanted.version} is missing.`)
  return found
}

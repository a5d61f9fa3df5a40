import {createHash} from 'node:crypto'
import {
  copyFileSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {pipeline} from 'node:stream/promises'
import {createGzip} from 'node:zlib'
import {pack} from 'tar-stream'
import {bundleCommandLine, readJson} from './bundle.js'
import {npm, type FindPackage} from './fetch-package.js'
import {licensesOf} from './licenses.js'
import {makeExecutable} from './make-executable.js'
import {fillManifests, type ManifestValues} from './manifests.js'
import {softwareBill} from './software-bill.js'
import type {Target} from './targets.js'
import {encodeZip} from './zip-file.js'

export interface ReleaseOptions {
  /** The checkout, built. */
  readonly root: string
  /** Emptied at first. */
  readonly out: string
  readonly targets: readonly Target[]
  readonly find: FindPackage
  /** What has been made, as it is made. */
  readonly onFile?: (name: string) => void
}

interface ProductDescription {
  readonly version: string
  readonly homepage: string
  readonly bugs: {readonly url: string}
  readonly repository: {readonly url: string}
}

/** 1980: tar and zip agree on the first moment that both can hold. */
const NO_TIME = new Date('1980-01-01T00:00:00Z')
export const CHECKSUMS = 'SHA256SUMS'

/** Makes everything that a release consists of; its files by name, `SHA256SUMS` last. */
export async function makeRelease({root, out, targets, find, onFile}: ReleaseOptions): Promise<readonly string[]> {
  rmSync(out, {recursive: true, force: true})
  const work = path.join(out, '.work')
  mkdirSync(work, {recursive: true})
  const product = readJson(path.join(root, 'package.json')) as ProductDescription
  const stem = `transship-${product.version}`
  const made: string[] = []
  const done = (...names: readonly string[]) => {
    made.push(...names)
    for (const name of names) onFile?.(name)
  }

  npm(['pack', '--ignore-scripts', '--pack-destination', out], root)
  done(`${stem}.tgz`)
  writeFileSync(path.join(out, `${stem}.cdx.json`), softwareBill(root, targets))
  done(`${stem}.cdx.json`)
  const module = filesBelow(path.join(root, 'powershell'))
  writeFileSync(path.join(out, `${stem}-powershell.zip`), encodeZip(module))
  done(`${stem}-powershell.zip`)

  const {code, workerCode, packages} = await bundleCommandLine(root)
  const documents = new Map([
    ['LICENSE.txt', readFileSync(path.join(root, 'LICENSE'))],
    ['README.md', readFileSync(path.join(root, 'README.md'))],
    ['THIRD-PARTY.txt', Buffer.from(thirdParties(root, packages, {targets, find}))],
    // What the tour of the README begins with. The sample repository has longer paths than Windows' Explorer unpacks.
    ['samples/shop.tar', readFileSync(path.join(root, 'samples', 'shop.tar'))],
  ])
  for (const target of targets) {
    const isWindows = target.system.startsWith('win32')
    const program = isWindows ? 'transship.exe' : 'transship'
    const file = path.join(work, program)
    await makeExecutable(target, file, {root, code, workerCode, work, find})
    const single = `${stem}-${target.name}${isWindows ? '.exe' : ''}`
    copyFileSync(file, path.join(out, single))
    // Windows has no manual.
    const manual = isWindows ? [] : manualOf(root)
    const files = new Map([...documents, ...manual, [program, readFileSync(file)]])
    const portable = `${stem}-${target.name}${isWindows ? '.zip' : '.tar.gz'}`
    if (isWindows) writeFileSync(path.join(out, portable), encodeZip(files))
    else await writeTarball(path.join(out, portable), files, program)
    done(single, portable)
  }
  rmSync(work, {recursive: true})

  // Package managers are told of both Windows at once.
  if (['win-x64', 'win-arm64'].every((name) => targets.some((target) => target.name === name))) {
    for (const [name, text] of fillManifests(root, await manifestValues(out, stem, product))) {
      mkdirSync(path.dirname(path.join(out, name)), {recursive: true})
      writeFileSync(path.join(out, name), text)
      done(name)
    }
  }
  const sums = await Promise.all(made.map(async (name) => `${await sha256Of(path.join(out, name))}  ${name}\n`))
  writeFileSync(path.join(out, CHECKSUMS), sums.join(''))
  done(CHECKSUMS)
  return made
}

async function manifestValues(out: string, stem: string, product: ProductDescription): Promise<ManifestValues> {
  const {version, homepage, bugs, repository} = product
  const page = repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
  const urlOf = (name: string) => `${page}/releases/download/v${version}/${name}`
  const [x64, arm64] = [`${stem}-win-x64.zip`, `${stem}-win-arm64.zip`]
  return {
    version,
    homepage,
    bugs: bugs.url,
    winX64Url: urlOf(x64),
    winX64Sha256: await sha256Of(path.join(out, x64)),
    winArm64Url: urlOf(arm64),
    winArm64Sha256: await sha256Of(path.join(out, arm64)),
  }
}

/** Node first, which carries the licences of its own parts. */
function thirdParties(
  root: string,
  packages: readonly string[],
  {targets, find}: Pick<ReleaseOptions, 'targets' | 'find'>,
) {
  // npm's Node for Windows comes without the text that the one for Linux has.
  const runtimes = targets.flatMap(({runtime}) => find(runtime) ?? [])
  const [runtime] = runtimes.filter((folder) => readdirSync(folder).includes('LICENSE'))
  const koffi = path.join(root, 'node_modules', 'koffi')
  return licensesOf([
    ...(runtime === undefined ? [] : [runtime]),
    koffi,
    ...packages.map((folder) => path.resolve(root, folder)),
  ])
}

/** Pages of the manual, where MANPATH would have them. */
function manualOf(root: string): readonly (readonly [string, Buffer])[] {
  return [...filesBelow(path.join(root, 'man'))].map(([name, bytes]) => [`man/man1/${name}`, bytes])
}

/** Files by their paths below a folder, with slashes. */
function filesBelow(folder: string): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(folder, {recursive: true, withFileTypes: true}).filter((entry) => entry.isFile())
  return new Map(
    entries.map((entry) => {
      const file = path.join(entry.parentPath, entry.name)
      return [path.relative(folder, file).split(path.sep).join('/'), readFileSync(file)]
    }),
  )
}

async function writeTarball(file: string, files: ReadonlyMap<string, Buffer>, program: string): Promise<void> {
  const tar = pack()
  for (const [name, bytes] of [...files].sort(([one], [other]) => (one < other ? -1 : 1)))
    tar.entry({name, mode: name === program ? 0o755 : 0o644, mtime: NO_TIME}, bytes)
  tar.finalize()
  await pipeline(tar, createGzip({level: 9}), createWriteStream(file))
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

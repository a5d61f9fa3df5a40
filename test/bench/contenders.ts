import {execFileSync} from 'node:child_process'
import {mkdirSync, readFileSync, readdirSync, statSync} from 'node:fs'
import path from 'node:path'
import {measure, type Measured} from './measured.js'

const MAIN = path.resolve(import.meta.dirname, '..', '..', 'src', 'main.js')

/** One row of a table. */
export interface Contender {
  readonly name: string
  /** Rows of this run whose seconds together are 1; for a tool, none. */
  readonly against?: readonly string[]
  /** Of the ratio, at most: what the project aims at. */
  readonly aim?: number
  /** Runs in a folder of this round, in the order of the list; of what it leaves there, only `REPOSITORY` stays for the next. */
  readonly run: (round: string) => Promise<Measured>
}

export function hasTool(tool: string): boolean {
  try {
    execFileSync('which', [tool], {stdio: 'ignore'})
    return true
  } catch {
    return false
  }
}

/** transship as a user starts it. */
export function transship(folder: string, ...args: readonly string[]): Promise<Measured> {
  return measure(process.execPath, [MAIN, ...args, '--quiet'], folder)
}

/** What the first conversion makes in a round, for those that read packages. */
export const REPOSITORY = 'chain'

const TAR = 'tar x of the layers'
const SHA = 'sha256sum of the archive'
const BOTH = [TAR, SHA]
const SHA_FILES = 'sha256sum of the files of the repository'
const SKOPEO = 'skopeo to an OCI layout, gzip'
const CHAIN = 'transship to inbox, chain'

/** What runs on an archive: tools first, which the others are measured against. `folder` has image.tar. */
export function contendersFor(folder: string): readonly Contender[] {
  const layers = layerFiles(folder)
  const archive = 'docker-archive:image.tar'
  const convert = (...args: readonly string[]) => transship(folder, 'convert', ...args)
  const tar = (program: string) => (round: string) => {
    const target = path.join(round, program)
    mkdirSync(target)
    const unpack = layers.map((file, index) => `mkdir ${index} && ${program} -xf '${file}' -C ${index}`).join(' && ')
    return measure('bash', ['-c', `(${unpack}) 2>/dev/null`], target)
  }
  const tools: readonly (Contender & {readonly needs: string})[] = [
    {name: TAR, needs: 'tar', run: tar('tar')},
    {name: SHA, needs: 'sha256sum', run: () => measure('sha256sum', ['image.tar'], folder)},
    {name: 'bsdtar x of the layers', needs: 'bsdtar', run: tar('bsdtar')},
    {
      name: 'pigz of the layers',
      needs: 'pigz',
      run: () =>
        measure('bash', ['-c', layers.map((file) => `pigz -6 -c '${file}'`).join(';') + ' >/dev/null'], folder),
    },
    {
      name: SKOPEO,
      needs: 'skopeo',
      run: (round) =>
        measure(
          'skopeo',
          ['--override-os', 'windows', 'copy', '-q', '--dest-compress', archive, `oci:${round}/skopeo:x`],
          folder,
        ),
    },
    {
      name: 'umoci raw unpack of an OCI layout',
      needs: 'umoci',
      run: (round) =>
        measure('umoci', ['raw', 'unpack', '--rootless', '--image', `${folder}/plain:x`, `${round}/umoci`], folder),
    },
    {
      name: 'podman load',
      needs: 'podman',
      run: (round) => {
        const storage = ['--root', path.join(round, 'podman'), '--runroot', path.join(round, 'podman-run')]
        const how = ['--storage-driver', 'vfs', 'load', '--quiet', '--input', 'image.tar']
        return measure('podman', [...storage, ...how], folder)
      },
    },
  ]
  return [
    // Without root, podman leaves files of other users behind, which the round could not clear away.
    ...tools.filter(({needs}) => hasTool(needs) && (needs !== 'podman' || process.getuid?.() === 0)),
    {
      name: CHAIN,
      against: BOTH,
      aim: 1.2,
      run: (round) => convert(archive, `inbox:${round}/${REPOSITORY}`, '--layers', 'chain'),
    },
    {
      name: SHA_FILES,
      run: (round) =>
        measure('bash', ['-c', 'find . -type f -print0 | xargs -0 sha256sum >/dev/null'], path.join(round, REPOSITORY)),
    },
    {
      name: 'transship to inbox, squash',
      against: [CHAIN],
      aim: 1.1,
      run: (round) => convert(archive, `inbox:${round}/squash`, '--layers', 'squash'),
    },
    {
      name: 'transship back to an archive',
      against: BOTH,
      aim: 1.1,
      run: (round) => convert(`inbox:${round}/${REPOSITORY}`, `docker-archive:${round}/back.tar`),
    },
    {name: 'transship verify of the archive', against: [SHA], aim: 1, run: () => transship(folder, 'verify', archive)},
    {
      name: 'transship verify of the repository',
      against: [SHA_FILES],
      aim: 1.2,
      run: (round) => transship(folder, 'verify', `inbox:${round}/${REPOSITORY}`),
    },
    {
      name: 'transship to an OCI layout, gzip',
      ...(hasTool('skopeo') ? {against: [SKOPEO], aim: 1} : {}),
      run: (round) => convert(archive, `oci:${round}/oci:x`, '--compression', 'gzip'),
    },
    ...[1, 2].map((cores) => ({
      name: appxName(cores),
      ...(cores === 1 ? {} : {against: [appxName(1)], aim: 1 / 1.8}),
      run: (round: string) =>
        convert(archive, `appx:${round}/appx-${cores}`, '--layers', 'chain', '--concurrency', String(cores)),
    })),
    {name: 'transship list', run: () => transship(folder, 'list', archive)},
    {name: 'transship inspect', run: () => transship(folder, 'inspect', archive)},
  ]
}

function appxName(cores: number): string {
  return `transship to appx, --concurrency ${cores}`
}

/** The layer tars of the archive, unpacked beside it once, and the archive as an OCI layout. */
function layerFiles(folder: string): readonly string[] {
  mkdirSync(path.join(folder, 'unpacked'))
  execFileSync('tar', ['-xf', 'image.tar', '-C', 'unpacked'], {cwd: folder})
  const manifest = JSON.parse(readFileSync(path.join(folder, 'unpacked', 'manifest.json'), 'utf8')) as [
    {Layers: string[]},
  ]
  const args = ['convert', 'docker-archive:image.tar', `oci:${folder}/plain:x`, '--quiet']
  execFileSync(process.execPath, [MAIN, ...args], {cwd: folder})
  return manifest[0].Layers.map((name) => path.join(folder, 'unpacked', name))
}

/** Bytes of all files below a folder. */
export function bytesBelow(folder: string): number {
  return readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .map((name) => statSync(path.join(folder, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0)
}

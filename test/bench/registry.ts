import {mkdirSync, rmSync, statSync} from 'node:fs'
import path from 'node:path'
import {startRegistry} from '../helpers/distribution.js'
import {writeFixture, type FixtureSize} from './fixture.js'
import {measure, median, type Measured} from './measured.js'

const MAIN = path.resolve(import.meta.dirname, '..', '..', 'src', 'main.js')

interface Pair {
  readonly what: string
  readonly skopeo: () => Promise<Measured>
  readonly transship: () => Promise<Measured>
}

/**
 * Pushing and pulling against docker-registry on loopback, beside `skopeo copy` of the same image, which is an OCI
 * layout with gzip layers on disk. Each push goes to a new repository, each pull to a new folder. Rows: what, ratio to
 * skopeo, rate, peak of transship, peak of skopeo.
 */
export async function registryRows(folder: string, size: FixtureSize, rounds: number): Promise<string[][]> {
  const archive = path.join(folder, 'dense.tar')
  await writeFixture(archive, {...size, isDense: true})
  const layout = path.join(folder, 'gzip')
  const transship = (...args: readonly string[]) =>
    measure(process.execPath, [MAIN, 'convert', ...args, '--quiet'], folder)
  const skopeo = (...args: readonly string[]) =>
    measure('skopeo', ['--insecure-policy', '--override-os', 'windows', 'copy', '-q', ...args], folder)
  await transship(`docker-archive:${archive}`, `oci:${layout}:1`, '--compression', 'gzip')
  const registry = await startRegistry(path.join(folder, 'registry'))
  const pulled = `docker://${registry.host}/bench/app:1`
  await transship(`oci:${layout}:1`, pulled)
  /** An empty registry each time: skopeo mounts what it remembers to have sent anywhere in the same one. */
  const push = async (name: string, work: (target: string) => Promise<Measured>) => {
    const place = path.join(folder, name)
    const empty = await startRegistry(place)
    try {
      return await work(`docker://${empty.host}/bench/app:1`)
    } finally {
      await empty.stop()
      rmSync(place, {recursive: true, force: true})
    }
  }
  const pull = async (name: string, work: (target: string) => Promise<Measured>) => {
    const place = path.join(folder, name)
    mkdirSync(place)
    const measured = await work(`oci:${place}/oci:1`)
    rmSync(place, {recursive: true, force: true})
    return measured
  }
  const pairs: readonly Pair[] = [
    {
      what: 'push',
      skopeo: () => push('skopeo', (target) => skopeo('--dest-tls-verify=false', `oci:${layout}:1`, target)),
      transship: () => push('transship', (target) => transship(`oci:${layout}:1`, target)),
    },
    {
      what: 'pull',
      skopeo: () => pull('skopeo', (target) => skopeo('--src-tls-verify=false', pulled, target)),
      transship: () => pull('transship', (target) => transship(pulled, target)),
    },
  ]
  try {
    const rows: string[][] = []
    for (const {what, ...run} of pairs) {
      const results: {skopeo: Measured; transship: Measured}[] = []
      for (let round = 0; round < rounds; round++) {
        // Neither is always the one that finds the caches warm.
        const first = round % 2 === 0 ? 'skopeo' : 'transship'
        const ahead = await run[first]()
        const behind = await run[first === 'skopeo' ? 'transship' : 'skopeo']()
        results.push(first === 'skopeo' ? {skopeo: ahead, transship: behind} : {skopeo: behind, transship: ahead})
      }
      const seconds = median(results.map((result) => result.transship.seconds))
      const peak = (tool: 'skopeo' | 'transship') => mebibytes(Math.max(...results.map((each) => each[tool].peakBytes)))
      rows.push([
        `transship ${what}, beside skopeo copy`,
        median(results.map((result) => result.transship.seconds / result.skopeo.seconds)).toFixed(2),
        `${(statSync(archive).size / 2 ** 20 / seconds).toFixed(0)} MiB/s`,
        peak('transship'),
        peak('skopeo'),
      ])
    }
    return rows
  } finally {
    await registry.stop()
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

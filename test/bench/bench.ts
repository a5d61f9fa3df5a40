import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs'
import {cpus, tmpdir} from 'node:os'
import path from 'node:path'
import {writeManyPackages} from '../helpers/many-packages.js'
import {renderTable} from './table.js'
import {writeFixture} from './fixture.js'
import {measure, median, type Measured} from './measured.js'
import {PIN_COLUMNS, pinRows} from './pins.js'
import {registryRows} from './registry.js'
import {WIM_COLUMNS, wimRows} from './wim.js'

/*
 * What transship costs against what a user would run instead, on one generated archive, as medians of ratios: the machine
 * is noisy, and seconds of one say nothing of another.
 *   npm run bench -- [--rounds N] [--files N] [--megabytes N]
 */

const MAIN = path.resolve(import.meta.dirname, '..', '..', 'src', 'main.js')

function numberOf(flag: string, otherwise: number): number {
  const at = process.argv.indexOf(flag)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const rounds = numberOf('--rounds', 5)
const size = {files: numberOf('--files', 5000), bytes: numberOf('--megabytes', 300) * 2 ** 20, layers: 3}
const folder = mkdtempSync(path.join(tmpdir(), 'transship-bench-'))
const has = (tool: string) => {
  try {
    execFileSync('which', [tool], {stdio: 'ignore'})
    return true
  } catch {
    return false
  }
}

interface Contender {
  readonly name: string
  readonly run: (round: string) => Promise<Measured>
}

const transship = (args: readonly string[]) => measure(process.execPath, [MAIN, ...args, '--quiet'], folder)

/** The layer tars of the archive, unpacked beside it once. */
function layerFiles(): string[] {
  mkdirSync(path.join(folder, 'unpacked'))
  execFileSync('tar', ['-xf', 'image.tar', '-C', 'unpacked'], {cwd: folder})
  const manifest = JSON.parse(readFileSync(path.join(folder, 'unpacked', 'manifest.json'), 'utf8')) as [
    {Layers: string[]},
  ]
  return manifest[0].Layers.map((name) => path.join(folder, 'unpacked', name))
}

async function untar(round: string, layers: readonly string[]): Promise<Measured> {
  const target = path.join(round, 'tar')
  mkdirSync(target)
  const script = layers.map((file, index) => `mkdir ${index} && tar -xf '${file}' -C ${index}`).join(' && ')
  return measure('bash', ['-c', script], target)
}

const BATCH_ITEMS = 500

/** What a batch costs beyond its conversions, an item: against the same conversions called one after the other. */
async function benchBatch(): Promise<void> {
  const repository = path.join(folder, 'packages')
  writeManyPackages(repository, BATCH_ITEMS)
  const script = path.join(import.meta.dirname, 'batch-items.js')
  const runs = new Map<string, Measured[]>([
    ['calls', []],
    ['batch', []],
  ])
  for (let index = 0; index < rounds; index++) {
    for (const [mode, results] of runs) {
      const target = path.join(folder, mode)
      results.push(await measure(process.execPath, [script, mode, repository, target, String(BATCH_ITEMS)], folder))
      rmSync(target, {recursive: true, force: true})
    }
  }
  const secondsOf = (mode: string) => (runs.get(mode) ?? []).map(({seconds}) => seconds)
  const milliseconds = (seconds: number) => `${((seconds * 1000) / BATCH_ITEMS).toFixed(1)} ms`
  const calls = secondsOf('calls')
  const overhead = median(secondsOf('batch').map((seconds, index) => seconds - (calls[index] ?? seconds)))
  const peak = Math.max(...(runs.get('batch') ?? []).map(({peakBytes}) => peakBytes))
  console.log(`\n${BATCH_ITEMS} packages of 120 KiB, each to an archive of its own, one at a time:\n`)
  console.log(
    renderTable(
      ['what', 'convert, an item', 'batch, an item', 'overhead of batch, an item', 'peak RSS'],
      [
        [
          `batch of ${BATCH_ITEMS}`,
          milliseconds(median(calls)),
          milliseconds(median(secondsOf('batch'))),
          milliseconds(overhead),
          `${(peak / 2 ** 20).toFixed(0)} MiB`,
        ],
      ],
    ),
  )
}

try {
  await writeFixture(path.join(folder, 'image.tar'), size)
  const megabytes = Math.round(statSync(path.join(folder, 'image.tar')).size / 2 ** 20)
  const layers = layerFiles()
  const contenders: Contender[] = [
    {name: 'tar -x of the layers', run: (round) => untar(round, layers)},
    {name: 'sha256sum of the archive', run: () => measure('sha256sum', ['image.tar'], folder)},
    ...(has('skopeo')
      ? [
          {
            name: 'skopeo copy to an OCI layout',
            run: (round: string) =>
              measure(
                'skopeo',
                ['--override-os', 'windows', 'copy', '-q', 'docker-archive:image.tar', `oci:${round}/oci:x`],
                folder,
              ),
          },
        ]
      : []),
    {
      name: 'transship to inbox (chain)',
      run: (round) => transship(['convert', 'docker-archive:image.tar', `inbox:${round}/chain`, '--layers', 'chain']),
    },
    {
      name: 'transship to inbox, no recipe',
      run: (round) =>
        transship([
          'convert',
          'docker-archive:image.tar',
          `inbox:${round}/bare`,
          '--layers',
          'chain',
          '--no-keep-recipe',
        ]),
    },
    {
      name: 'transship to inbox (squash)',
      run: (round) => transship(['convert', 'docker-archive:image.tar', `inbox:${round}/squash`, '--layers', 'squash']),
    },
    ...[1, 2].map((cores) => ({
      name: `transship to appx (chain), ${cores} ${cores === 1 ? 'core' : 'cores'} deflating`,
      run: (round: string) =>
        transship([
          'convert',
          'docker-archive:image.tar',
          `appx:${round}/appx-${cores}`,
          '--layers',
          'chain',
          '--concurrency',
          String(cores),
        ]),
    })),
    {
      name: 'transship back to an archive',
      run: (round) => transship(['convert', `inbox:${round}/chain`, `docker-archive:${round}/back.tar`]),
    },
    {name: 'transship verify of the packages', run: (round) => transship(['verify', `inbox:${round}/chain`])},
  ]
  const results = new Map<string, Measured[]>(contenders.map(({name}) => [name, []]))
  for (let index = 0; index < rounds; index++) {
    const round = path.join(folder, `round-${index}`)
    mkdirSync(round)
    for (const {name, run} of contenders) results.get(name)?.push(await run(round))
    rmSync(round, {recursive: true, force: true})
  }
  const secondsOf = (name: string) => (results.get(name) ?? []).map(({seconds}) => seconds)
  const [untarring = [], hashing = []] = contenders.slice(0, 2).map(({name}) => secondsOf(name))
  const baseline = untarring.map((seconds, index) => seconds + (hashing[index] ?? 0))
  const rows = contenders.map(({name}) => {
    const seconds = secondsOf(name)
    const ratio = median(seconds.map((each, index) => each / (baseline[index] ?? each)))
    const peak = Math.max(...(results.get(name) ?? []).map(({peakBytes}) => peakBytes))
    return [
      name,
      ratio.toFixed(2),
      `${(megabytes / median(seconds)).toFixed(0)} MiB/s`,
      `${(peak / 2 ** 20).toFixed(0)} MiB`,
    ]
  })
  console.log(
    `${megabytes} MiB in ${size.files} files and ${size.layers} layers; median of ${rounds} rounds; ` +
      `Node ${process.version}, ${cpus().length} CPUs. Ratio 1 = tar -x of the layers + sha256sum of the archive.\n`,
  )
  console.log(renderTable(['what', 'ratio', 'rate', 'peak RSS'], rows))
  if (has('skopeo') && has('docker-registry')) {
    const head = [
      'image registry on loopback, gzip layers',
      'ratio to skopeo',
      'rate',
      'peak RSS',
      'peak RSS of skopeo',
    ]
    console.log(`\n${renderTable(head, await registryRows(folder, size, rounds))}`)
  }
  if (has('skopeo') && has('pigz'))
    console.log(`\n${renderTable(PIN_COLUMNS, await pinRows(folder, path.join(folder, 'image.tar'), rounds))}`)
  if (has('wimlib-imagex'))
    console.log(`\n${renderTable(WIM_COLUMNS, await wimRows(folder, path.join(folder, 'unpacked'), rounds))}`)
  await benchBatch()
} finally {
  rmSync(folder, {recursive: true, force: true})
}

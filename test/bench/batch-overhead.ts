import {rmSync} from 'node:fs'
import path from 'node:path'
import {writeManyPackages} from '../helpers/many-packages.js'
import {measure, median, type Measured} from './measured.js'
import {renderTable} from './table.js'

const BATCH_ITEMS = 500

/** What a batch costs beyond its conversions, an item: against the same conversions called one after the other. */
export async function benchBatch(folder: string, rounds: number): Promise<string> {
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
  const table = renderTable(
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
  )
  return `${BATCH_ITEMS} packages of 120 KiB, each to an archive of its own, one at a time:\n\n${table}`
}

import {execFileSync} from 'node:child_process'
import path from 'node:path'
import {WimFile} from '../../src/transports/wim/wim-file.js'
import {measure, median, type Measured} from './measured.js'

/*
 * How fast the contents of Windows image files are unpacked and checked, against wimlib on one thread: rates as medians of
 * ratios in one run. Node's own start counts.
 */

const READER = path.join(import.meta.dirname, 'wim-read.js')

export const WIM_COLUMNS = ['contents of', 'transship', 'wimlib, one thread', 'rate to wimlib', 'peak RSS']

/** Rows for the table above; `tree` is a folder that is captured. */
export async function wimRows(folder: string, tree: string, rounds: number): Promise<string[][]> {
  const rows: string[][] = []
  for (const compression of ['XPRESS', 'LZX']) {
    const file = path.join(folder, `${compression}.wim`)
    execFileSync('wimlib-imagex', ['capture', tree, file, `--compress=${compression}`], {stdio: 'ignore'})
    const ours: Measured[] = []
    const theirs: Measured[] = []
    for (let round = 0; round < rounds; round++) {
      ours.push(await measure(process.execPath, [READER, file], folder))
      theirs.push(await measure('wimlib-imagex', ['verify', file], folder))
    }
    const bytes = await contentBytes(file)
    const rate = (runs: readonly Measured[]) =>
      `${(bytes / 2 ** 20 / median(runs.map(({seconds}) => seconds))).toFixed(0)} MiB/s`
    const ratio = median(ours.map(({seconds}, index) => (theirs[index]?.seconds ?? 0) / seconds))
    const peak = Math.max(...ours.map(({peakBytes}) => peakBytes))
    rows.push([
      `a WIM of ${(bytes / 2 ** 20).toFixed(0)} MiB, ${compression}`,
      rate(ours),
      rate(theirs),
      ratio.toFixed(2),
      `${(peak / 2 ** 20).toFixed(0)} MiB`,
    ])
  }
  return rows
}

async function contentBytes(file: string): Promise<number> {
  const wim = await WimFile.open(file)
  try {
    return [...wim.table.blobs.values()].reduce((sum, {sizeBytes}) => sum + sizeBytes, 0)
  } finally {
    await wim.close()
  }
}

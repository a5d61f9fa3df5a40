import {statSync} from 'node:fs'
import path from 'node:path'
import {hasTool} from './contenders.js'
import {buildGoPacker} from './go-packer.js'
import {measure, median} from './measured.js'

/*
 * How fast the encoders are that make the compressed form of a layer again, beside the tools whose bytes they make: one
 * alone, and two at once.
 */

const ENCODE_ONE = path.join(import.meta.dirname, 'encode-one.js')

export const ENCODER_COLUMNS = ['encoder', 'tar a second', 'two at once', 'the tool itself']

/** Rows for the table above; `tar` is what a layer holds. */
export async function encoderRows(folder: string, tar: string, rounds: number): Promise<string[][]> {
  const go = hasTool('go') ? buildGoPacker(folder) : undefined
  const tools: readonly (readonly [title: string, encoder: string, tool: string | undefined])[] = [
    ['gzip -6', 'gzip:6', `gzip -6 -n -c '${tar}'`],
    ['Go, level 6', 'go-1.8:6', go === undefined ? undefined : `'${go}' < '${tar}'`],
    ['pigz -6, one thread', 'pigz:6', hasTool('pigz') ? `pigz -p 1 -6 -n -c '${tar}'` : undefined],
    ['zlib, level 6', 'zlib:6', undefined],
    ['pgzip, as skopeo has it', 'pgzip-1.15.10:1048576', undefined],
  ]
  const mebibytes = statSync(tar).size / 2 ** 20
  const rows: string[][] = []
  for (const [title, encoder, tool] of tools) {
    const [alone, both, others]: [number[], number[], number[]] = [[], [], []]
    const ours = () => measure(process.execPath, [ENCODE_ONE, encoder, tar], folder)
    for (let round = 0; round < rounds; round++) {
      alone.push(mebibytes / (await ours()).seconds)
      both.push((2 * mebibytes) / Math.max(...(await Promise.all([ours(), ours()])).map(({seconds}) => seconds)))
      if (tool !== undefined)
        others.push(mebibytes / (await measure('bash', ['-c', `${tool} > /dev/null`], folder)).seconds)
    }
    const rate = (rates: readonly number[]) => (rates.length === 0 ? '' : `${median(rates).toFixed(0)} MiB/s`)
    rows.push([title, rate(alone), rate(both), rate(others)])
  }
  return rows
}

import path from 'node:path'
import {writeSparseArchive} from '../helpers/sparse-archive.js'
import {transship} from './contenders.js'
import type {Measured} from './measured.js'
import {rowOf, type BenchRow} from './results.js'

const LAYERS = [5 * 2 ** 30, 5 * 2 ** 30]
export const LARGE_ARCHIVE = {name: 'holes', title: 'An archive whose two layers are holes', mebibytes: 10 * 1024}
/** Where nothing of the contents is read, nothing of it is to be held. */
const MAX_MEBIBYTES = 100

/** `list` and `inspect` of an archive of 10 GiB, whose layers are holes; and a sentence of each that takes too much memory. */
export async function largeArchiveRows(
  folder: string,
  rounds: number,
): Promise<{readonly rows: readonly BenchRow[]; readonly overMemory: readonly string[]}> {
  writeSparseArchive(path.join(folder, 'large.tar'), LAYERS)
  const commands = ['list', 'inspect'] as const
  const runs = new Map<string, Measured[]>(commands.map((command) => [command, []]))
  for (let round = 0; round < rounds; round++)
    for (const command of commands)
      runs.get(command)?.push(await transship(folder, command, 'docker-archive:large.tar'))
  const rows = commands.map((command) =>
    rowOf({fixture: LARGE_ARCHIVE.name, place: 'memory', name: `transship ${command}`}, runs.get(command) ?? [], []),
  )
  const overMemory = rows
    .filter(({peakMebibytes}) => peakMebibytes > MAX_MEBIBYTES)
    .map(
      ({name, peakMebibytes}) =>
        `${LARGE_ARCHIVE.name}, memory: ${name}: ${peakMebibytes} MiB, promised ${MAX_MEBIBYTES} MiB`,
    )
  return {rows, overMemory}
}

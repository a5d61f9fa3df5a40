import {existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import type {Find} from './judge.js'
import type {ParserCount} from './run-parser.js'

/** What all runs on one state file came to, for one parser. */
export type Sum = Omit<ParserCount, 'finds'> & {
  readonly finds: readonly Find[]
  /** Finds of before that are none any more. */
  readonly mended?: number
  /** What was checked out in the last of the runs. */
  readonly commit: string
}

/** The sums of many runs: each goes on where the one before it ended. */
export interface Rotation {
  readonly seed: number
  readonly sums: Readonly<Record<string, Sum>>
}

/** What the file holds, or a beginning. */
export function readRotation(file: string, seed: number): Rotation {
  if (!existsSync(file)) return {seed, sums: {}}
  const read = JSON.parse(readFileSync(file, 'utf8')) as Rotation
  if (read.seed !== seed) throw new Error(`${file} holds the sums of seed ${read.seed}. Pass --seed ${read.seed}.`)
  return read
}

export function writeRotation(file: string, rotation: Rotation): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(rotation, undefined, 2)}\n`)
  renameSync(`${file}.new`, file)
}

/** The parser that had the least time of processors so far. */
export function nextParser({sums}: Rotation, names: readonly string[]): string {
  const usedBy = (name: string) => sums[name]?.cpuSeconds ?? 0
  return names.reduce((least, name) => (usedBy(name) < usedBy(least) ? name : least))
}

export function added(rotation: Rotation, count: ParserCount, commit: string): Rotation {
  const before = rotation.sums[count.parser]
  if (before === undefined) return {...rotation, sums: {...rotation.sums, [count.parser]: {...count, commit}}}
  const sum: Sum = {
    parser: count.parser,
    cases: before.cases + count.cases,
    accepted: before.accepted + count.accepted,
    refused: before.refused + count.refused,
    seconds: before.seconds + count.seconds,
    cpuSeconds: before.cpuSeconds + count.cpuSeconds,
    finds: [...before.finds, ...count.finds],
    ...(before.mended === undefined ? {} : {mended: before.mended}),
    next: count.next,
    commit,
  }
  return {...rotation, sums: {...rotation.sums, [count.parser]: sum}}
}

/** The same without the finds that are none any more, which are counted. */
export async function rechecked(rotation: Rotation, isMended: (find: Find) => Promise<boolean>): Promise<Rotation> {
  const sums: Record<string, Sum> = {}
  for (const [name, sum] of Object.entries(rotation.sums)) {
    const open: Find[] = []
    for (const find of sum.finds) if (!(await isMended(find))) open.push(find)
    const mended = (sum.mended ?? 0) + sum.finds.length - open.length
    sums[name] = {...sum, finds: open, ...(mended === 0 ? {} : {mended})}
  }
  return {...rotation, sums}
}

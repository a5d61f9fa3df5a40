import {cpus} from 'node:os'
import {median, type Measured} from './measured.js'
import type {ScalingRow} from './scaling.js'
import {renderTable} from './table.js'

/** Of one contender on one fixture in one place. */
export interface BenchRow {
  readonly fixture: string
  readonly place: string
  readonly name: string
  readonly seconds: Spread
  readonly cpuSeconds: Spread
  readonly peakMebibytes: number
  /** Median over the rounds of seconds against those of the tools of the same round. */
  readonly ratio?: Spread
  readonly cpuRatio?: number
  readonly aim?: number
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export interface BenchResults {
  readonly node: string
  readonly cpus: number
  readonly rounds: number
  readonly fixtures: readonly {readonly name: string; readonly title: string; readonly mebibytes: number}[]
  readonly rows: readonly BenchRow[]
  readonly scaling: readonly ScalingRow[]
  /** Sentences: a command that took more memory than is promised. */
  readonly overMemory: readonly string[]
}

export function machine(rounds: number): Pick<BenchResults, 'node' | 'cpus' | 'rounds'> {
  return {node: process.version, cpus: cpus().length, rounds}
}

export function spreadOf(values: readonly number[]): Spread {
  return {median: median(values), least: Math.min(...values), most: Math.max(...values)}
}

/** The row of one contender; `base` has the runs of what it is measured against, round by round. */
export function rowOf(
  facts: Pick<BenchRow, 'fixture' | 'place' | 'name'> & {readonly aim?: number | undefined},
  runs: readonly Measured[],
  base: readonly (readonly Measured[])[],
): BenchRow {
  const {aim, ...named} = facts
  const sum = (round: number, of: 'seconds' | 'cpuSeconds') =>
    base.reduce((all, each) => all + (each[round]?.[of] ?? 0), 0)
  const ratios = (of: 'seconds' | 'cpuSeconds') => runs.map((run, round) => run[of] / Math.max(0.01, sum(round, of)))
  return {
    ...named,
    seconds: spreadOf(runs.map(({seconds}) => seconds)),
    cpuSeconds: spreadOf(runs.map(({cpuSeconds}) => cpuSeconds)),
    peakMebibytes: Math.round(Math.max(...runs.map(({peakBytes}) => peakBytes)) / 2 ** 20),
    ...(base.length === 0 ? {} : {ratio: spreadOf(ratios('seconds')), cpuRatio: median(ratios('cpuSeconds'))}),
    ...(aim === undefined ? {} : {aim}),
  }
}

const number = (value: number) => value.toFixed(2)
const spread = ({median: middle, least, most}: Spread) => `${number(middle)} (${number(least)}-${number(most)})`

/** What got worse by more than a tenth since: by CPU seconds, which other work on the machine disturbs least. */
export function worsened(now: BenchResults, before: BenchResults): readonly string[] {
  const keyOf = ({fixture, place, name}: BenchRow) => JSON.stringify([fixture, place, name])
  const known = new Map(before.rows.map((row) => [keyOf(row), row]))
  return now.rows.flatMap((row) => {
    const old = known.get(keyOf(row))
    if (old === undefined) return []
    const by = row.cpuSeconds.median / Math.max(0.05, old.cpuSeconds.median)
    const growth = row.peakMebibytes / Math.max(1, old.peakMebibytes)
    const what = [
      ...(by > 1.1 ? [`CPU ${number(old.cpuSeconds.median)} s -> ${number(row.cpuSeconds.median)} s`] : []),
      ...(growth > 1.1 ? [`memory ${old.peakMebibytes} MiB -> ${row.peakMebibytes} MiB`] : []),
    ]
    return what.length === 0 ? [] : [`${row.fixture}, ${row.place}: ${row.name}: ${what.join(', ')}`]
  })
}

export function toMarkdown(results: BenchResults): string {
  const {node, rounds, fixtures, rows, scaling, overMemory} = results
  const parts = [`Node ${node}, ${results.cpus} CPUs; medians of ${rounds} alternating rounds (least-most).`]
  for (const {name, title, mebibytes} of fixtures)
    for (const place of new Set(rows.filter(({fixture}) => fixture === name).map((row) => row.place))) {
      parts.push(`### ${name}, ${place}\n\n${title}; ${mebibytes} MiB.`)
      const own = rows.filter((row) => row.fixture === name && row.place === place)
      const cells = own.map((row) => [
        row.name,
        spread(row.seconds),
        number(row.cpuSeconds.median),
        row.ratio === undefined ? '' : spread(row.ratio),
        row.cpuRatio === undefined ? '' : number(row.cpuRatio),
        row.aim === undefined ? '' : number(row.aim),
        String(row.peakMebibytes),
      ])
      parts.push(renderTable(['what', 'seconds', 'CPU seconds', 'ratio', 'CPU ratio', 'aim', 'peak MiB'], cells))
    }
  if (scaling.length > 0) {
    const cells = scaling.map(({name, counts, cpuSeconds, growth}) => [
      name,
      counts.join(', '),
      cpuSeconds.map(number).join(', '),
      number(growth),
    ])
    parts.push(`### Scaling\n\n${renderTable(['what', 'counts', 'CPU seconds', 'growth to growth'], cells)}`)
  }
  if (overMemory.length > 0)
    parts.push(`### Above the bound of memory\n\n${overMemory.map((each) => `- ${each}`).join('\n')}`)
  return `${parts.join('\n\n')}\n`
}

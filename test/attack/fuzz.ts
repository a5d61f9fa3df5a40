import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {commitHere} from '../helpers/commit.js'
import {findParser, PARSERS} from './fuzz/catalog.js'
import {writeDocument} from './fuzz/document.js'
import {inputOf, judge, type Find} from './fuzz/judge.js'
import {runProperties} from './fuzz/properties.js'
import {added, nextParser, readRotation, rechecked, writeRotation} from './fuzz/rotation.js'
import {runParser, type ParserCount, type RunOptions} from './fuzz/run-parser.js'

/*
 * `npm run fuzz`: mutants for every parser, ten minutes each. `npm run fuzz -- properties`: the property tests with 20,000
 * cases each. Not a test by itself, so that `npm test` does not run it.
 */

const HELP = `npm run fuzz -- [options]
  --parser NAME    only this one; may be repeated
  --minutes N      of processors, for each parser (10)
  --cases N        instead of minutes
  --seed N         other mutants (1)
  --case N         this mutant alone, in this process; --save FILE writes its bytes
  --report FILE    counts and finds as JSON
  --resume FILE    go on where the runs before ended, the parser with the least time first, and add up in FILE
  --rounds N       with --resume: so many turns (one for each parser)
  --recheck        with --resume: try the finds of before once more, and count those that are none any more
  --write          with --resume: put the sums into docs/fuzzing.md
  --list           the parsers
npm run fuzz -- properties [options]: every property with 20,000 cases, or FUZZ_RUNS
  --grep TEXT      only those whose title holds it
  --resume FILE    turns of 1,000 cases, the test file with the fewest first; add up in FILE
  --rounds N       with --resume: so many turns
  --write          with --resume: put the sums into docs/fuzzing.md`

function line({parser, cases, accepted, refused, seconds, cpuSeconds, finds}: ParserCount): string {
  const rate = Math.round(cases / Math.max(cpuSeconds, 0.001))
  return `${parser.padEnd(22)} ${String(cases).padStart(9)} cases ${String(rate).padStart(6)}/s  ${accepted} accepted, ${refused} refused, ${finds.length} finds, ${Math.round(seconds)} s, ${Math.round(cpuSeconds)} s of processors`
}

function show({parser, seed, number, kind, what}: Find): void {
  console.error(`FIND ${kind}: --parser ${parser} --seed ${seed} --case ${number}\n  ${what.replaceAll('\n', '\n  ')}`)
}

async function replay(name: string, seed: number, number: number, save: string | undefined): Promise<boolean> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'transship-fuzz-'))
  try {
    const prepared = await findParser(name)!.prepare(scratch)
    const input = await inputOf(prepared, {parser: name, seed, number})
    if (save !== undefined) writeFileSync(save, input)
    const outcome = await judge(prepared, input)
    await prepared.close?.()
    if (typeof outcome === 'string') console.log(`${outcome}, ${input.byteLength} bytes`)
    else show({parser: name, seed, number, ...outcome})
    return typeof outcome === 'string'
  } finally {
    rmSync(scratch, {recursive: true, force: true})
  }
}

interface RotateOptions {
  readonly seed: number
  readonly rounds: number
  readonly bound: Pick<RunOptions, 'cases' | 'minutes'>
}

/** One parser after the other, each for a while; the state is written after each, so that a stop loses no more. */
async function rotate(file: string, names: readonly string[], {seed, rounds, bound}: RotateOptions): Promise<number> {
  let rotation = readRotation(file, seed)
  let finds = 0
  for (let round = 0; round < rounds; round++) {
    const name = nextParser(rotation, names)
    const count = await runParser(name, {seed, from: rotation.sums[name]?.next ?? 0, ...bound, onFind: show})
    rotation = added(rotation, count, commitHere())
    writeRotation(file, rotation)
    finds += count.finds.length
    console.log(line(rotation.sums[name] ?? count))
  }
  return finds > 0 ? 1 : 0
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'properties') return runProperties(args.slice(1))
  const {values} = parseArgs({
    args: [...args],
    options: {
      parser: {type: 'string', multiple: true},
      minutes: {type: 'string', default: '10'},
      cases: {type: 'string'},
      seed: {type: 'string', default: '1'},
      case: {type: 'string'},
      save: {type: 'string'},
      report: {type: 'string'},
      resume: {type: 'string'},
      rounds: {type: 'string'},
      recheck: {type: 'boolean'},
      write: {type: 'boolean'},
      list: {type: 'boolean'},
      help: {type: 'boolean'},
    },
  })
  if (values.help === true) {
    console.log(HELP)
    return 0
  }
  const names = values.parser ?? PARSERS.map(({name}) => name)
  const unknown = names.filter((name) => findParser(name) === undefined)
  if (unknown.length > 0) {
    console.error(`There is no parser ${unknown.join(', ')}. --list shows them.`)
    return 2
  }
  if (values.list === true) {
    for (const {name, reads} of PARSERS) console.log(`${name.padEnd(22)} ${reads}`)
    return 0
  }
  const seed = Number(values.seed)
  if (values.case !== undefined) {
    const isGood = await replay(names[0] ?? '', seed, Number(values.case), values.save)
    return isGood ? 0 : 1
  }
  const bound = values.cases === undefined ? {minutes: Number(values.minutes)} : {cases: Number(values.cases)}
  if (values.resume !== undefined) {
    if (values.recheck === true) {
      const isMended = ({parser, number, seed: own}: Find) => replay(parser, own, number, undefined)
      writeRotation(values.resume, await rechecked(readRotation(values.resume, seed), isMended))
    }
    const status = await rotate(values.resume, names, {seed, rounds: Number(values.rounds ?? names.length), bound})
    if (values.write === true) await writeDocument({rotation: readRotation(values.resume, seed)})
    return status
  }
  const counts: ParserCount[] = []
  for (const name of names) {
    const count = await runParser(name, {seed, ...bound, onFind: show})
    counts.push(count)
    console.log(line(count))
    if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(counts, undefined, 2))
  }
  return counts.some(({finds}) => finds.length > 0) ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))

import {readFileSync, readdirSync, writeFileSync} from 'node:fs'
import {availableParallelism} from 'node:os'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {PROJECT} from '../helpers/snapshot.js'
import {findMutants, type Mutant} from './find-mutants.js'
import {judge, textOf, type Verdict} from './judge.js'
import {isUnnoticed, scoreOf, toMarkdown} from './score.js'
import {openWorkshop, typescriptFiles} from './workshop.js'

/*
 * `npm run mutants`: puts small faults into the code, one at a time, and tells which of them no test notices.
 *   --folder FOLDER   below src, several times; else codecs, formats, convert and model
 *   --sample N        so many mutants of each folder, chosen by --seed (1); else all of them
 *   --grep TEXT       only mutants whose description holds it
 *   --again FILE      only mutants that no test noticed in what --json has written before: with other tests, or after changes
 *   --tests FOLDER    test folders to try them with; else those that reach the code quickly
 *   --budget SECONDS  of tests for one mutant (60)
 *   --jobs N          at the same time; else one a processor
 *   --json FILE, --markdown FILE   where the results go, beside the summary
 */

const TESTS = ['codecs', 'formats', 'model', 'disk', 'bad-input', 'convert', 'transports', 'commands']

const {values} = parseArgs({
  options: {
    folder: {type: 'string', multiple: true, default: ['codecs', 'formats', 'convert', 'model']},
    sample: {type: 'string'},
    seed: {type: 'string', default: '1'},
    grep: {type: 'string'},
    again: {type: 'string'},
    tests: {type: 'string', multiple: true, default: TESTS},
    budget: {type: 'string', default: '60'},
    jobs: {type: 'string', default: String(availableParallelism())},
    json: {type: 'string'},
    markdown: {type: 'string'},
  },
})

process.env['FUZZ_RUNS'] ??= '100'
const unnoticed = values.again === undefined ? undefined : unnoticedIn(values.again)
const mutants = values.folder.flatMap((folder) => sampled(mutantsIn(folder)))
console.log(`${mutants.length} mutants`)
const workshop = openWorkshop(PROJECT, mutants)
try {
  const tests = values.tests.flatMap((folder) => testsIn(folder))
  const verdicts = await judge(workshop, {
    tests,
    jobs: Number(values.jobs),
    budgetSeconds: Number(values.budget),
    onProgress: (text) => {
      console.log(text)
    },
  })
  console.log(`\n${toMarkdown(scoreOf(verdicts))}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(verdicts, undefined, 2)}\n`)
  if (values.markdown !== undefined) {
    const rest = verdicts.filter(({fate}) => isUnnoticed(fate))
    const lines = rest.map(({mutant, fate}) => `- ${fate}: \`${textOf(mutant)}\``)
    writeFileSync(values.markdown, `${toMarkdown(scoreOf(verdicts))}\n${lines.join('\n')}\n`)
  }
} finally {
  workshop.remove()
}

function mutantsIn(folder: string): Mutant[] {
  const found = typescriptFiles(path.join(PROJECT, 'src', folder)).flatMap((file) =>
    findMutants(path.relative(PROJECT, file), readFileSync(file, 'utf8')),
  )
  const {grep = ''} = values
  return found.filter((mutant) => textOf(mutant).includes(grep) && (unnoticed?.has(textOf(mutant)) ?? true))
}

function unnoticedIn(file: string): ReadonlySet<string> {
  const verdicts = JSON.parse(readFileSync(file, 'utf8')) as readonly Verdict[]
  return new Set(verdicts.filter(({fate}) => isUnnoticed(fate)).map(({mutant}) => textOf(mutant)))
}

function testsIn(folder: string): string[] {
  const root = path.join('dist', 'test', folder)
  return readdirSync(path.join(PROJECT, root), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => path.join(root, name))
}

/** A sample that the seed decides (mulberry32, then the first of a Fisher-Yates shuffle). */
function sampled(all: Mutant[]): Mutant[] {
  const count = values.sample === undefined ? all.length : Math.min(Number(values.sample), all.length)
  let state = Number(values.seed)
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(random() * (all.length - index))
    const [one, two] = [all[index], all[other]]
    if (one !== undefined && two !== undefined) [all[index], all[other]] = [two, one]
  }
  return all.slice(0, count)
}

import {appendFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {commitHere} from '../helpers/commit.js'
import {PROJECT} from '../helpers/snapshot.js'
import {countsOf, toDocument} from './document.js'
import {closeBench, openBench, runFaults, type Pair} from './run-faults.js'

/*
 * `npm run faults`: lets the disk, the system and the user fail at many moments of a conversion, and looks at what is left.
 *   --kind TEXT, --direction TEXT   only those whose name holds it, several times
 *   --each N     moments of each kind and direction (20)
 *   --kills N    moments at which a run is killed, in each direction (200)
 *   --seed N     which moments (1)
 *   --kilobytes N  of the layer that is converted (1024)
 *   --resume FILE  go on where an earlier run was stopped, and count its trials too
 *   --write      put the counts into docs/faults.md
 */

const {values} = parseArgs({
  options: {
    kind: {type: 'string', multiple: true},
    direction: {type: 'string', multiple: true},
    each: {type: 'string', default: '20'},
    kills: {type: 'string', default: '200'},
    seed: {type: 'string', default: '1'},
    kilobytes: {type: 'string', default: '1024'},
    resume: {type: 'string'},
    write: {type: 'boolean', default: false},
  },
})

const bench = await openBench(Number(values.kilobytes))
if ('why' in bench) throw new Error(`Nothing can be tried here: ${bench.why}`)
const {resume} = values
const earlier =
  resume === undefined || !existsSync(resume)
    ? []
    : readFileSync(resume, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Pair)
const report = await runFaults(bench, {
  ...(values.kind === undefined ? {} : {kinds: values.kind}),
  ...(values.direction === undefined ? {} : {directions: values.direction}),
  each: Number(values.each),
  kills: Number(values.kills),
  seed: Number(values.seed),
  earlier,
  onPair: (pair) => {
    if (resume !== undefined) appendFileSync(resume, `${JSON.stringify({...pair, commit: commitHere()})}\n`)
  },
  onTrial: ({kind, direction, at, wrong}) => {
    for (const each of wrong) console.log(`WRONG ${kind}, ${direction}, ${at}: ${each}`)
  },
  onKind: (kind, count) => {
    console.log(`${kind.name}: ${count} trials`)
  },
}).finally(() => {
  closeBench(bench)
})
for (const {kind, why} of report.skipped) console.log(`SKIPPED ${kind.name}: ${why}`)
const counts = countsOf(report)
console.log(`\n${counts}`)
if (values.write) writeFileSync(path.join(PROJECT, 'docs', 'faults.md'), toDocument(counts))
process.exitCode = report.pairs.some(({wrong}) => wrong.length > 0) ? 1 : 0

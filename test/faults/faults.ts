import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {PROJECT} from '../helpers/snapshot.js'
import {countsOf, toDocument} from './document.js'
import {closeBench, openBench, runFaults} from './run-faults.js'

/*
 * `npm run faults`: lets the disk, the system and the user fail at many moments of a conversion, and looks at what is left.
 *   --kind TEXT, --direction TEXT   only those whose name holds it, several times
 *   --each N     moments of each kind and direction (20)
 *   --kills N    moments at which a run is killed, in each direction (200)
 *   --seed N     which moments (1)
 *   --write      put the counts into docs/faults.md
 */

const {values} = parseArgs({
  options: {
    kind: {type: 'string', multiple: true},
    direction: {type: 'string', multiple: true},
    each: {type: 'string', default: '20'},
    kills: {type: 'string', default: '200'},
    seed: {type: 'string', default: '1'},
    write: {type: 'boolean', default: false},
  },
})

const bench = await openBench(1024)
if ('why' in bench) throw new Error(`Nothing can be tried here: ${bench.why}`)
const report = await runFaults(bench, {
  ...(values.kind === undefined ? {} : {kinds: values.kind}),
  ...(values.direction === undefined ? {} : {directions: values.direction}),
  each: Number(values.each),
  kills: Number(values.kills),
  seed: Number(values.seed),
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
process.exitCode = report.trials.some(({wrong}) => wrong.length > 0) ? 1 : 0

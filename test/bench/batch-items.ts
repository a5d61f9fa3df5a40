import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert} from '../../src/convert/convert.js'

/*
 * Converts `count` packages of a repository, each to an archive of its own: as a batch, or by one call after the other,
 * which is what a batch is measured against. `node batch-items.js batch|calls REPOSITORY FOLDER COUNT`
 */

const [, , mode = '', repository = '', folder = '', count = '0'] = process.argv
const units = Array.from({length: Number(count)}, (_, index) => ({
  source: `inbox:${repository}:App${index}`,
  destination: `docker-archive:${path.join(folder, `App${index}.tar`)}`,
}))

mkdirSync(folder, {recursive: true})
if (mode === 'batch') {
  const plan = path.join(folder, 'plan.json')
  writeFileSync(plan, JSON.stringify({items: units}))
  const {totals} = await runBatch(plan, {environment: {}, concurrency: 1})
  if (totals.converted !== units.length) throw new Error(JSON.stringify(totals))
} else {
  for (const {source, destination} of units) await convert(source, destination)
}

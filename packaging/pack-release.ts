import path from 'node:path'
import process from 'node:process'
import {parseArgs} from 'node:util'
import {fetchInto} from './fetch-package.js'
import {makeRelease} from './release.js'
import {TARGETS} from './targets.js'

/*
 * `npm run pack:release`: everything of a release in `release/`. `-- --targets win-x64,linux-x64` makes only these.
 * Needs npm's packages of Node and koffi for each target; they are kept in `.node/packages`.
 */

const {values} = parseArgs({options: {targets: {type: 'string'}, out: {type: 'string'}}})
const root = path.resolve(import.meta.dirname, '..', '..')
const wanted = values.targets?.split(',') ?? TARGETS.map(({name}) => name)
const unknown = wanted.filter((name) => !TARGETS.some((target) => target.name === name))
if (unknown.length > 0)
  throw new Error(`No such target: ${unknown.join(', ')}. Known: ${TARGETS.map(({name}) => name).join(', ')}.`)
const out = path.resolve(values.out ?? path.join(root, 'release'))
await makeRelease({
  root,
  out,
  targets: TARGETS.filter(({name}) => (wanted as readonly string[]).includes(name)),
  find: fetchInto(path.join(root, '.node', 'packages')),
  onFile: (name) => process.stdout.write(`${path.relative(process.cwd(), path.join(out, name))}\n`),
})

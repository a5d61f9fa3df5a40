import {spawnSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'

/*
 * `npm run fuzz`: every file with properties, with 20,000 cases each (or FUZZ_RUNS). Arguments are passed on to mocha,
 * for instance `-- --grep squashing`. Not a test by itself, so that `npm test` does not run it.
 */

const MOCHA = path.resolve('node_modules/mocha/bin/mocha.js')
const CONFIG = '.mocharc.json'

const files = readdirSync(import.meta.dirname, {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => path.join(import.meta.dirname, name))
  .filter((file) => readFileSync(file, 'utf8').includes('helpers/fuzz.js'))
  .sort()
const {file, reporter} = JSON.parse(readFileSync(CONFIG, 'utf8')) as {file: string[]; reporter: string}
const setup = file.flatMap((name) => ['--file', name])
const {status} = spawnSync(
  process.execPath,
  [MOCHA, '--no-config', ...setup, '--reporter', reporter, '--timeout', '0', ...process.argv.slice(2), ...files],
  {stdio: 'inherit', env: {...process.env, FUZZ_RUNS: process.env['FUZZ_RUNS'] ?? '20000'}},
)
process.exitCode = status ?? 1

import {spawnSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'

const MOCHA = path.resolve('node_modules/mocha/bin/mocha.js')
const CONFIG = '.mocharc.json'
const TESTS = path.resolve(import.meta.dirname, '../..')

/** Every file with properties, with 20,000 cases each (or FUZZ_RUNS). Arguments are mocha's, such as `--grep squashing`. */
export function runProperties(args: readonly string[]): number {
  const files = readdirSync(TESTS, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => path.join(TESTS, name))
    .filter((file) => readFileSync(file, 'utf8').includes('helpers/fuzz.js'))
    .sort()
  const {file, reporter} = JSON.parse(readFileSync(CONFIG, 'utf8')) as {file: string[]; reporter: string}
  const setup = file.flatMap((name) => ['--file', name])
  const {status} = spawnSync(
    process.execPath,
    [MOCHA, '--no-config', ...setup, '--reporter', reporter, '--timeout', '0', ...args, ...files],
    {stdio: 'inherit', env: {...process.env, FUZZ_RUNS: process.env['FUZZ_RUNS'] ?? '20000'}},
  )
  return status ?? 1
}

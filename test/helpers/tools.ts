import {spawnSync} from 'node:child_process'
import path from 'node:path'
import {existsSync} from 'node:fs'

/** Where a program of this name is on PATH; undefined when it is not. */
export function findTool(name: string): string | undefined {
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter))
    for (const extension of extensions) {
      const candidate = path.join(folder, name + extension)
      if (folder !== '' && existsSync(candidate)) return candidate
    }
  return undefined
}

/** Skips the test, loudly, when a program that it runs is not installed; fails it under `CI=true`. */
export function requireTool(test: Mocha.Context, name: string): string {
  const found = findTool(name)
  if (found !== undefined) return found
  skipLoudly(test, `${name} is not installed`)
}

/** Skips the test with its reason on the terminal; fails it under `CI=true`, where nothing may be left out unseen. */
export function skipLoudly(test: Mocha.Context, reason: string): never {
  if (process.env['CI'] === 'true') throw new Error(`${reason}, and CI must run this test`)
  console.error(`    SKIPPED, ${reason}: ${test.test?.fullTitle() ?? ''}`)
  return test.skip()
}

/** Runs a program; its standard output. A failure shows what the program said. */
export function runTool(
  name: string,
  args: readonly string[],
  options: {readonly cwd?: string; readonly env?: NodeJS.ProcessEnv} = {},
): string {
  const run = spawnSync(name, args, {encoding: 'utf8', maxBuffer: 64 * 2 ** 20, ...options})
  if (run.error !== undefined) throw run.error
  if (run.status !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${String(run.status)}: ${run.stderr}`)
  return run.stdout
}

/** Runs a program that must fail; all it said. */
export function runFailing(name: string, args: readonly string[]): string {
  const run = spawnSync(name, args, {encoding: 'utf8', maxBuffer: 64 * 2 ** 20})
  if (run.error !== undefined) throw run.error
  if (run.status === 0) throw new Error(`${name} ${args.join(' ')} did not fail`)
  return run.stdout + run.stderr
}

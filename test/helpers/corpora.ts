import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'

/*
 * Test files of other projects. None are part of this one: packages of the system bring some, and a folder that
 * TRANSSHIP_CORPORA names holds others, one folder a project, each a working tree or a bare Git repository.
 */

interface Project {
  readonly folder: string
  /** The Git directory of a bare one; its folder has no files to read. */
  readonly repository?: string
}

/** A fetched project whose folder has `name` in its own; undefined when it was not fetched. */
function findProject(name: string): Project | undefined {
  const root = process.env['TRANSSHIP_CORPORA']
  if (root === undefined || !existsSync(root)) return undefined
  const entry = readdirSync(root).find((candidate) => candidate.includes(name))
  if (entry === undefined) return undefined
  const folder = path.join(root, entry)
  const repository = [folder, path.join(folder, 'repo')].find((candidate) =>
    ['HEAD', 'objects'].every((part) => existsSync(path.join(candidate, part))),
  )
  return {folder, ...(repository === undefined ? {} : {repository})}
}

/** The files of a fetched project; a bare repository is unpacked below `scratch`. Undefined when it was not fetched. */
export function findCorpus(name: string, scratch: string): string | undefined {
  const {folder, repository} = findProject(name) ?? {}
  if (repository === undefined) return folder
  const target = path.join(scratch, name)
  if (existsSync(target)) return target
  mkdirSync(target, {recursive: true})
  const script = 'git --git-dir "$1" archive HEAD | tar -C "$2" -xf -'
  const run = spawnSync('sh', ['-e', '-c', script, 'sh', repository, target], {encoding: 'utf8'})
  if (run.status !== 0) throw new Error(`${repository} cannot be unpacked: ${run.stderr}`)
  return target
}

/**
 * The same for a partial copy of a repository, with only what is `below` a folder: it lists files that it does not hold,
 * and `git archive` stops at the first, so this goes file by file. `onFile` is called for each that was unpacked.
 */
export function findPartialCorpus(
  name: string,
  scratch: string,
  {below = '.', onFile}: {readonly below?: string; readonly onFile?: (file: string) => void} = {},
): string | undefined {
  const {folder, repository} = findProject(name) ?? {}
  if (repository === undefined) return folder
  const target = path.join(scratch, name)
  const git = (...args: string[]) => spawnSync('git', ['--git-dir', repository, ...args], {maxBuffer: 2 ** 30})
  const listed = git('ls-tree', '-r', '-z', '--name-only', 'HEAD', ...(below === '.' ? [] : [below]))
  if (listed.status !== 0) throw new Error(`${repository} cannot be listed: ${listed.stderr.toString()}`)
  const names = listed.stdout.toString().split('\0')
  for (const each of names.filter((listedName) => listedName !== '')) {
    const blob = git('cat-file', 'blob', `HEAD:${each}`)
    if (blob.status !== 0) continue
    const file = path.join(target, each)
    mkdirSync(path.dirname(file), {recursive: true})
    writeFileSync(file, blob.stdout)
    onFile?.(file)
  }
  return target
}

/** All files below a folder whose name fits, in a fixed order. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

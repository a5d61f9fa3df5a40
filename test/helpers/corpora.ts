import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync} from 'node:fs'
import path from 'node:path'

/*
 * Test files of other projects. None are part of this one: packages of the system bring some, and a folder that
 * TRANSSHIP_CORPORA names holds others, one folder a project, each a working tree or a bare Git repository.
 */

/**
 * The files of a fetched project whose folder has `name` in its own; undefined when it was not fetched. A bare repository
 * is unpacked below `scratch`.
 */
export function findCorpus(name: string, scratch: string): string | undefined {
  const root = process.env['TRANSSHIP_CORPORA']
  if (root === undefined || !existsSync(root)) return undefined
  const entry = readdirSync(root).find((candidate) => candidate.includes(name))
  if (entry === undefined) return undefined
  const folder = path.join(root, entry)
  const repository = [folder, path.join(folder, 'repo')].find((candidate) =>
    ['HEAD', 'objects'].every((part) => existsSync(path.join(candidate, part))),
  )
  if (repository === undefined) return folder
  const target = path.join(scratch, name)
  if (existsSync(target)) return target
  mkdirSync(target, {recursive: true})
  const script = 'git --git-dir "$1" archive HEAD | tar -C "$2" -xf -'
  const run = spawnSync('sh', ['-e', '-c', script, 'sh', repository, target], {encoding: 'utf8'})
  if (run.status !== 0) throw new Error(`${repository} cannot be unpacked: ${run.stderr}`)
  return target
}

/** All files below a folder whose name fits, in a fixed order. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

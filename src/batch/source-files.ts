import {existsSync} from 'node:fs'
import {lstat, readdir, stat} from 'node:fs/promises'
import path from 'node:path'
import picomatch from 'picomatch'
import {asTransshipError} from '../model/errors.js'
import type {Reference} from '../model/reference.js'
import {findReference, resolveReference} from '../transports/catalog.js'
import {isLocal, pathIn, referenceIn} from './place.js'

/**
 * The references that a source of a plan stands for, with paths of this process: itself, or what its glob finds, in
 * the order of the paths. A bare path is recognised by its content. Throws `BAD_REFERENCE`, `AMBIGUOUS_SELECTION`,
 * `NOT_FOUND`.
 */
export async function sourceReferences(text: string, folder: string): Promise<readonly Reference[]> {
  const parsed = findReference(text)
  const spelt = parsed === undefined ? pathIn(folder, text) : referenceIn(folder, parsed).path
  const written = parsed === undefined ? text : parsed.path
  // What the plan says is a glob, not the folder that it lies in.
  const isGlob =
    (parsed === undefined || isLocal(parsed)) && !existsSync(spelt) && picomatch.scan(posix(written)).isGlob
  if (parsed !== undefined && !isGlob) return [referenceIn(folder, parsed)]
  const found: Reference[] = []
  for (const file of isGlob ? await findPaths(written, folder) : [spelt]) {
    found.push(parsed === undefined ? (await resolveReference(file)).reference : {...parsed, path: file})
  }
  return found
}

function posix(text: string): string {
  return path.sep === '\\' ? text.replaceAll('\\', '/') : text
}

/** Files and folders that a glob finds, one that is relative from `folder`; of what it finds inside of each other, the outer. */
async function findPaths(glob: string, folder: string): Promise<readonly string[]> {
  const {base, glob: pattern} = picomatch.scan(posix(glob))
  const root = pathIn(folder, base === '' ? '.' : base)
  const fits = picomatch(pattern, {strictBrackets: true})
  const isDeep = pattern.includes('**')
  const depth = pattern.split('/').length
  const found: string[] = []
  const visit = async (folder: string, inside: string): Promise<void> => {
    for (const child of (await readdir(folder, {withFileTypes: true})).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const relative = inside === '' ? child.name : `${inside}/${child.name}`
      const full = path.join(folder, child.name)
      if (fits(relative)) found.push(full)
      else if (child.name.startsWith('.') || !(isDeep || relative.split('/').length < depth)) continue
      // As in a shell, links are followed where the depth is given: no circle has an end.
      else if (child.isDirectory() || (!isDeep && child.isSymbolicLink() && (await isFolder(full))))
        await visit(full, relative)
    }
  }
  try {
    await lstat(root)
    await visit(root, '')
  } catch (error) {
    throw asTransshipError(error, {path: root})
  }
  return found
}

async function isFolder(place: string): Promise<boolean> {
  return stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

import path from 'node:path'
import {stampOfFolder} from '../../disk/file-stamp.js'
import {NOTHING_OPEN, useOpen} from '../../disk/kept-open.js'
import {isAsDecoded} from '../../formats/package/known-documents.js'
import {findPackage, packagesNamed, type Repository, type StoredPackage} from '../../formats/package/repository.js'
import {METADATA} from '../../formats/package/write-package.js'
import type {Reference} from '../../model/reference.js'
import {readRepository} from './repository.js'

/**
 * The repository that a reference leads into. A batch opens each of a thousand packages by its name: the repository is read
 * once then, as long as its folder has the same entries, and the packages that are meant say the same as they did.
 */
export async function repositoryFor({path: root, selector}: Reference): Promise<Repository> {
  if (selector === undefined) return readRepository(root)
  const stampOf = () => stampOfFolder(root)
  const open = async () => {
    const stamp = await stampOf()
    const repository = await readRepository(root)
    return {value: {...NOTHING_OPEN, repository}, stamp}
  }
  const use = await useOpen(`inbox repository ${root}`, {stampOf, open})
  await use.release()
  const {repository} = use.value
  return isAsRead(repository, selector) ? repository : readRepository(root)
}

function isAsRead(repository: Repository, selector: string): boolean {
  const meant = [...packagesNamed(repository.packages, selector)]
  // What is not there, or cannot be read, may have become so or be mended.
  if (meant.length === 0) return false
  const seen = new Set<StoredPackage>()
  for (let next = meant.pop(); next !== undefined; next = meant.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    if (!isAsDecoded(path.join(repository.root, next.entryName, METADATA), next)) return false
    for (const dependency of next.metadata.dependencies) {
      const below = findPackage(repository, dependency)
      if (below === undefined) return false
      meant.push(below)
    }
  }
  return true
}

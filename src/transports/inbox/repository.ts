import {readdir} from 'node:fs/promises'
import path from 'node:path'
import {asTransshipError, InputError, TransshipError} from '../../model/errors.js'
import {formatFullName, identityKey, parseFullName} from '../../model/package-identity.js'
import {decodeOnce} from '../../formats/package/known-documents.js'
import {decodeDocument, MAX_METADATA_BYTES, type PackageDocument} from '../../formats/package/metadata.js'
import {distinct, isFullName, type Repository, type StoredPackage} from '../../formats/package/repository.js'
import {METADATA} from '../../formats/package/write-package.js'
import {FolderFiles} from '../../formats/transport-layout/folder-files.js'
import {findSmallFile} from '../../disk/small-file.js'
import type {Fault} from '../../model/transport.js'
import {GRAMMAR, INBOX} from './reference.js'

/** True when the folder is a repository or looks like one: its marker, or a package in it. */
export async function isRepository(folder: string): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => [])
  if (names.includes('repository.json')) return true
  return names.some(
    (name) =>
      isFullName(name) && findSmallFile(path.join(folder, name, METADATA), MAX_METADATA_BYTES, name) !== undefined,
  )
}

/**
 * Reads all packages of a repository. What cannot be read is told as a fault and left out: one bad package must not
 * hide the others, nor must two of one identity. Throws `NOT_FOUND` and the like for the folder itself.
 */
export async function readRepository(root: string): Promise<Repository> {
  let children
  try {
    children = await readdir(root, {withFileTypes: true})
  } catch (error) {
    throw asTransshipError(error, {reference: `${INBOX}:${root}`})
  }
  const packages: StoredPackage[] = []
  const faults: Fault[] = []
  const unreadable = new Map<string, TransshipError>()
  for (const child of children.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    if (!child.isDirectory() || child.name.startsWith('.')) continue
    try {
      packages.push(readPackage(root, child.name))
    } catch (error) {
      if (!(error instanceof TransshipError)) throw error
      faults.push({code: error.code, message: error.message, subject: child.name})
      if (isFullName(child.name)) unreadable.set(identityKey(parseFullName(child.name)), error)
    }
  }
  return repositoryOf(root, distinct({packages, faults, unreadable}))
}

/** Throws `UNRECOGNISED_FORMAT` for a folder that holds no package, not even a broken one, and is not marked as a repository. */
export async function requireRepository({root, packages, unreadable}: Repository): Promise<void> {
  if (packages.length + unreadable.size > 0 || (await isRepository(root))) return
  throw new InputError('UNRECOGNISED_FORMAT', {
    what: `'${root}' is not a repository of packages.`,
    why: 'It contains neither a package nor repository.json.',
    at: {reference: `${INBOX}:${root}`},
  })
}

function readPackage(root: string, entryName: string): StoredPackage {
  const folder = path.join(root, entryName)
  const file = path.join(folder, METADATA)
  const document = decodeOnce(file, () => decodeFile(file, entryName))
  return {entryName, files: new FolderFiles(folder, entryName), place: {kind: 'folder', path: folder}, ...document}
}

function decodeFile(file: string, entryName: string): PackageDocument {
  const place = `${entryName}/${METADATA}`
  const bytes = findSmallFile(file, MAX_METADATA_BYTES, place)
  if (bytes === undefined) {
    throw new InputError('PACKAGE_INCOMPLETE', {
      what: `The folder '${entryName}' has no metadata.json.`,
      why: 'That file is written last, so the package is incomplete, or the folder is not a package.',
      suggestions: ['Delete this folder and write the package again.'],
      at: {path: place},
    })
  }
  return decodeDocument(bytes, entryName)
}

/** A repository that has been read, or is still to be made. */
export function repositoryOf(
  root: string,
  found: Pick<Repository, 'packages' | 'faults' | 'unreadable' | 'clashing'> = {
    packages: [],
    faults: [],
    unreadable: new Map(),
  },
): Repository {
  return {
    root,
    ...found,
    referenceTo: (identity) =>
      GRAMMAR.format({
        transport: INBOX,
        path: root,
        ...(identity === undefined ? {} : {selector: formatFullName(identity)}),
      }),
    close: () => undefined,
  }
}

import {statSync} from 'node:fs'
import path from 'node:path'
import {InputError, UsageError} from '../../model/errors.js'
import {formatFullName} from '../../model/package-identity.js'
import type {Reference} from '../../model/reference.js'
import type {DestinationOptions, PackageDestination} from '../../model/transport.js'
import {removeTree} from '../../disk/remove-tree.js'
import {createPackages} from '../../formats/package/destination.js'
import type {PackagePlace} from '../../formats/package/package-place.js'
import {readPackageFile} from './read-package.js'
import {APPX, EXTENSION} from './reference.js'
import {findPlace, readNeighbours, readPlace, repositoryOf, type AppxPlace} from './repository.js'
import {writeContainer} from './write-container.js'

/** Opens a file for one package, or a folder for a file of each; made if it is not there. `DESTINATION_EXISTS`, `BAD_OPTION`. */
export function createAppx(reference: Reference, options: DestinationOptions): Promise<PackageDestination> {
  const level = levelOf(options)
  const place = findPlace(reference)
  return createPackages(placeOf(place, {...options, level}), options)
}

function placeOf(place: AppxPlace, options: DestinationOptions & {readonly level: number | undefined}): PackagePlace {
  const isFile = place.kind === 'file'
  const root = isFile ? path.dirname(place.path) : place.path
  const name = path.basename(place.path)
  const reference = `${APPX}:${place.path}`
  return {
    root,
    reference,
    exists: isFolder(root),
    keepsFiles: true,
    ...(isFile ? {holdsOne: true, workPrefix: `.${name}.tmp-`, lockName: `.${name}.lock`} : {workPrefix: '.appx-tmp-'}),
    read: async () => {
      const now = findPlace({path: place.path})
      if (!now.exists) return repositoryOf(place)
      try {
        return await readPlace({transport: APPX, path: place.path})
      } catch (error) {
        // A file that is no package has nothing that could be compared; whether it may go is asked later.
        if (isFile && error instanceof InputError) return repositoryOf(place)
        throw error
      }
    },
    ...(isFile ? {neighbours: async () => (await readNeighbours(root)).packages} : {}),
    nameOf: (identity, existing) =>
      isFile ? name : (existing?.entryName ?? `${formatFullName(identity)}${EXTENSION}`),
    seal: async ({folder, stored}, work, {signal}) => {
      const file = path.join(work, `${formatFullName(stored.metadata.identity)}${EXTENSION}`)
      const {concurrency, level} = options
      const bytesWritten = await writeContainer(folder, file, {
        metadata: stored.metadata,
        level,
        concurrency,
        ...(signal === undefined ? {} : {signal}),
      })
      // Its promises would stand for all files of the folder at once.
      removeTree(folder)
      const sealed = await readPackageFile(file)
      sealed.close()
      return {path: file, stored: sealed, bytesWritten}
    },
  }
}

function isFolder(root: string): boolean {
  return statSync(root, {throwIfNoEntry: false})?.isDirectory() === true
}

/** Packages know deflate or nothing. */
function levelOf({compression, compressionLevel}: DestinationOptions): number | undefined {
  if (compression === 'zstd') {
    throw new UsageError('BAD_OPTION', {
      what: 'AppX packages do not support zstd.',
      suggestions: ['Leave out --compression, or pass --compression none.'],
    })
  }
  if (compression === 'none') return 0
  if (compressionLevel !== undefined && !(compressionLevel >= 0 && compressionLevel <= 9))
    throw new UsageError('BAD_OPTION', {
      what: `${compressionLevel} is not a valid level for deflate.`,
      why: 'Expected 0 to 9.',
    })
  return compressionLevel
}

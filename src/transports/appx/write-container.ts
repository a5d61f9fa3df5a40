import {closeSync, openSync, readSync} from 'node:fs'
import {open} from 'node:fs/promises'
import path from 'node:path'
import {BLOCK_BYTES} from '../../codecs/appx/block-map.js'
import {encodePackage, partOf, type AppxPart} from '../../codecs/appx/encode-package.js'
import {encodeManifest, LOGO, type ManifestFacts} from '../../codecs/appx/manifest.js'
import {findNameFault} from '../../codecs/appx/part-name.js'
import {asTransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {PackageMetadata} from '../../model/image.js'
import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {FolderFiles} from '../shared/transport-layout/folder-files.js'
import {OPEN_FLAGS} from '../shared/transport-layout/small-file.js'
import {ESCAPED_FOLDER, escapedName, findSidecarFolder, joinIndex, splitIndex} from './container-index.js'

const INDEX_NAME = 'payload-index.jsonl'
const MAX_INDEX_BYTES = 1024 * 1024 * 1024
/** Read at a time: a whole number of blocks. */
const CHUNK_BYTES = 16 * BLOCK_BYTES

/** AppX asks for a logo: one pixel of nothing. */
const LOGO_BYTES = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

export interface WriteContainerOptions extends WorkOptions {
  /** Of deflate, 0 = parts are stored. */
  readonly level?: number | undefined
  readonly concurrency?: number | undefined
}

/** The facts of a manifest that the metadata of a package gives. */
export function manifestFacts(metadata: PackageMetadata): Omit<ManifestFacts, 'containerDigest'> {
  const {identity, architecture, friendlyName, description, osVersion, isOsImage, dependencies} = metadata
  const [parent] = dependencies
  return {
    identity,
    architecture,
    ...(friendlyName === undefined ? {} : {friendlyName}),
    ...(description === undefined ? {} : {description}),
    ...(osVersion === undefined ? {} : {osVersion}),
    isOsImage,
    ...(parent === undefined ? {} : {parent}),
  }
}

/** Packs the folder of a package into a new file, to the disk. Gives its size in bytes. */
export async function writeContainer(
  folder: string,
  target: string,
  options: WriteContainerOptions & {readonly metadata: PackageMetadata},
): Promise<number> {
  const facts = manifestFacts(options.metadata)
  const bytes = encodePackage(partsOf(folder), {
    manifest: (containerDigest) => encodeManifest({...facts, containerDigest}),
    level: options.level,
    concurrency: options.concurrency,
    signal: options.signal,
  })
  let size = 0
  try {
    const file = await open(target, 'wx')
    try {
      for await (const piece of bytes) {
        await file.writeFile(piece)
        size += piece.byteLength
      }
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw asTransshipError(error, {path: path.basename(target)})
  }
  return size
}

/** The files of a package in the order of a walk, behind the logo. */
function* partsOf(folder: string): Generator<AppxPart> {
  const files = new FolderFiles(folder, path.basename(folder))
  const walked = walk(files)
  const index = files.findSmall(INDEX_NAME, MAX_INDEX_BYTES, INDEX_NAME)
  const escapes = new Map<string, string>()
  for (const {name} of walked.files) if (needsEscape(name)) escapes.set(name, escapedName(escapes.size + 1))
  const told = new Set(index === undefined || walked.empty.length === 0 ? [] : splitIndex(index).folders)
  const folders = walked.empty.filter((name) => !told.has(name))
  const isAdded = escapes.size > 0 || folders.length > 0
  const joined = isAdded ? joinIndex(index ?? new Uint8Array(0), {escapes, folders}) : undefined
  yield partOf(LOGO, LOGO_BYTES)
  let hasIndex = false
  for (const {name, sizeBytes} of walked.files) {
    const isIndex = name === INDEX_NAME
    hasIndex ||= isIndex
    if (isIndex && joined !== undefined) yield partOf(INDEX_NAME, joined)
    else yield {path: escapes.get(name) ?? name, sizeBytes, blocks: () => blocksOf(path.join(folder, name), sizeBytes)}
  }
  if (!hasIndex && joined !== undefined) yield partOf(INDEX_NAME, joined)
}

/** Names that AppX refuses, and those of the container itself. */
function needsEscape(name: string): boolean {
  return findNameFault(name) !== undefined || name === LOGO || name.startsWith(`${ESCAPED_FOLDER}/`)
}

interface Walked {
  readonly files: readonly {readonly name: string; readonly sizeBytes: number}[]
  /** Folders in which nothing lies and beside which no sidecar tells of them. */
  readonly empty: readonly string[]
}

function walk(files: FolderFiles): Walked {
  const found: {name: string; sizeBytes: number}[] = []
  const empty: string[] = []
  const visit = (folder: string): void => {
    const {folders, files: names} = files.list(folder)
    const inside = (name: string) => (folder === '' ? name : `${folder}/${name}`)
    const isFolder = new Set(folders)
    const hasSidecar = new Set(names)
    const all = [...folders, ...names].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    for (const name of all) {
      const at = inside(name)
      if (!isFolder.has(name)) {
        found.push({name: at, sizeBytes: files.find(at, at)?.sizeBytes ?? 0})
        continue
      }
      const {folders: below, files: in_} = files.list(at)
      if (below.length + in_.length > 0) visit(at)
      else if (
        !hasSidecar.has(`${name}${DIRECTORY_CARRIER_SUFFIX}`) ||
        findSidecarFolder(`${at}${DIRECTORY_CARRIER_SUFFIX}`) === undefined
      )
        empty.push(at)
    }
  }
  visit('')
  return {files: found, empty}
}

/** A file in fresh blocks. */
function* blocksOf(file: string, sizeBytes: number): Generator<Uint8Array> {
  if (sizeBytes === 0) return
  const fd = openSync(file, OPEN_FLAGS)
  try {
    for (let at = 0; at < sizeBytes;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - at))
      let filled = 0
      while (filled < chunk.byteLength) {
        const count = readSync(fd, chunk, filled, chunk.byteLength - filled, at + filled)
        if (count === 0) break
        filled += count
      }
      for (let start = 0; start < filled; start += BLOCK_BYTES)
        yield chunk.subarray(start, Math.min(filled, start + BLOCK_BYTES))
      at += filled
      if (filled < chunk.byteLength) return
    }
  } finally {
    closeSync(fd)
  }
}

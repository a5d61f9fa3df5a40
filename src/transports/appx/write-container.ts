import {closeSync} from 'node:fs'
import {open} from 'node:fs/promises'
import path from 'node:path'
import {fillBuffer} from '../../disk/fill-buffer.js'
import {BLOCK_BYTES} from '../../codecs/appx/block-map.js'
import {encodePackageViews, partOf, type AppxPart} from '../../codecs/appx/encode-package.js'
import {encodeManifest, LOGO, type ManifestFacts} from '../../codecs/appx/manifest.js'
import {findNameFault} from '../../codecs/appx/part-name.js'
import {asTransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {PackageMetadata} from '../../model/image.js'
import {comparePaths, DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {FolderFiles} from '../../formats/transport-layout/folder-files.js'
import {openRegular} from '../../disk/safe-open.js'
import {ESCAPED_FOLDER, escapedName, findSidecarFolder, joinIndex, splitIndex} from './container-index.js'

const INDEX_NAME = 'payload-index.jsonl'
/** Gives room for one block. */
type Take = () => Uint8Array<ArrayBuffer>

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
  const bytes = encodePackageViews(partsOf(folder), {
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
  const joined = joinedIndex(files)
  yield partOf(LOGO, LOGO_BYTES)
  let hasIndex = false
  for (const {name, isFile} of walk(files)) {
    if (!isFile) continue
    const isIndex = name === INDEX_NAME
    hasIndex ||= isIndex
    if (isIndex && joined.part !== undefined) yield joined.part
    else yield filePart(files, name, joined.escapes.get(name) ?? name)
  }
  if (!hasIndex && joined.part !== undefined) yield joined.part
}

function filePart(files: FolderFiles, name: string, partName: string): AppxPart {
  const sizeBytes = files.find(name, name)?.sizeBytes ?? 0
  return {path: partName, sizeBytes, blocks: (take) => blocksOf(path.join(files.root, name), sizeBytes, take)}
}

/** The names that files get for those that AppX refuses, and the index with what it has to tell more; undefined: nothing. */
function joinedIndex(files: FolderFiles): {
  readonly escapes: ReadonlyMap<string, string>
  readonly part?: AppxPart
} {
  const escapes = new Map<string, string>()
  const empty: string[] = []
  for (const {name, isFile} of walk(files)) {
    if (!isFile) empty.push(name)
    else if (needsEscape(name)) escapes.set(name, escapedName(escapes.size + 1))
  }
  const sizeBytes = files.find(INDEX_NAME, INDEX_NAME)?.sizeBytes ?? 0
  const index = () => blocksOf(path.join(files.root, INDEX_NAME), sizeBytes, freshBlock)
  const told = new Set(empty.length === 0 ? [] : splitIndex(index()).folders)
  const folders = empty.filter((name) => !told.has(name))
  if (escapes.size === 0 && folders.length === 0) return {escapes}
  const pieces = () => joinIndex(index(), {escapes, folders})
  let joinedBytes = 0
  for (const piece of pieces()) joinedBytes += piece.byteLength
  return {escapes, part: {path: INDEX_NAME, sizeBytes: joinedBytes, blocks: (take) => inBlocks(pieces(), take)}}
}

function freshBlock(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BLOCK_BYTES)
}

/** The same bytes in blocks. */
function* inBlocks(pieces: Iterable<Uint8Array>, take: Take): Generator<Uint8Array> {
  let block = take()
  let filled = 0
  for (const piece of pieces) {
    for (let done = 0; done < piece.byteLength;) {
      const count = Math.min(piece.byteLength - done, BLOCK_BYTES - filled)
      block.set(piece.subarray(done, done + count), filled)
      done += count
      filled += count
      if (filled < BLOCK_BYTES) continue
      yield block
      block = take()
      filled = 0
    }
  }
  if (filled > 0) yield block.subarray(0, filled)
}

/** Names that AppX refuses, and those of the container itself. */
function needsEscape(name: string): boolean {
  return findNameFault(name) !== undefined || name === LOGO || name.startsWith(`${ESCAPED_FOLDER}/`)
}

interface Walked {
  readonly name: string
  /** Else a folder in which nothing lies and beside which no sidecar tells of it. */
  readonly isFile: boolean
}

function* walk(files: FolderFiles, folder = '', names = files.list(folder)): Generator<Walked> {
  const isFolder = new Set(names.folders)
  const hasSidecar = new Set(names.files)
  for (const name of [...names.folders, ...names.files].sort(comparePaths)) {
    const at = folder === '' ? name : `${folder}/${name}`
    if (!isFolder.has(name)) {
      yield {name: at, isFile: true}
      continue
    }
    const inside = files.list(at)
    const sidecar = `${name}${DIRECTORY_CARRIER_SUFFIX}`
    if (inside.folders.length + inside.files.length > 0) yield* walk(files, at, inside)
    else if (!hasSidecar.has(sidecar) || findSidecarFolder(`${at}${DIRECTORY_CARRIER_SUFFIX}`) === undefined)
      yield {name: at, isFile: false}
  }
}

/** A file in blocks. */
function* blocksOf(file: string, sizeBytes: number, take: Take): Generator<Uint8Array> {
  if (sizeBytes === 0) return
  const {fd} = openRegular(file, {isListed: true})
  try {
    for (let at = 0; at < sizeBytes; at += BLOCK_BYTES) {
      const block = take().subarray(0, Math.min(BLOCK_BYTES, sizeBytes - at))
      const filled = fillBuffer(fd, block, at)
      yield block.subarray(0, filled)
      if (filled < block.byteLength) return
    }
  } finally {
    closeSync(fd)
  }
}

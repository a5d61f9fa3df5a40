import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {ByteSource} from '../backup-stream/byte-source.js'
import {zipFault} from '../zip/zip-fault.js'
import {
  DEFLATED,
  encodeCentralEntry,
  encodeDescriptor,
  encodeEnd,
  encodeLocalHeader,
  FLAG_DESCRIPTOR,
} from '../zip/zip-records.js'
import {BlockMapWriter} from './block-map.js'
import {ContentTypesWriter} from './content-types.js'
import {isStreamEnd} from './pack-blocks.js'
import type {PackageReader, StoredPart} from './package-reader.js'
import {BLOCK_MAP, CONTENT_TYPES, encodePartName, isUnmapped, MANIFEST} from './part-name.js'

export interface VerifyContainerOptions extends WorkOptions {
  readonly title: string
  readonly report: (fault: InputError) => void
}

/**
 * Reads every part of a package: headers, blocks, hashes, CRC, and that nothing lies between them. Gives the unpacked
 * bytes read. Dates and versions in headers are covered by no digest: of a package that transship wrote, `verifyCanonical`
 * checks them.
 */
export async function verifyParts(
  reader: PackageReader,
  zip: ByteSource,
  options: VerifyContainerOptions,
): Promise<number> {
  let bytes = 0
  for (const part of reader.parts()) {
    options.signal?.throwIfAborted()
    try {
      if (part.mapped === undefined) await reader.document(part.path)
      else await verifyPart(reader, part, {zip, title: options.title})
      bytes += part.entry.sizeBytes
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      options.report(error)
    }
  }
  return bytes
}

async function verifyPart(
  reader: PackageReader,
  part: StoredPart,
  {zip, title}: {readonly zip: ByteSource; readonly title: string},
): Promise<void> {
  const {entry, path} = part
  const data = reader.dataOf(part)
  if (data - entry.offset !== part.mapped?.localBytes)
    throw zipFault(
      `${title}: ${path}`,
      'The block map states another size for its header.',
      entry.offset,
      'ARCHIVE_CONTRADICTORY',
    )
  let crc = 0
  // One block is checked sooner than another thread has it.
  if (part.mapped.blocks === 1) crc = crc32(reader.block(part, data, 0))
  else for await (const block of reader.blocks(part, data, 0)) crc = crc32(block, crc)
  if (crc !== entry.crc)
    throw zipFault(`${title}: ${path}`, 'Its CRC does not match its content.', undefined, 'DIGEST_MISMATCH')
  if (entry.method !== DEFLATED) return
  const tailAt = data + blocksEnd(reader, part)
  const tail = zip.read(tailAt, data + entry.packedBytes - tailAt)
  // Of a file whose stream ends in its last block, the block has been checked to end there.
  if (!isStreamEnd(tail)) throw zipFault(`${title}: ${path}`, 'Its compressed data does not end correctly.', tailAt)
}

/** Where the packed blocks of a part end, counted from its data. */
function blocksEnd(reader: PackageReader, {mapped}: StoredPart): number {
  if (mapped === undefined || mapped.blocks === 0) return 0
  const last = mapped.firstBlock + mapped.blocks - 1
  return reader.blockMap.start(last) + reader.blockMap.packedBytes(last)
}

/** Compares the file from a place on with bytes that it should have there. */
class Comparison {
  readonly #zip: ByteSource
  readonly #options: VerifyContainerOptions
  readonly #what: string
  #at: number
  #hasFault = false

  constructor(zip: ByteSource, at: number, facts: {what: string; options: VerifyContainerOptions}) {
    this.#zip = zip
    this.#at = at
    this.#what = facts.what
    this.#options = facts.options
  }

  /** Reports only the first difference. */
  expect(bytes: Uint8Array): void {
    const at = this.#at
    this.#at += bytes.byteLength
    if (this.#hasFault) return
    const found = at + bytes.byteLength > this.#zip.sizeBytes ? undefined : this.#zip.read(at, bytes.byteLength)
    if (found !== undefined && Buffer.compare(found, bytes) === 0) return
    this.#hasFault = true
    const index = found === undefined ? 0 : bytes.findIndex((byte, place) => found[place] !== byte)
    const why = `${this.#what} differs from what transship writes.`
    this.#options.report(zipFault(this.#options.title, why, at + index, 'ARCHIVE_CONTRADICTORY'))
  }
}

/**
 * Writes the container of a package anew from what it says, and compares: a package that transship wrote has no byte
 * that could be otherwise. The manifest states the digest of everything in front of it.
 */
export function verifyCanonical(
  reader: PackageReader,
  zip: ByteSource,
  options: VerifyContainerOptions & {readonly containerDigest: string},
): void {
  const comparing = (at: number, what: string) => new Comparison(zip, at, {what, options})
  const {central} = reader.directory
  const list = comparing(central.offset, 'The list of entries')
  const documents = [MANIFEST, BLOCK_MAP, CONTENT_TYPES]
  let next = 0
  let isInOrder = true
  for (const {path, entry} of reader.parts()) {
    const document = documents[next]
    if (path === document) next++
    else isInOrder &&= next === 0 && !isUnmapped(path)
    const flags = path === CONTENT_TYPES ? 0 : FLAG_DESCRIPTOR
    const canonical = {...entry, name: encodePartName(path), flags}
    const local = encodeLocalHeader(canonical)
    comparing(entry.offset, `The header of '${path}'`).expect(local)
    if (flags !== 0) {
      const at = entry.offset + local.byteLength + entry.packedBytes
      comparing(at, `What follows '${path}'`).expect(encodeDescriptor(canonical))
    }
    list.expect(encodeCentralEntry(canonical))
  }
  if (!isInOrder) options.report(zipFault(options.title, 'Its parts are in the wrong order.', central.offset))
  comparing(central.offset + central.sizeBytes, 'The end').expect(encodeEnd(central))
  compareDocuments(reader, comparing)
  const manifest = reader.part(MANIFEST)
  const found = hashUntil(zip, manifest?.entry.offset ?? 0, options)
  if (found === options.containerDigest) return
  options.report(
    new InputError('DIGEST_MISMATCH', {
      what: 'The package has changed since it was written.',
      why: `Expected the digest ${options.containerDigest} for everything before its manifest, found ${found}.`,
      at: {path: options.title},
    }),
  )
}

function compareDocuments(reader: PackageReader, comparing: (at: number, what: string) => Comparison): void {
  const dataOf = (path: string): number => {
    const part = reader.part(path)
    return part === undefined ? 0 : part.entry.offset + encodeLocalHeader(part.entry).byteLength
  }
  const map = comparing(dataOf(BLOCK_MAP), 'The block map')
  const writer = new BlockMapWriter()
  const types = new ContentTypesWriter()
  for (const {path, mapped} of reader.parts()) {
    if (mapped === undefined) continue
    if (path !== MANIFEST) types.add(path)
    writer.add(path, mapped.sizeBytes, mapped.localBytes)
    for (let index = 0; index < mapped.blocks; index++) {
      const block = mapped.firstBlock + index
      const packedBytes = reader.blockMap.packedBytes(block)
      const hash = reader.blockMap.hash(block).toString('base64')
      writer.block({hash, ...(mapped.isPacked ? {packedBytes} : {})})
    }
    writer.end()
    for (const piece of writer.take()) map.expect(piece)
  }
  for (const piece of writer.finish()) map.expect(piece)
  const list = comparing(dataOf(CONTENT_TYPES), 'The list of content types')
  for (const piece of types.finish()) list.expect(piece)
}

const CHUNK_BYTES = 1024 * 1024

function hashUntil(zip: ByteSource, end: number, {signal}: WorkOptions): string {
  const hash = createHash('sha256')
  for (let at = 0; at < end; at += CHUNK_BYTES) {
    signal?.throwIfAborted()
    hash.update(zip.read(at, Math.min(CHUNK_BYTES, end - at)))
  }
  return `sha256:${hash.digest('hex')}`
}

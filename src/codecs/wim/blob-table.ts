import {HEADER_BYTES} from './header.js'
import {decodeResourceHeader, requireInside, ResourceFlag, type ResourceHeader} from './resource-header.js'
import {wimFault} from './wim-fault.js'

/** A packed resource that holds many blobs, one after the other. */
export interface SolidResource {
  readonly part: number
  readonly header: ResourceHeader
}

/** The blobs of a solid run lie in the unpacked bytes of its resources, end to end. */
export interface SolidRun {
  readonly resources: readonly SolidResource[]
}

/** A content, found by its SHA-1. */
export interface WimBlob {
  /** SHA-1 of the unpacked bytes, hex; empty where the table states none. */
  readonly hash: string
  /** Unpacked bytes. */
  readonly sizeBytes: number
  /** Of the split set: the number of the file that holds it, from 1. */
  readonly part: number
  readonly header: ResourceHeader
  /** Set when it lies in a solid run: `header.offset` is then a place in the run. */
  readonly run?: SolidRun
}

export interface BlobTable {
  /** The metadata resources of the images, in their order. */
  readonly images: readonly WimBlob[]
  /** By SHA-1, hex. */
  readonly blobs: ReadonlyMap<string, WimBlob>
}

export const TABLE_ENTRY_BYTES = 50
/** The original size that marks an entry of a solid run as a resource. Source: wimlib src/blob_table.c. */
const SOLID_RESOURCE = 2 ** 32
const SOLID_VERSION = 0xe00
const NO_HASH = '0'.repeat(40)

/** What the tables of all parts hold. */
export class BlobTableReader {
  readonly #images: WimBlob[] = []
  readonly #blobs = new Map<string, WimBlob>()

  get table(): BlobTable {
    return {images: this.#images, blobs: this.#blobs}
  }

  /**
   * Adds the table of one part. Throws `ARCHIVE_CORRUPT`, `ARCHIVE_TRUNCATED`. Entries without a hash or bytes are
   * left out, as are those that say to lie in another part; the first of two with the same hash counts.
   * Source: wimlib src/blob_table.c, read_blob_table.
   */
  add(table: Buffer, facts: {readonly part: number; readonly version: number; readonly fileSize: number}): void {
    const {part, version, fileSize} = facts
    if (table.byteLength % TABLE_ENTRY_BYTES !== 0)
      throw wimFault(
        `The table of contents has ${table.byteLength} bytes, which is not a multiple of ${TABLE_ENTRY_BYTES}.`,
      )
    let run: {resources: SolidResource[]} | undefined
    for (let at = 0; at < table.byteLength; at += TABLE_ENTRY_BYTES) {
      const header = decodeResourceHeader(table, at) //             0
      const owner = table.readUInt16LE(at + 24) //                 24  number of the part
      const references = table.readUInt32LE(at + 26) //            26  over all images
      const hash = table.toString('hex', at + 30, at + 50) //      30  SHA-1
      const isSolid = version === SOLID_VERSION && (header.flags & ResourceFlag.solid) !== 0
      if (!isSolid) run = undefined
      if ((header.flags & ResourceFlag.free) !== 0) continue
      if (owner !== part) throw wimFault(`Entry ${at / TABLE_ENTRY_BYTES} of the table lies in part ${owner}.`)
      const isMetadata = (header.flags & ResourceFlag.metadata) !== 0
      if (isSolid) {
        run ??= {resources: []}
        if (isMetadata) throw wimFault('The metadata of an image is in a solid resource.')
        if (header.originalSize === SOLID_RESOURCE) {
          requireInside(header, 'A solid resource', fileSize)
          run.resources.push({part, header})
        } else this.#keep({hash, sizeBytes: header.size, part, header, run})
        continue
      }
      requireResource(header, fileSize)
      const blob = {hash: hash === NO_HASH ? '' : hash, sizeBytes: header.originalSize, part, header}
      // A count of 0 occurs in Windows PE images of 2007: the metadata of an image that was deleted.
      if (!isMetadata) this.#keep(blob)
      else if (references !== 0) this.#images.push(blob)
    }
  }

  #keep(blob: WimBlob): void {
    if (blob.hash === NO_HASH || blob.hash === '' || blob.sizeBytes === 0 || this.#blobs.has(blob.hash)) return
    this.#blobs.set(blob.hash, blob)
  }
}

function requireResource(header: ResourceHeader, fileSize: number): void {
  requireInside(header, 'A resource', fileSize)
  if (header.size > 0 && header.offset < HEADER_BYTES) throw wimFault('A resource lies in the header.', header.offset)
  const isCompressed = (header.flags & ResourceFlag.compressed) !== 0
  if (!isCompressed && header.size !== header.originalSize)
    throw wimFault(`A resource of ${header.size} bytes claims to hold ${header.originalSize}.`, header.offset)
}

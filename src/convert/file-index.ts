import {foldPath, type LayerPath} from '../model/layer-path.js'
import {InputError} from '../model/errors.js'
import type {FileTimes} from '../model/windows-metadata.js'

/** What two files are compared by; `links` tells which other names are the same file. */
export const FILE_FIELDS = [
  'kind',
  'attributes',
  'times',
  'size',
  'content',
  'securityDescriptor',
  'extendedAttributes',
  'reparsePoint',
  'streams',
] as const
export type FileField = (typeof FILE_FIELDS)[number]

const KINDS = ['file', 'directory', 'tombstone', 'opaque'] as const

/** What is kept of a file: digests in place of everything that can be large. */
export interface FileFacts {
  readonly kind: (typeof KINDS)[number]
  readonly attributes?: number
  readonly times?: FileTimes
  /** Bytes of the unnamed stream; undefined = there is none. */
  readonly size?: number
  /** SHA-256. */
  readonly content?: Uint8Array
  /** Digests; undefined = there is none. */
  readonly securityDescriptor?: Uint8Array
  readonly extendedAttributes?: Uint8Array
  readonly reparsePoint?: Uint8Array
  readonly streams?: Uint8Array
}

/** Where each field lies in a record of this many bytes. */
const PLACES: Readonly<Record<FileField, readonly [offset: number, end: number]>> = {
  kind: [0, 1],
  attributes: [4, 8],
  times: [8, 40],
  size: [40, 48],
  content: [48, 80],
  securityDescriptor: [80, 96],
  extendedAttributes: [96, 112],
  reparsePoint: [112, 128],
  streams: [128, 144],
}
const RECORD_BYTES = 144
const CHUNK_RECORDS = 8192

/**
 * What is needed of each file of a payload to compare it with another: some 150 bytes and its name, whatever its size.
 * Names meet as Windows compares them; the names of one file share a record.
 */
export class FileIndex {
  readonly #chunks: Buffer[] = []
  #count = 0
  /** Folded path -> number of the record. */
  readonly #numbers = new Map<string, number>()
  /** As spelt, for those that are not hard links. */
  readonly #names = new Map<string, string>()
  readonly #links: {readonly path: LayerPath; readonly target: LayerPath}[] = []
  /** Number of a record -> all its names, folded, where there are several. */
  readonly #groups = new Map<number, string[]>()

  add(path: LayerPath, facts: FileFacts): void {
    const folded = foldPath(path)
    this.#numbers.set(folded, this.#append(facts))
    this.#names.set(folded, path)
  }

  /** Gives the number of the new record. */
  #append(facts: FileFacts): number {
    if (this.#count % CHUNK_RECORDS === 0) this.#chunks.push(Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES))
    encodeRecord(this.#record(this.#count), facts)
    return this.#count++
  }

  /** A further name of a file; the file may come later. */
  link(path: LayerPath, target: LayerPath): void {
    this.#links.push({path, target})
  }

  /** Gives every link the record of its file. Throws `LINK_TARGET_MISSING`. */
  resolveLinks(hasUnknownBelow: boolean): void {
    /** Of targets in layers that are not there, which have no name here: folded path -> number of the record. */
    const elsewhere = new Map<string, number>()
    const targets = new Map(this.#links.map(({path, target}) => [foldPath(path), foldPath(target)]))
    for (const {path, target} of this.#links) {
      let folded = foldPath(target)
      for (let step = 0; targets.has(folded) && step < targets.size; step++) folded = targets.get(folded) ?? folded
      const known = this.#numbers.get(folded) ?? elsewhere.get(folded)
      if (known === undefined && !hasUnknownBelow) throw missingTarget(path, target)
      // Nothing is known of a file in a layer that is not there, but which one the link means.
      const number = known ?? this.#append({kind: 'file'})
      if (known === undefined) elsewhere.set(folded, number)
      const group = this.#groups.get(number) ?? [folded]
      this.#groups.set(number, [...group, foldPath(path)])
      this.#numbers.set(foldPath(path), number)
      this.#names.set(foldPath(path), path)
    }
    for (const group of this.#groups.values()) group.sort()
  }

  /** Folded paths, unordered. */
  keys(): IterableIterator<string> {
    return this.#numbers.keys()
  }

  has(folded: string): boolean {
    return this.#numbers.has(folded)
  }

  /** The path as spelt. */
  nameOf(folded: string): string {
    return this.#names.get(folded) ?? folded
  }

  /** The fields kept of a file. Throws nothing for a path that is there. */
  factsOf(folded: string): FileFacts {
    return decodeRecord(this.#recordOf(folded))
  }

  /** All names of the file, folded and sorted. */
  linksOf(folded: string): readonly string[] {
    return this.#groups.get(this.#numbers.get(folded) ?? -1) ?? [folded]
  }

  /** The fields in which the file of this path differs from that of another payload. */
  differences(folded: string, other: FileIndex): FileField[] {
    const [mine, theirs] = [this.#recordOf(folded), other.#recordOf(folded)]
    if (mine.equals(theirs)) return []
    return FILE_FIELDS.filter((field) => {
      const [offset, end] = PLACES[field]
      return mine.compare(theirs, offset, end, offset, end) !== 0
    })
  }

  #recordOf(folded: string): Buffer {
    return this.#record(this.#numbers.get(folded) ?? 0)
  }

  #record(number: number): Buffer {
    const start = (number % CHUNK_RECORDS) * RECORD_BYTES
    const chunk = this.#chunks[Math.floor(number / CHUNK_RECORDS)] ?? Buffer.alloc(RECORD_BYTES)
    return chunk.subarray(start, start + RECORD_BYTES)
  }
}

function encodeRecord(record: Buffer, facts: FileFacts): void {
  record.writeUInt8(KINDS.indexOf(facts.kind), 0)
  record.writeUInt32LE((facts.attributes ?? 0) >>> 0, 4)
  const {creation = 0n, lastAccess = 0n, lastWrite = 0n, change = 0n} = facts.times ?? {}
  for (const [index, time] of [creation, lastAccess, lastWrite, change].entries()) {
    record.writeBigInt64LE(BigInt.asIntN(64, time), 8 + index * 8)
  }
  record.writeBigInt64LE(BigInt(facts.size ?? -1), 40)
  for (const field of ['content', 'securityDescriptor', 'extendedAttributes', 'reparsePoint', 'streams'] as const) {
    const [offset, end] = PLACES[field]
    record.set(facts[field]?.subarray(0, end - offset) ?? [], offset)
  }
}

function decodeRecord(record: Buffer): FileFacts {
  const size = record.readBigInt64LE(40)
  const [creation, lastAccess, lastWrite, change] = [8, 16, 24, 32].map((offset) => record.readBigInt64LE(offset))
  const given = (field: FileField): Buffer | undefined => {
    const part = record.subarray(...PLACES[field])
    return part.every((byte) => byte === 0) ? undefined : Buffer.from(part)
  }
  const content = given('content')
  return {
    kind: KINDS[record.readUInt8(0)] ?? 'file',
    attributes: record.readUInt32LE(4),
    times: {
      creation: creation ?? 0n,
      lastAccess: lastAccess ?? 0n,
      lastWrite: lastWrite ?? 0n,
      change: change ?? 0n,
    },
    ...(size < 0n ? {} : {size: Number(size)}),
    ...(content === undefined ? {} : {content}),
  }
}

function missingTarget(path: string, target: string): InputError {
  return new InputError('LINK_TARGET_MISSING', {
    what: `The target of the hard link '${path}' is in no layer.`,
    why: `The target is '${target}'.`,
    at: {path},
  })
}

import {closeSync, lstatSync, openSync, statSync} from 'node:fs'
import path from 'node:path'
import {planCarrier, type CarrierPlan} from '../../codecs/carrier/plan-carrier.js'
import {DiskClock} from '../../disk/disk-clock.js'
import {readDiskTimes} from '../../disk/disk-times.js'
import {findNativeTimes} from '../../disk/native-times.js'
import {openRegular} from '../../disk/safe-open.js'
import type {Content} from '../../model/content.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {AlternateStream, DirectoryEntry, FileEntry} from '../../model/layer-entry.js'
import {DIRECTORY_CARRIER_SUFFIX, type LayerPath} from '../../model/layer-path.js'
import {UnpackLimit} from '../../model/unpack-limit.js'
import type {FileTimes} from '../../model/windows-metadata.js'
import {PayloadFile} from './carrier-file.js'
import {CarrierOutput, storeBytes, type CarrierOutputOptions, type Stamp, type StoredFile} from './carrier-output.js'
import {DiskFile} from './folder-files.js'
import {areLayoutNotes, type LayoutNotes} from './layout-notes.js'
import {IndexWriter} from './payload-index.js'
import {spoolContent} from './spooled-content.js'

/** Content up to this size goes into the carrier in one write. */
const SMALL_BYTES = 1024 * 1024
/** Content waits here for its place in a carrier. A layer has no entry of that name: all of its own lie in folders. */
const SPOOL = '~content.tmp'

/**
 * Writes what stands for one entry: a carrier, a sidecar, or a plain file. Each is written once, gets its times, and goes
 * into the payload index. Where a file lies, and that its folder exists, is up to the caller.
 */
export class PayloadWriter {
  readonly #root: string
  readonly #title: string
  readonly #options: WorkOptions
  readonly #outputOptions: Pick<CarrierOutputOptions, 'limit' | 'signal'>
  readonly index = new IndexWriter()
  readonly clock = new DiskClock(findNativeTimes())
  #sizeBytes = 0

  /** `root` is an existing folder; `title` is how messages name it. */
  constructor(root: string, title: string, options: WorkOptions) {
    this.#root = root
    this.#title = title
    this.#options = options
    const {maxUnpackedBytes, signal} = options
    this.#outputOptions = {limit: new UnpackLimit(title, maxUnpackedBytes), signal}
  }

  /** Bytes of all files so far; hard links count once. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Writes a file or a sidecar as a carrier, in the form that the entry's layout frame keeps where it fits. */
  async carrier(entry: FileEntry | DirectoryEntry, place: string): Promise<void> {
    const {layout} = entry.frame ?? {}
    const content = entry.kind === 'file' ? entry.content : undefined
    const plan = planCarrier(
      {
        kind: entry.kind,
        meta: entry.meta,
        ...(content === undefined ? {} : {contentBytes: content.size}),
        ...(content?.ranges === undefined ? {} : {contentRanges: content.ranges}),
      },
      layout === undefined || areLayoutNotes(layout) ? undefined : layout,
      (why) => {
        this.#options.onEvent?.({
          kind: 'note',
          code: 'layout-frame-unusable',
          message: `The layout frame does not match the entry, so transship ignored it: ${why}`,
          subject: entry.path,
        })
      },
    )
    if (plan.isAbsent) {
      // Without a sidecar, nothing else would tell its times.
      this.index.add({path: place.slice(0, -DIRECTORY_CARRIER_SUFFIX.length), times: entry.meta.times})
      return
    }
    const stored = await this.#writeParts(place, plan, entry)
    this.#sizeBytes += stored.sizeBytes
    this.index.add({path: place, ...stored, times: entry.meta.times})
  }

  /** Writes a file as it is. The index keeps what the disk cannot. */
  async plainFile({streams: _streams, ...entry}: FileEntry, place: string, notes: LayoutNotes): Promise<void> {
    const facts = plainFacts(entry, notes)
    const stored = await this.#writeParts(
      place,
      {parts: [{kind: 'content', sizeBytes: entry.content?.size ?? 0}], isFramed: true, isAbsent: false},
      {...entry, meta: {...entry.meta, times: facts.times}},
    )
    this.#sizeBytes += stored.sizeBytes
    this.index.add({path: place, ...stored, ...facts})
  }

  /** Puts a folder without a sidecar into the index. */
  plainDirectory(entry: DirectoryEntry, place: string, notes: LayoutNotes): void {
    this.index.add({path: place, ...plainFacts(entry, notes)})
  }

  /** Writes bytes as they are given; `indexed` are the times that the index states. */
  bytes(place: string, bytes: Uint8Array, {disk, indexed}: {disk: FileTimes; indexed: FileTimes | undefined}): void {
    const stored = storeBytes(this.#disk(place), [bytes], place, this.#stamp(disk, place))
    this.#sizeBytes += stored.sizeBytes
    this.index.add({path: place, ...stored, ...(indexed === undefined ? {} : {times: indexed})})
  }

  /** Opens a file that was written; the caller closes it. */
  open(place: string): PayloadFile {
    const disk = this.#disk(place)
    const {size} = statSync(disk)
    const file = new DiskFile(() => openRegular(disk, {place, isListed: true}), place)
    return new PayloadFile(file, size, {...this.#outputOptions, place: this.#placeTitle(place)})
  }

  /** Gives a file the times that another has. */
  copyTimes(place: string, from: string): void {
    const times = readDiskTimes(this.#disk(from), lstatSync(this.#disk(from), {bigint: true}))
    const fd = openSync(this.#disk(place), 'r+')
    try {
      this.#stamp(times, place)(fd)
    } finally {
      closeSync(fd)
    }
  }

  async #writeParts(place: string, plan: CarrierPlan, entry: FileEntry | DirectoryEntry): Promise<StoredFile> {
    const {meta, streams} = entry
    const content = entry.kind === 'file' ? entry.content : undefined
    const stamp = this.#stamp(meta.times, place)
    const isPlain = plan.parts.every((part) => part.kind !== 'stream' && !isSparse(part))
    if (isPlain && (content === undefined || (content.bytes?.byteLength ?? Infinity) <= SMALL_BYTES)) {
      const bytes = content?.bytes ?? new Uint8Array(0)
      const pieces = plan.parts.map((part) => (part.kind === 'bytes' ? part.bytes : bytes))
      return streams === undefined
        ? storeBytes(this.#disk(place), pieces, this.#placeTitle(place), stamp)
        : this.#withStreams(place, Buffer.concat(pieces), {streams, stamp})
    }
    const output = new CarrierOutput(this.#disk(place), {...this.#outputOptions, place: this.#placeTitle(place)})
    try {
      await this.#spooledParts(output, plan, entry, content)
      return output.finish(stamp)
    } finally {
      output.close()
    }
  }

  /** In one write, where no stream follows, as for most files. `bytes` are a copy: to ask for a stream ends the content. */
  async #withStreams(
    place: string,
    bytes: Uint8Array,
    {streams, stamp}: {readonly streams: AsyncIterable<AlternateStream>; readonly stamp: Stamp},
  ): Promise<StoredFile> {
    const iterator = streams[Symbol.asyncIterator]()
    let output: CarrierOutput | undefined
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        if (output === undefined) {
          output = new CarrierOutput(this.#disk(place), {...this.#outputOptions, place: this.#placeTitle(place)})
          output.put(bytes)
        }
        await output.stream(next.value.name, next.value.content, undefined)
      }
      return output?.finish(stamp) ?? storeBytes(this.#disk(place), [bytes], this.#placeTitle(place), stamp)
    } finally {
      output?.close()
      await iterator.return?.()
    }
  }

  /** Content must be read before the streams, wherever the carrier has it. */
  async #spooledParts(
    output: CarrierOutput,
    plan: CarrierPlan,
    entry: FileEntry | DirectoryEntry,
    content: Content | undefined,
  ): Promise<void> {
    const firstStream = plan.parts.findIndex((part) => part.kind === 'stream')
    const contentAt = plan.parts.findIndex((part) => part.kind === 'content')
    if (firstStream < 0 || firstStream > contentAt || content === undefined) {
      await this.#parts(output, plan, entry, content)
      return
    }
    const spooled = await spoolContent(content, this.#disk(SPOOL), this.#outputOptions)
    try {
      await this.#parts(output, plan, entry, spooled.content)
    } finally {
      spooled.close()
    }
  }

  async #parts(
    output: CarrierOutput,
    plan: CarrierPlan,
    entry: FileEntry | DirectoryEntry,
    content: Content | undefined,
  ): Promise<void> {
    const streams = entry.streams?.[Symbol.asyncIterator]()
    try {
      for (const part of plan.parts) {
        if (part.kind === 'bytes') output.put(part.bytes)
        else if (part.kind === 'content') await output.content(content, part.sizeBytes, part.sparse)
        else {
          const next = await streams?.next()
          if (next === undefined || next.done === true || next.value.content.size !== part.sizeBytes)
            throw this.#streamMissing(entry.path)
          await output.stream(next.value.name, next.value.content, part)
        }
      }
      const isFramed = plan.parts.some((part) => part.kind === 'stream')
      for (let next = await streams?.next(); next !== undefined && next.done !== true; next = await streams?.next()) {
        if (isFramed) throw this.#streamMissing(entry.path)
        await output.stream(next.value.name, next.value.content, undefined)
      }
    } finally {
      await streams?.return?.()
    }
  }

  #streamMissing(entry: LayerPath): InputError {
    return new InputError('RECIPE_CORRUPT', {
      what: `The layout frame of '${entry}' does not match its alternate streams.`,
      suggestions: ['Convert without the recipe (--no-keep-recipe).'],
      at: {path: this.#title},
    })
  }

  #stamp(times: FileTimes, place: string): Stamp {
    return (fd) => {
      this.clock.setFile(fd, times, this.#placeTitle(place))
    }
  }

  #disk(place: string): string {
    return path.join(this.#root, place)
  }

  #placeTitle(place: string): string {
    return `${this.#title}/${place}`
  }
}

function isSparse(part: CarrierPlan['parts'][number]): boolean {
  return part.kind === 'content' && part.sparse !== undefined
}

/** What the disk cannot keep of an entry without a carrier. */
function plainFacts({meta}: FileEntry | DirectoryEntry, {times}: LayoutNotes) {
  const {attributes, securityDescriptor, extendedAttributes, reparsePoint} = meta
  const metadata = {
    ...(securityDescriptor === undefined ? {} : {securityDescriptor}),
    ...(extendedAttributes === undefined ? {} : {extendedAttributes}),
    ...(reparsePoint === undefined ? {} : {reparsePoint}),
  }
  return {
    times: {...meta.times, ...times},
    attributes,
    ...(Object.keys(metadata).length === 0 ? {} : {metadata}),
  }
}

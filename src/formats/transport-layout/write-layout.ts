import {closeSync, lstatSync, openSync, statSync} from 'node:fs'
import path from 'node:path'
import type {HeldBytes} from '../../codecs/compression/held-bytes.js'
import {decodeTombstones, encodeTombstones, findTombstoneLine} from '../../codecs/tombstones/tombstones.js'
import {planCarrier, type CarrierPlan} from '../../codecs/carrier/plan-carrier.js'
import type {Digest} from '../../model/digest.js'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerForm} from '../../model/image.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../../model/layer-entry.js'
import {
  DIRECTORY_CARRIER_SUFFIX,
  foldPath,
  nameTaken,
  parentPath,
  payloadPart,
  type LayerPath,
} from '../../model/layer-path.js'
import {UnpackLimit} from '../../model/unpack-limit.js'
import type {FileTimes, WindowsMetadata} from '../../model/windows-metadata.js'
import {PayloadFile} from './carrier-file.js'
import {CarrierOutput, storeBytes, type CarrierOutputOptions, type Stamp, type StoredFile} from './carrier-output.js'
import {openRegular} from '../../disk/safe-open.js'
import {DiskClock} from '../../disk/disk-clock.js'
import {readDiskTimes} from '../../disk/disk-times.js'
import {DiskFile} from './folder-files.js'
import {ForeignNames} from './foreign-names.js'
import {LayoutFolders} from './layout-folders.js'
import {LayoutLinks} from './layout-links.js'
import {areLayoutNotes, decodeLayoutNotes, type LayoutNotes} from './layout-notes.js'
import {findNativeTimes} from '../../disk/native-times.js'
import {IndexWriter} from './payload-index.js'
import {metadataOf, streamsOf} from './read-layout.js'
import {TOMBSTONES} from './scan-layout.js'
import {spoolContent} from './spooled-content.js'

export interface WriteLayoutOptions extends WorkOptions {
  /** For messages: the folder, or the package whose payload it becomes. */
  readonly title: string
  readonly form: LayerForm
  /** What the layout cannot hold is kept beside it, so that it is not lost. */
  readonly keepsRecipe: boolean
  /**
   * What a time means that the file system cannot store: a loss where the folder is what is handed on (the default), a
   * note where the index is part of what is made, nothing where the folder is on its way into a file.
   */
  readonly unkeptTimes?: 'loss' | 'note' | 'ignored'
  /** Reads a file of the layers below, for hard links that lead there; its entry stays readable until the next call. */
  readonly readLower?: (path: LayerPath) => FileEntry | undefined
}

export interface WrittenLayout {
  readonly entries: number
  /** Bytes of all files of the payload. */
  readonly payloadBytes: number
  /** The bytes of payload-index.jsonl. */
  readonly index: HeldBytes
  /** SHA-256 of those bytes: what the payload is known by. */
  readonly digest: Digest
}

/** Content up to this size goes into the carrier in one write. */
const SMALL_BYTES = 1024 * 1024

/**
 * Writes a layer as a transport layout into an existing, empty folder. Entries must come without opaque directories;
 * parents that no entry states are made without metadata. Source: hcsshim internal/wclayer/legacy.go Add, AddLink;
 * format page, sections 1.1 and 1.6.
 */
export async function writeLayout(
  root: string,
  entries: AsyncIterable<LayerEntry>,
  options: WriteLayoutOptions,
): Promise<WrittenLayout> {
  const writer = new LayoutWriter(root, options)
  for await (const entry of entries) {
    options.signal?.throwIfAborted()
    await writer.add(entry)
  }
  return writer.finish()
}

class LayoutWriter {
  readonly #root: string
  readonly #options: WriteLayoutOptions
  readonly #outputOptions: Pick<CarrierOutputOptions, 'limit' | 'signal'>
  readonly #index = new IndexWriter()
  readonly #folders: LayoutFolders
  readonly #clock = new DiskClock(findNativeTimes())
  readonly #foreignNames = new ForeignNames()
  readonly #tombstones: LayerPath[] = []
  readonly #links: LayoutLinks
  #filesNotes: LayoutNotes = {}
  /** What the entries of the top folders say of their times, and of those of the sidecars beside. */
  readonly #tops = new Map<LayerPath, {readonly own: FileTimes; readonly sidecar: FileTimes}>()
  /** The utility VM is kept as plain files. */
  #isVmPlain = false
  #hasVm = false
  #entries = 0
  #payloadBytes = 0

  constructor(root: string, options: WriteLayoutOptions) {
    this.#root = root
    this.#options = options
    const {title, maxUnpackedBytes, signal} = options
    this.#outputOptions = {limit: new UnpackLimit(title, maxUnpackedBytes), signal}
    this.#folders = new LayoutFolders(root, title, (place) => this.#index.findName(place))
    this.#links = new LayoutLinks({
      root,
      title,
      findFile: (entry) => this.#findFile(entry),
      place: (entry) => this.#newPlace(entry),
      readLower: (target) => options.readLower?.(target),
      isPlain: (entry) => this.#isPlain(entry),
      copyLower: (file, link) => this.#file({...file, path: link.path}),
      copyOwn: (place, target, link) => this.#copyOwn(place, target, link),
      onLink: (file, target) => {
        this.#index.addLink(file, target)
      },
      onCopy: (file, target) => {
        this.#copyTimes(file, target)
      },
    })
  }

  async add(entry: LayerEntry): Promise<void> {
    // Opaque directories come expanded to deletions; frames belong to the recipe.
    if (entry.kind === 'frame' || entry.kind === 'opaque') return
    this.#entries++
    if (entry.kind === 'tombstone') {
      this.#tombstone(entry.path)
      return
    }
    if (payloadPart(entry.path) === 'other') throw this.#noPlace(entry.path)
    this.#meetVm(entry.path)
    this.#foreignNames.meet(entry.path)
    if (entry.kind === 'hard-link') await this.#links.add(entry)
    else if (entry.kind === 'directory') await this.#directory(entry)
    else await this.#file(entry)
  }

  /** A utility VM whose top no entry states has no carrier there, so its files are plain. */
  #meetVm(entry: LayerPath): void {
    if (this.#hasVm || payloadPart(entry) !== 'utility-vm') return
    this.#hasVm = true
    this.#isVmPlain = parentPath(entry) !== undefined
  }

  async finish(): Promise<WrittenLayout> {
    await this.#links.finish()
    // Windows deletes after it has written: a name that was made again must not be in the list, nor one below a file.
    const deletions = this.#tombstones.filter((deleted) => !this.#isThere(deleted) && !this.#isBelowFile(deleted))
    // Of a base, the hives lie among the files; only a delta must have the folder, even an empty one.
    for (const top of this.#options.form === 'delta' ? ['Files', 'Hives'] : ['Files']) this.#folders.make(top)
    this.#writeTombstones(deletions)
    this.#topTimes()
    this.#folders.finish(this.#clock)
    this.#tellUnkeptTimes()
    this.#foreignNames.tell(this.#options)
    const {bytes: index, digest} = this.#index.finish()
    return {entries: this.#entries, payloadBytes: this.#payloadBytes, index, digest}
  }

  /**
   * Of a delta, beside a System hive, the top folders have its times when they are read, and on the disk those of their sidecars, as
   * all folders do. Without one, the folders' own times are all that there is to read.
   */
  #topTimes(): void {
    const hasHive = this.#index.findName('Hives/System_Delta') !== undefined
    if (this.#options.form === 'base') return
    for (const [top, {own, sidecar}] of this.#tops)
      if (hasHive) this.#folders.retime(top, sidecar)
      else this.#index.add({path: this.#folders.find(top) ?? top, times: own})
  }

  #tellUnkeptTimes(): void {
    const {unkeptTimes = 'loss', onEvent} = this.#options
    const {unkept} = this.#clock
    if (unkept === undefined || unkeptTimes === 'ignored') return
    const message = `${unkept.message}${unkeptTimes === 'note' ? ' The payload index keeps it.' : ''}`
    onEvent?.({kind: unkeptTimes, code: 'times-not-kept', message, subject: unkept.subject})
  }

  #tombstone(deleted: LayerPath): void {
    if (findTombstoneLine(deleted) !== undefined) {
      this.#tombstones.push(deleted)
      return
    }
    this.#lost('deletion-outside-files', 'tombstones.txt can only name what lies below Files.', deleted)
  }

  /** True for a file or folder that was written, however it is spelt. Asked when all has been written. */
  #isThere(entry: LayerPath): boolean {
    return this.#folders.find(entry) !== undefined || this.#findFile(entry) !== undefined
  }

  #isBelowFile(entry: LayerPath): boolean {
    for (let above = parentPath(entry); above !== undefined; above = parentPath(above)) {
      if (this.#folders.find(above) !== undefined) return false
      if (this.#findFile(above) !== undefined) return true
    }
    return false
  }

  /** Where a file of this layer lies that has this name, in whatever case. */
  #findFile(entry: LayerPath): string | undefined {
    const place = this.#folders.findPlace(entry)
    return place === undefined ? undefined : this.#index.findName(place)
  }

  #writeTombstones(deletions: readonly LayerPath[]): void {
    const bytes = this.#tombstoneBytes(deletions)
    if (bytes === undefined) return
    // No entry stands for it; its time must only not be that of the day.
    const {tombstonesTimes: times} = this.#filesNotes
    const stamp = this.#stamp(times ?? this.#folders.timesOf('Files'), TOMBSTONES)
    const {sizeBytes, sha256} = storeBytes(this.#disk(TOMBSTONES), [bytes], TOMBSTONES, stamp)
    this.#payloadBytes += sizeBytes
    this.#index.add({path: TOMBSTONES, sizeBytes, sha256, ...(times === undefined ? {} : {times})})
  }

  #tombstoneBytes(deletions: readonly LayerPath[]): Uint8Array | undefined {
    const kept = this.#filesNotes.tombstones
    if (kept === null && deletions.length === 0) return undefined
    if (kept !== undefined && kept !== null && saysTheSame(kept, this.#tombstones)) return kept
    return this.#options.form === 'delta' || deletions.length > 0 ? encodeTombstones(deletions) : undefined
  }

  async #directory(entry: DirectoryEntry): Promise<void> {
    const notes = decodeLayoutNotes(entry.frame?.layout)
    const part = payloadPart(entry.path)
    const isTop = parentPath(entry.path) === undefined
    if (isTop && part === 'utility-vm')
      this.#isVmPlain = notes.isPlain ?? (this.#options.form === 'delta' && entry.meta.securityDescriptor === undefined)
    if (isTop && part === 'files') this.#filesNotes = notes
    const folder = this.#folders.state(entry.path, {...entry.meta.times, ...notes.times})
    if (this.#isPlain(entry.path)) {
      await this.#plainDirectory(entry, folder, notes)
      return
    }
    const sidecar = `${folder}${DIRECTORY_CARRIER_SUFFIX}`
    const meta = {...entry.meta, times: notes.sidecarTimes ?? entry.meta.times}
    if (isTop && part !== 'utility-vm') this.#tops.set(entry.path, {own: entry.meta.times, sidecar: meta.times})
    if (notes.sidecar !== undefined) {
      const stored = storeBytes(this.#disk(sidecar), [notes.sidecar], sidecar, this.#stamp(meta.times, sidecar))
      this.#stored(sidecar, stored, meta)
      return
    }
    await this.#carrier({...entry, meta}, sidecar)
  }

  async #plainDirectory(entry: DirectoryEntry, folder: string, notes: LayoutNotes): Promise<void> {
    await this.#dropStreams(entry)
    this.#index.add({path: folder, ...this.#plainFacts(entry, notes)})
  }

  /** What the disk cannot keep of an entry without a carrier. */
  #plainFacts(entry: FileEntry | DirectoryEntry, {times}: LayoutNotes) {
    const {attributes, securityDescriptor, extendedAttributes, reparsePoint} = entry.meta
    const hasMetadata =
      securityDescriptor !== undefined || extendedAttributes !== undefined || reparsePoint !== undefined
    return {
      times: {...entry.meta.times, ...times},
      attributes,
      ...(hasMetadata
        ? {
            metadata: {
              ...(securityDescriptor === undefined ? {} : {securityDescriptor}),
              ...(extendedAttributes === undefined ? {} : {extendedAttributes}),
              ...(reparsePoint === undefined ? {} : {reparsePoint}),
            },
          }
        : {}),
    }
  }

  async #dropStreams(entry: FileEntry | DirectoryEntry): Promise<void> {
    for await (const stream of entry.streams ?? []) {
      // No recipe holds content.
      this.#options.onEvent?.({
        kind: 'loss',
        code: 'stream-without-carrier',
        message: 'Without a carrier, a file has no place for an alternate stream; it was left out.',
        subject: `${entry.path}:${stream.name}`,
      })
    }
  }

  async #file(entry: FileEntry): Promise<void> {
    const file = this.#newPlace(entry)
    if (!this.#isPlain(entry.path)) {
      await this.#carrier(entry, file)
      return
    }
    const facts = this.#plainFacts(entry, decodeLayoutNotes(entry.frame?.layout))
    const stored = await this.#writeParts(
      file,
      {parts: [{kind: 'content', sizeBytes: entry.content?.size ?? 0}], isFramed: true, isAbsent: false},
      withoutStreams({...entry, meta: {...entry.meta, times: facts.times}}),
    )
    await this.#dropStreams(entry)
    this.#payloadBytes += stored.sizeBytes
    this.#index.add({path: file, ...stored, ...facts})
  }

  async #carrier(entry: FileEntry | DirectoryEntry, file: string): Promise<void> {
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
        this.#note('layout-frame-unusable', `Its kept form does not fit it: ${why}`, entry.path)
      },
    )
    if (plan.isAbsent) {
      // Without a sidecar, nothing else would tell its times.
      this.#index.add({path: file.slice(0, -DIRECTORY_CARRIER_SUFFIX.length), times: entry.meta.times})
      return
    }
    this.#stored(file, await this.#writeParts(file, plan, entry), entry.meta)
  }

  async #writeParts(file: string, plan: CarrierPlan, entry: FileEntry | DirectoryEntry): Promise<StoredFile> {
    const {meta, streams} = entry
    const content = entry.kind === 'file' ? entry.content : undefined
    const stamp = this.#stamp(meta.times, file)
    const isWhole = streams === undefined && plan.parts.every((part) => part.kind !== 'stream' && !isSparse(part))
    if (isWhole && (content === undefined || (content.bytes?.byteLength ?? Infinity) <= SMALL_BYTES)) {
      const bytes = content?.bytes ?? new Uint8Array(0)
      const pieces = plan.parts.map((part) => (part.kind === 'bytes' ? part.bytes : bytes))
      return storeBytes(this.#disk(file), pieces, this.#title(file), stamp)
    }
    const output = new CarrierOutput(this.#disk(file), {...this.#outputOptions, place: this.#title(file)})
    try {
      await this.#parts(output, file, plan, entry)
      return output.finish(stamp)
    } finally {
      output.close()
    }
  }

  async #parts(
    output: CarrierOutput,
    file: string,
    plan: CarrierPlan,
    entry: FileEntry | DirectoryEntry,
  ): Promise<void> {
    const firstStream = plan.parts.findIndex((part) => part.kind === 'stream')
    const contentAt = plan.parts.findIndex((part) => part.kind === 'content')
    const content = entry.kind === 'file' ? entry.content : undefined
    // Content must be read before the streams, wherever the carrier has it.
    const isLate = firstStream >= 0 && firstStream < contentAt && content !== undefined
    const spooled = isLate
      ? await spoolContent(content, `${this.#disk(file)}.~content`, this.#outputOptions)
      : undefined
    const held = spooled?.content ?? content
    const streams = entry.streams?.[Symbol.asyncIterator]()
    try {
      for (const part of plan.parts) {
        if (part.kind === 'bytes') output.put(part.bytes)
        else if (part.kind === 'content') await output.content(held, part.sizeBytes, part.sparse)
        else {
          const next = await streams?.next()
          if (next === undefined || next.done === true || next.value.content.size !== part.sizeBytes)
            throw this.#streamMissing(entry.path)
          await output.stream(next.value.name, next.value.content, part)
        }
      }
      for (let next = await streams?.next(); next !== undefined && next.done !== true; next = await streams?.next()) {
        if (firstStream >= 0) throw this.#streamMissing(entry.path)
        await output.stream(next.value.name, next.value.content, undefined)
      }
    } finally {
      await streams?.return?.()
      spooled?.close()
    }
  }

  #streamMissing(entry: LayerPath): InputError {
    return new InputError('RECIPE_CORRUPT', {
      what: `The kept form of '${entry}' does not fit its alternate streams.`,
      suggestions: ['Convert without it (--no-keep-recipe).'],
      at: {path: this.#options.title},
    })
  }

  #stored(file: string, {sizeBytes, sha256}: StoredFile, {times}: WindowsMetadata): void {
    this.#payloadBytes += sizeBytes
    this.#index.add({path: file, sizeBytes, sha256, times})
  }

  /** True where files lie as they are: hives, and a utility VM of a delta. */
  #isPlain(entry: LayerPath): boolean {
    const part = payloadPart(entry)
    return (part === 'hives' && parentPath(entry) !== undefined) || (part === 'utility-vm' && this.#isVmPlain)
  }

  /** Writes a file of this layer again. Without a carrier, what is known of it is in the index. */
  async #copyOwn(place: string, target: LayerPath, {path: name, meta}: HardLinkEntry): Promise<void> {
    const disk = this.#disk(place)
    const file = new PayloadFile(
      new DiskFile(() => openRegular(disk, {place, isListed: true}), place),
      statSync(disk).size,
      {
        ...this.#outputOptions,
        place: this.#title(place),
      },
    )
    try {
      if (this.#isPlain(target)) {
        const {attributes = meta.attributes, times = meta.times, metadata} = this.#index.find(place) ?? {}
        await this.#file({kind: 'file', path: name, meta: {attributes, times, ...metadata}, content: file.whole()})
        return
      }
      const carrier = file.decode('file')
      const content = carrier.data === undefined ? {} : {content: file.content(carrier.data)}
      await this.#file({
        kind: 'file',
        path: name,
        meta: metadataOf(carrier, this.#index.find(place)?.times ?? meta.times),
        ...content,
        ...streamsOf(file, carrier),
      })
    } finally {
      file.close()
    }
  }

  /** A copy that stands for a link has the time at which it was made. */
  #copyTimes(file: string, target: string): void {
    const times = readDiskTimes(this.#disk(target), lstatSync(this.#disk(target), {bigint: true}))
    const fd = openSync(this.#disk(file), 'r+')
    try {
      this.#stamp(times, file)(fd)
    } finally {
      closeSync(fd)
    }
  }

  /** Where a file or link is to lie; a name that is taken is refused before the disk is asked, which may know cases. */
  #newPlace({path: entry, meta}: FileEntry | HardLinkEntry): string {
    const taken = this.#findFile(entry) ?? this.#folders.find(entry)
    if (taken !== undefined) throw nameTaken(entry, taken, {path: this.#options.title})
    this.#links.made(entry)
    return this.#folders.placeFor(entry, meta.times)
  }

  #stamp(times: FileTimes, place: string): Stamp {
    return (fd) => {
      this.#clock.setFile(fd, times, this.#title(place))
    }
  }

  #disk(place: string): string {
    return path.join(this.#root, place)
  }

  #title(place: string): string {
    return `${this.#options.title}/${place}`
  }

  #noPlace(entry: LayerPath): InputError {
    return new InputError('NAME_UNSAFE', {
      what: `'${entry}' has no place in a transport layout.`,
      why: 'A layer holds only Files, Hives and UtilityVM.',
      at: {path: this.#options.title},
    })
  }

  #note(code: string, message: string, subject: string): void {
    this.#options.onEvent?.({kind: 'note', code, message, subject})
  }

  /** Lost, unless a recipe beside the payload still holds it. */
  #lost(code: string, message: string, subject: string): void {
    const kind = this.#options.keepsRecipe ? 'note' : 'loss'
    const kept = this.#options.keepsRecipe ? ' The recipe keeps it.' : ''
    this.#options.onEvent?.({kind, code, message: `${message}${kept}`, subject})
  }
}

function isSparse(part: CarrierPlan['parts'][number]): boolean {
  return part.kind === 'content' && part.sparse !== undefined
}

function withoutStreams({streams: _streams, ...entry}: FileEntry): FileEntry {
  return entry
}

/** True when the bytes of a tombstones.txt name just these deletions, in whatever order and form. */
function saysTheSame(bytes: Uint8Array, deletions: readonly LayerPath[]): boolean {
  const kept = new Set(decodeTombstones(bytes).map(foldPath))
  const now = new Set(deletions.map(foldPath))
  return kept.size === now.size && [...now].every((deleted) => kept.has(deleted))
}

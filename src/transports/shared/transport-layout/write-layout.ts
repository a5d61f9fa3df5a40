import {mkdirSync, readdirSync, statSync} from 'node:fs'
import path from 'node:path'
import type {HeldBytes} from '../../../codecs/compression/held-bytes.js'
import {decodeTombstones, encodeTombstones, findTombstoneLine} from '../../../codecs/tombstones/tombstones.js'
import {planCarrier, type CarrierPlan} from '../../../codecs/carrier/plan-carrier.js'
import type {Digest} from '../../../model/digest.js'
import {asTransshipError, findSystemCode, InputError} from '../../../model/errors.js'
import type {WorkOptions} from '../../../model/events.js'
import type {LayerForm} from '../../../model/image.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../../../model/layer-entry.js'
import {
  baseName,
  DIRECTORY_CARRIER_SUFFIX,
  foldPath,
  parentPath,
  payloadPart,
  type LayerPath,
} from '../../../model/layer-path.js'
import {UnpackLimit} from '../../../model/unpack-limit.js'
import type {WindowsMetadata} from '../../../model/windows-metadata.js'
import {PayloadFile} from './carrier-file.js'
import {CarrierOutput, setTimes, type CarrierOutputOptions, storeBytes, type StoredFile} from './carrier-output.js'
import {DiskFile} from './folder-files.js'
import {LayoutLinks} from './layout-links.js'
import {areLayoutNotes, decodeLayoutNotes, type LayoutNotes} from './layout-notes.js'
import {IndexWriter} from './payload-index.js'
import {metadataOf, streamsOf} from './read-layout.js'
import {spoolContent} from './spooled-content.js'

export interface WriteLayoutOptions extends WorkOptions {
  /** For messages: the folder, or the package whose payload it becomes. */
  readonly title: string
  readonly form: LayerForm
  /** What the layout cannot hold is kept beside it, so that it is not lost. */
  readonly keepsRecipe: boolean
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
  /** Folded path -> where the folder lies below the root. Layers spell one folder in several ways. */
  readonly #folders = new Map<string, string>([['', '']])
  readonly #tombstones: LayerPath[] = []
  readonly #links: LayoutLinks
  /** Folded names in a folder, of those that deletions asked for. */
  readonly #listed = new Map<string, ReadonlySet<string>>()
  #filesNotes: LayoutNotes = {}
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
    this.#links = new LayoutLinks({
      root,
      title: options.title,
      findPlace: (entry) => this.#findPlace(entry),
      place: (entry) => this.#place(entry),
      readLower: (target) => options.readLower?.(target),
      isPlain: (entry) => this.#isPlain(entry),
      copyLower: (file, link) => this.#file({...file, path: link.path}),
      copyOwn: (place, target, link) => this.#copyOwn(place, target, link),
      onLink: (file, target) => {
        this.#index.addLink(file, target)
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
    for (const top of this.#options.form === 'delta' ? ['Files', 'Hives'] : ['Files']) this.#folder(top)
    this.#writeTombstones(deletions)
    const {bytes: index, digest} = this.#index.finish()
    return {entries: this.#entries, payloadBytes: this.#payloadBytes, index, digest}
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
    if (this.#folders.has(foldPath(entry))) return true
    const folder = this.#folders.get(foldPath(parentPath(entry) ?? ''))
    if (folder === undefined) return false
    const names = this.#listed.get(folder) ?? new Set(readdirSync(this.#disk(folder)).map(foldPath))
    this.#listed.set(folder, names)
    return names.has(foldPath(baseName(entry)))
  }

  #isBelowFile(entry: LayerPath): boolean {
    for (let above = parentPath(entry); above !== undefined; above = parentPath(above)) {
      if (this.#folders.has(foldPath(above))) return false
      if (this.#isThere(above)) return true
    }
    return false
  }

  #writeTombstones(deletions: readonly LayerPath[]): void {
    const bytes = this.#tombstoneBytes(deletions)
    if (bytes === undefined) return
    const times = {creation: 0n, lastAccess: 0n, lastWrite: 0n, change: 0n}
    const {sizeBytes, sha256} = storeBytes(this.#disk('tombstones.txt'), [bytes], times, 'tombstones.txt')
    this.#payloadBytes += sizeBytes
    this.#index.add({path: 'tombstones.txt', sizeBytes, sha256})
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
    const folder = this.#folder(entry.path)
    if (this.#isPlain(entry.path)) {
      await this.#plainDirectory(entry, folder, notes)
      return
    }
    const sidecar = `${folder}${DIRECTORY_CARRIER_SUFFIX}`
    const meta = {...entry.meta, times: notes.sidecarTimes ?? entry.meta.times}
    if (notes.sidecar !== undefined) {
      const stored = storeBytes(this.#disk(sidecar), [notes.sidecar], meta.times, sidecar)
      this.#stored(sidecar, stored, meta)
      return
    }
    await this.#carrier({...entry, meta}, sidecar)
  }

  async #plainDirectory(entry: DirectoryEntry, folder: string, notes: LayoutNotes): Promise<void> {
    await this.#dropStreams(entry)
    setTimes(this.#disk(folder), entry.meta.times)
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
    const file = this.#place(entry.path)
    if (!this.#isPlain(entry.path)) {
      await this.#carrier(entry, file)
      return
    }
    const stored = await this.#writeParts(
      file,
      {parts: [{kind: 'content', sizeBytes: entry.content?.size ?? 0}], isFramed: true, isAbsent: false},
      withoutStreams(entry),
    )
    await this.#dropStreams(entry)
    this.#payloadBytes += stored.sizeBytes
    this.#index.add({path: file, ...stored, ...this.#plainFacts(entry, decodeLayoutNotes(entry.frame?.layout))})
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
    if (plan.isAbsent) return
    this.#stored(file, await this.#writeParts(file, plan, entry), entry.meta)
  }

  async #writeParts(file: string, plan: CarrierPlan, entry: FileEntry | DirectoryEntry): Promise<StoredFile> {
    const {meta, streams} = entry
    const content = entry.kind === 'file' ? entry.content : undefined
    const {times} = meta
    const isWhole = streams === undefined && plan.parts.every((part) => part.kind !== 'stream' && !isSparse(part))
    if (isWhole && (content === undefined || (content.bytes?.byteLength ?? Infinity) <= SMALL_BYTES)) {
      const bytes = content?.bytes ?? new Uint8Array(0)
      const pieces = plan.parts.map((part) => (part.kind === 'bytes' ? part.bytes : bytes))
      return storeBytes(this.#disk(file), pieces, times, this.#title(file))
    }
    const output = new CarrierOutput(this.#disk(file), {...this.#outputOptions, place: this.#title(file)})
    try {
      await this.#parts(output, file, plan, entry)
      return output.finish(times)
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
    const file = new PayloadFile(new DiskFile(disk, place), statSync(disk).size, {
      ...this.#outputOptions,
      place: this.#title(place),
    })
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

  /** Where an entry lies, its folder made if need be. */
  #place(entry: LayerPath): string {
    const parent = parentPath(entry)
    const folder = parent === undefined ? '' : this.#folder(parent)
    this.#links.made(entry)
    return folder === '' ? baseName(entry) : `${folder}/${baseName(entry)}`
  }

  #findPlace(entry: LayerPath): string | undefined {
    const parent = parentPath(entry)
    const folder = parent === undefined ? '' : this.#folders.get(foldPath(parent))
    return folder === undefined ? undefined : `${folder}/${baseName(entry)}`
  }

  #folder(entry: string): string {
    const folded = foldPath(entry)
    const known = this.#folders.get(folded)
    if (known !== undefined) return known
    const slash = entry.lastIndexOf('/')
    const folder = slash < 0 ? entry : `${this.#folder(entry.slice(0, slash))}${entry.slice(slash)}`
    try {
      mkdirSync(this.#disk(folder))
    } catch (error) {
      if (findSystemCode(error) !== 'EEXIST') throw asTransshipError(error, {path: this.#title(folder)})
      throw new InputError('NAME_COLLISION', {
        what: `'${entry}' is a file, and other entries lie in it as if it were a folder.`,
        at: {path: this.#options.title},
        cause: error,
      })
    }
    this.#folders.set(folded, folder)
    return folder
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

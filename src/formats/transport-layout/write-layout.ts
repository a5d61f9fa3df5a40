import type {HeldBytes} from '../../codecs/compression/held-bytes.js'
import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerForm} from '../../model/image.js'
import type {DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry, TombstoneEntry} from '../../model/layer-entry.js'
import {DIRECTORY_CARRIER_SUFFIX, nameTaken, parentPath, payloadPart, type LayerPath} from '../../model/layer-path.js'
import type {FileTimes} from '../../model/windows-metadata.js'
import {ForeignNames} from './foreign-names.js'
import {LayoutFolders} from './layout-folders.js'
import {LayoutLinks} from './layout-links.js'
import {decodeLayoutNotes, type LayoutNotes} from './layout-notes.js'
import {PayloadWriter} from './payload-writer.js'
import {metadataOf, streamsOf} from './read-layout.js'
import {TOMBSTONES} from './scan-layout.js'
import {WrittenDeletions} from './written-deletions.js'

/** Options of `writeLayout`. */
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

/** What `writeLayout` wrote. */
export interface WrittenLayout {
  readonly entries: number
  /** Bytes of all files of the payload. */
  readonly payloadBytes: number
  /** The bytes of payload-index.jsonl. */
  readonly index: HeldBytes
  /** SHA-256 of those bytes: what the payload is known by. */
  readonly digest: Digest
}

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
  readonly #options: WriteLayoutOptions
  readonly #payload: PayloadWriter
  readonly #folders: LayoutFolders
  readonly #foreignNames = new ForeignNames()
  readonly #links: LayoutLinks
  readonly #deletions = new WrittenDeletions()
  #filesNotes: LayoutNotes = {}
  /** What the entries of the top folders say of their times, and of those of the sidecars beside. */
  readonly #tops = new Map<LayerPath, {readonly own: FileTimes; readonly sidecar: FileTimes}>()
  /** The utility VM is kept as plain files. */
  #isVmPlain = false
  #hasVm = false
  #entries = 0

  constructor(root: string, options: WriteLayoutOptions) {
    this.#options = options
    const {title} = options
    this.#payload = new PayloadWriter(root, title, options)
    const {index} = this.#payload
    this.#folders = new LayoutFolders(root, title, (place) => index.findName(place))
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
        index.addLink(file, target)
      },
      onCopy: (file, target) => {
        this.#payload.copyTimes(file, target)
      },
    })
  }

  async add(entry: LayerEntry): Promise<void> {
    // Opaque directories come expanded to deletions; frames belong to the recipe.
    if (entry.kind === 'frame' || entry.kind === 'opaque') return
    this.#entries++
    if (entry.kind === 'tombstone') {
      this.#tombstone(entry)
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
    const {clock, index} = this.#payload
    await this.#links.finish()
    // Of a base, the hives lie among the files; only a delta must have the folder, even an empty one.
    for (const top of this.#options.form === 'delta' ? ['Files', 'Hives'] : ['Files']) this.#folders.make(top)
    this.#writeTombstones()
    this.#topTimes()
    this.#folders.finish(clock)
    this.#tellUnkeptTimes()
    this.#foreignNames.tell(this.#options)
    const {bytes, digest} = index.finish()
    return {entries: this.#entries, payloadBytes: this.#payload.sizeBytes, index: bytes, digest}
  }

  /**
   * Of a delta, beside a System hive, the top folders have its times when they are read, and on the disk those of their sidecars, as
   * all folders do. Without one, the folders' own times are all that there is to read.
   */
  #topTimes(): void {
    const hasHive = this.#payload.index.findName('Hives/System_Delta') !== undefined
    if (this.#options.form === 'base') return
    for (const [top, {own, sidecar}] of this.#tops)
      if (hasHive) this.#folders.retime(top, sidecar)
      else this.#payload.index.add({path: this.#folders.find(top) ?? top, times: own})
  }

  #tellUnkeptTimes(): void {
    const {unkeptTimes = 'loss', onEvent} = this.#options
    const {unkept} = this.#payload.clock
    if (unkept === undefined || unkeptTimes === 'ignored') return
    const message = `${unkept.message}${unkeptTimes === 'note' ? ' The payload index keeps it.' : ''}`
    onEvent?.({kind: unkeptTimes, code: 'times-not-kept', message, subject: unkept.subject})
  }

  #tombstone(entry: TombstoneEntry): void {
    if (this.#deletions.add(entry)) return
    this.#lost('deletion-outside-files', 'tombstones.txt can only name paths below Files.', entry.path)
  }

  /** Where a file of this layer lies that has this name, in whatever case. */
  #findFile(entry: LayerPath): string | undefined {
    const place = this.#folders.findPlace(entry)
    return place === undefined ? undefined : this.#payload.index.findName(place)
  }

  #writeTombstones(): void {
    const {tombstones: kept, tombstonesTimes: times} = this.#filesNotes
    const written = {
      isFolder: (entry: LayerPath) => this.#folders.find(entry) !== undefined,
      isFile: (entry: LayerPath) => this.#findFile(entry) !== undefined,
    }
    const bytes = this.#deletions.encode(written, kept, this.#options.form === 'delta')
    if (bytes === undefined) return
    // No entry stands for it; its time must only not be that of the day.
    this.#payload.bytes(TOMBSTONES, bytes, {disk: times ?? this.#folders.timesOf('Files'), indexed: times})
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
      await this.#dropStreams(entry)
      this.#payload.plainDirectory(entry, folder, notes)
      return
    }
    const sidecar = `${folder}${DIRECTORY_CARRIER_SUFFIX}`
    const meta = {...entry.meta, times: notes.sidecarTimes ?? entry.meta.times}
    if (isTop && part !== 'utility-vm') this.#tops.set(entry.path, {own: entry.meta.times, sidecar: meta.times})
    if (notes.sidecar === undefined) await this.#payload.carrier({...entry, meta}, sidecar)
    else this.#payload.bytes(sidecar, notes.sidecar, {disk: meta.times, indexed: meta.times})
  }

  async #dropStreams(entry: FileEntry | DirectoryEntry): Promise<void> {
    for await (const stream of entry.streams ?? []) {
      // No recipe holds content.
      this.#options.onEvent?.({
        kind: 'loss',
        code: 'stream-without-carrier',
        message: 'A file without a carrier cannot store alternate streams, so this one was left out.',
        subject: `${entry.path}:${stream.name}`,
      })
    }
  }

  async #file(entry: FileEntry): Promise<void> {
    const file = this.#newPlace(entry)
    if (!this.#isPlain(entry.path)) {
      await this.#payload.carrier(entry, file)
      return
    }
    await this.#payload.plainFile(entry, file, decodeLayoutNotes(entry.frame?.layout))
    await this.#dropStreams(entry)
  }

  /** True where files lie as they are: hives, and a utility VM of a delta. */
  #isPlain(entry: LayerPath): boolean {
    const part = payloadPart(entry)
    return (part === 'hives' && parentPath(entry) !== undefined) || (part === 'utility-vm' && this.#isVmPlain)
  }

  /** Writes a file of this layer again. Without a carrier, what is known of it is in the index. */
  async #copyOwn(place: string, target: LayerPath, {path: name, meta}: HardLinkEntry): Promise<void> {
    const known = this.#payload.index.find(place)
    const file = this.#payload.open(place)
    try {
      if (this.#isPlain(target)) {
        const {attributes = meta.attributes, times = meta.times, metadata} = known ?? {}
        await this.#file({kind: 'file', path: name, meta: {attributes, times, ...metadata}, content: file.whole()})
        return
      }
      const carrier = file.decode('file')
      const content = carrier.data === undefined ? {} : {content: file.content(carrier.data)}
      await this.#file({
        kind: 'file',
        path: name,
        meta: metadataOf(carrier, known?.times ?? meta.times),
        ...content,
        ...streamsOf(file, carrier),
      })
    } finally {
      file.close()
    }
  }

  /** Where a file or link is to lie; a name that is taken is refused before the disk is asked, which may know cases. */
  #newPlace({path: entry, meta}: FileEntry | HardLinkEntry): string {
    const taken = this.#findFile(entry) ?? this.#folders.find(entry)
    if (taken !== undefined) throw nameTaken(entry, taken, {path: this.#options.title})
    this.#links.made(entry)
    return this.#folders.placeFor(entry, meta.times)
  }

  #noPlace(entry: LayerPath): InputError {
    return new InputError('NAME_UNSAFE', {
      what: `A transport layout cannot store '${entry}'.`,
      why: 'It can contain only Files, Hives and UtilityVM.',
      at: {path: this.#options.title},
    })
  }

  /** Lost, unless a recipe beside the payload still holds it. */
  #lost(code: string, message: string, subject: string): void {
    const kind = this.#options.keepsRecipe ? 'note' : 'loss'
    const kept = this.#options.keepsRecipe ? ' The recipe keeps it.' : ''
    this.#options.onEvent?.({kind, code, message: `${message}${kept}`, subject})
  }
}

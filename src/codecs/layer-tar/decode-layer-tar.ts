import {hash} from 'node:crypto'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import type {
  AlternateStream,
  DirectoryEntry,
  EntryFrame,
  FileEntry,
  FrameEntry,
  HardLinkEntry,
  LayerEntry,
} from '../../model/layer-entry.js'
import {
  baseName,
  controlNameRefused,
  foldPath,
  isControlName,
  nameTaken,
  parentPath,
  parseLayerPath,
  payloadPart,
  type LayerPath,
} from '../../model/layer-path.js'
import {PathTable} from '../../model/path-table.js'
import {requireDepth} from '../../model/unpack-limit.js'
import {FileAttribute, type WindowsMetadata} from '../../model/windows-metadata.js'
import {isStreamName} from '../carrier/stream-name.js'
import {encodeReparsePoint, linkNameToTarget} from '../reparse-point/encode-reparse-point.js'
import {readTar, type TarItem, type TarMember, type TarRemark} from '../tar/tar-reader.js'
import {encodeArchiveFrame, type FramedBody} from './archive-frame.js'
import {
  canonicalHeader,
  canonicalLinkHeader,
  canonicalOpaque,
  canonicalStreamHeader,
  canonicalWhiteout,
  OPAQUE_NAME,
  streamMode,
  WHITEOUT_PREFIX,
} from './canonical-header.js'
import {cleanName, requireLayerMember} from './layer-member.js'
import {decodeMetadata, KEY, layoutFrameOf} from './metadata-records.js'

export interface DecodeLayerTarOptions extends WorkOptions {
  /** For messages: which layer this is. */
  readonly title: string
  /** Attach to each entry what is needed to write the very same tar again. */
  readonly keepFrames: boolean
  /** Take a tar without its end for whole; only where its digest is checked. */
  readonly mayLackEnd?: boolean
}

/** Bodies that are no content (of a whiteout, a link, a directory) are kept in frames up to this size. */
const MAX_INLINE_BYTES = 256 * 1024
const FILE = 1

/**
 * The entries of a Windows layer tar: Microsoft's own, and the looser ones that tools on Linux make. Unsafe names,
 * duplicates and names that Windows takes for one are refused by their code; nothing else than `Files`, `Hives` and
 * `UtilityVM` may lie at the top. Source: go-winio backuptar, hcsshim ociwclayer/import.go; format page, section 4.
 */
export async function* decodeLayerTar(
  tar: AsyncIterable<Uint8Array>,
  options: DecodeLayerTarOptions,
): AsyncGenerator<LayerEntry> {
  const {title, signal, mayLackEnd = false} = options
  const items = readTar(tar, {...unpackOptions(options), title, code: 'LAYER_CORRUPT', signal, mayLackEnd})
  const decoder = new LayerDecoder(new Lookahead(items), options)
  try {
    yield* decoder.entries()
  } finally {
    await items.return(undefined)
  }
}

/** One item ahead: alternate streams are members of their own, after their owner. */
class Lookahead {
  readonly #items: AsyncIterator<TarItem>
  #next: Promise<IteratorResult<TarItem>> | undefined

  constructor(items: AsyncIterable<TarItem>) {
    this.#items = items[Symbol.asyncIterator]()
  }

  /** The next item, without taking it. Asking for it ends the body of the one before. */
  async peek(): Promise<TarItem | undefined> {
    this.#next ??= this.#items.next()
    const next = await this.#next
    return next.done === true ? undefined : next.value
  }

  async take(): Promise<TarItem | undefined> {
    const item = await this.peek()
    this.#next = undefined
    return item
  }
}

class LayerDecoder {
  readonly #items: Lookahead
  readonly #options: DecodeLayerTarOptions
  /** Paths as Windows compares them, which have a number: of a file `FILE`, of a directory the place of its raw member. */
  readonly #seen = new PathTable({isFolding: true})
  /** Digest of what a repeated directory must equal. */
  readonly #directories: Uint8Array[] = []
  /** Padding behind the last body of an entry, given out after it. */
  #remarks: FrameEntry[] = []
  /** The top of the utility VM has come with a security descriptor: a layout keeps its files as carriers. */
  #vmHasCarriers = false

  constructor(items: Lookahead, options: DecodeLayerTarOptions) {
    this.#items = items
    this.#options = options
  }

  async *entries(): AsyncGenerator<LayerEntry> {
    for (;;) {
      const item = await this.#items.take()
      if (item === undefined) return
      if (item.kind !== 'member') {
        yield* this.#remark(item)
        continue
      }
      const entry = await this.#decode(item)
      if (entry === undefined) continue
      yield entry
      if (entry.kind === 'file' || entry.kind === 'directory') await this.#finishStreams(entry)
      yield* this.#remarks
      this.#remarks = []
    }
  }

  *#remark(remark: TarRemark): Generator<FrameEntry> {
    if (this.#options.keepFrames) {
      yield {kind: 'frame', frame: {archive: encodeArchiveFrame({kind: 'raw', place: remark.kind, bytes: remark.raw})}}
    }
  }

  async #decode(member: TarMember): Promise<LayerEntry | undefined> {
    requireLayerMember(member, this.#options.title)
    requireDepth(member.name, this.#options.title, this.#options)
    const name = cleanName(member.name)
    if (name === '') return this.#dropped(member)
    const base = name.slice(name.lastIndexOf('/') + 1)
    if (base.startsWith(WHITEOUT_PREFIX)) return this.#whiteout(member, name, base)
    const path = this.#requirePath(name, member)
    const repeated = this.#register(path, member)
    if (repeated) return this.#dropped(member)
    if (member.type === 'hard-link') return this.#hardLink(member, path)
    return this.#node(member, path)
  }

  /** A member that stands for no entry but must come back: the top directory itself, a parent stated twice. */
  async #dropped(member: TarMember): Promise<LayerEntry | undefined> {
    if (!this.#options.keepFrames) return undefined
    const {archive} = await this.#frame(member, undefined, 'inline')
    return archive === undefined ? undefined : {kind: 'frame', frame: {archive}}
  }

  async #whiteout(member: TarMember, name: string, base: string): Promise<LayerEntry | undefined> {
    const directory = name.slice(0, -base.length)
    if (base === OPAQUE_NAME) {
      const path = this.#requirePath(directory.replace(/\/$/, ''), member)
      return {kind: 'opaque', path, ...(await this.#framed(member, () => canonicalOpaque(path), 'inline'))}
    }
    const target = base.slice(WHITEOUT_PREFIX.length)
    // Other names that begin so are notes of an AUFS host, which Windows knows nothing of.
    if (target.startsWith(WHITEOUT_PREFIX)) {
      if (directory !== '') this.#requirePath(directory.slice(0, -1), member)
      return this.#dropped(member)
    }
    const path = this.#requirePath(`${directory}${target}`, member)
    return {kind: 'tombstone', path, ...(await this.#framed(member, () => canonicalWhiteout(path), 'inline'))}
  }

  #requirePath(name: string, member: TarMember): LayerPath {
    const path = this.#parsePath(name, member)
    const part = payloadPart(path)
    const base = baseName(path)
    const at = {path: this.#options.title, offset: member.offset}
    if (isControlName(base)) throw controlNameRefused(name, at)
    if (part !== 'other') return path
    throw new InputError('NAME_UNSAFE', {
      what: `The layer entry '${name}' is not allowed.`,
      why: 'A Windows layer contains only Files, Hives and UtilityVM. Anything else could mislead Windows.',
      suggestions: ['Check where the layer comes from. Linux layers cannot become transport layouts.'],
      at,
    })
  }

  #parsePath(name: string, member: TarMember): LayerPath {
    try {
      return parseLayerPath(name)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      const {code, what, why, suggestions} = error
      const at = {path: this.#options.title, offset: member.offset}
      throw new InputError(code, {what, ...(why === undefined ? {} : {why}), suggestions, at, cause: error})
    }
  }

  /** True for a directory that repeats one exactly. Anything else that meets an earlier entry is refused. */
  #register(path: LayerPath, member: TarMember): boolean {
    const seen = this.#seen.get(path)
    const isDirectory = member.type === 'directory'
    if (seen === 0) {
      this.#seen.set(path, isDirectory ? FILE + this.#directories.push(digestOfRaw(member)) : FILE)
      return false
    }
    const directory = this.#directories[seen - FILE - 1]
    if (isDirectory && directory !== undefined && Buffer.compare(directory, digestOfRaw(member)) === 0) return true
    const {path: first} = this.#seen.at(this.#seen.find(path))
    throw nameTaken(path, first, {path: this.#options.title, offset: member.offset})
  }

  async #hardLink(member: TarMember, path: LayerPath): Promise<HardLinkEntry> {
    const target = this.#requirePath(cleanName(member.linkname), member)
    const entry: HardLinkEntry = {kind: 'hard-link', path, target, meta: decodeMetadata(member)}
    const framed = await this.#framed(member, () => canonicalLinkHeader(withLayout(entry, member), true), 'inline')
    return withLayout({...entry, ...framed}, member)
  }

  async #node(member: TarMember, path: LayerPath): Promise<FileEntry | DirectoryEntry> {
    const plain = decodeMetadata(member)
    const meta: WindowsMetadata = member.type === 'symlink' ? {...plain, reparsePoint: linkBuffer(member)} : plain
    const isDirectory = (meta.attributes & FileAttribute.directory) !== 0
    // A device or pipe of a Linux tool has no content on Windows; a directory by its attributes has none either.
    const isFile = !isDirectory && member.type === 'file'
    // Microsoft's writer marks a data stream in the mode; its reader makes one for every file, so only a frame can tell.
    const hasContent = isFile && (member.header.mode !== 0 || member.storedSize > 0)
    const bare: FileEntry | DirectoryEntry = isDirectory
      ? {kind: 'directory', path, meta}
      : {kind: 'file', path, meta, ...(hasContent ? {content: member.content} : {})}
    const expected = () => canonicalHeader(withLayout(bare, member), true)
    const isLossy = this.#lacksCarrier(path, meta) || hasContent !== isFile
    const framed = await this.#framed(member, expected, hasContent ? 'content' : 'inline', isLossy)
    const entry = withLayout({...bare, ...framed}, member)
    return {...entry, streams: this.#streams(entry)}
  }

  /**
   * A transport layout keeps these without carriers, so their metadata cannot be told again from the payload alone: the
   * top folders, the hives, and of a utility VM whose top has no descriptor or does not come first what has times of its
   * own for creation and access.
   */
  #lacksCarrier(path: LayerPath, meta: WindowsMetadata): boolean {
    const part = payloadPart(path)
    if (parentPath(path) === undefined) {
      if (part === 'utility-vm') this.#vmHasCarriers = meta.securityDescriptor !== undefined
      return true
    }
    if (part !== 'utility-vm' || this.#vmHasCarriers) return part === 'hives'
    const {creation, lastAccess, lastWrite} = meta.times
    return creation !== lastWrite || lastAccess !== lastWrite
  }

  /** The alternate streams that follow their owner: regular members whose name is the owner's, a colon, and more. */
  async *#streams(owner: FileEntry | DirectoryEntry): AsyncGenerator<AlternateStream> {
    const prefix = `${owner.path}:`
    const names = new Set<string>()
    let before: Uint8Array | undefined
    for (let item = await this.#items.peek(); item !== undefined; item = await this.#items.peek()) {
      if (item.kind === 'padding') {
        await this.#items.take()
        before = item.raw
        this.#remarks = [...this.#remark(item)]
        continue
      }
      if (item.kind !== 'member' || !/^[0\0]$/.test(item.header.typeflag)) return
      const full = cleanName(item.name)
      if (!full.startsWith(prefix)) return
      await this.#items.take()
      requireLayerMember(item, this.#options.title)
      this.#remarks = []
      const name = full.slice(prefix.length).replace(/:\$DATA$/, '')
      this.#requireStreamName(name, names, item)
      const bare = {name, content: item.content}
      const expected = () => canonicalStreamHeader({path: owner.path, meta: owner.meta, mode: streamMode(owner)}, bare)
      yield {...bare, ...(await this.#framed(item, expected, 'content', false, before))}
      before = undefined
    }
  }

  #requireStreamName(name: string, names: Set<string>, member: TarMember): void {
    const isSafe = isStreamName(name)
    const folded = foldPath(name)
    if (isSafe && !names.has(folded)) {
      names.add(folded)
      return
    }
    throw new InputError(isSafe ? 'DUPLICATE_ENTRY' : 'NAME_UNSAFE', {
      what: `The alternate stream '${member.name}' is not allowed.`,
      why: isSafe ? 'The file already has a stream with this name.' : 'Its name could mean another file or stream.',
      at: {path: this.#options.title, offset: member.offset},
    })
  }

  /** Streams that the consumer has left unread are skipped. */
  async #finishStreams(entry: FileEntry | DirectoryEntry): Promise<void> {
    for await (const _stream of entry.streams ?? []);
  }

  async #framed(
    member: TarMember,
    canonical: () => Uint8Array,
    body: 'content' | 'inline',
    always = false,
    before?: Uint8Array,
  ): Promise<{frame?: EntryFrame}> {
    if (!this.#options.keepFrames) return {}
    const frame = await this.#frame(member, always || before !== undefined ? undefined : canonical(), body, before)
    return frame.archive === undefined ? {} : {frame}
  }

  /** Nothing when the member is spelt as `canonical`. */
  async #frame(
    member: TarMember,
    canonical: Uint8Array | undefined,
    body: 'content' | 'inline',
    before?: Uint8Array,
  ): Promise<EntryFrame> {
    const isPlain = member.content.ranges === undefined && (body === 'content' || member.storedSize === 0)
    if (isPlain && canonical !== undefined && Buffer.compare(canonical, member.raw) === 0) return {}
    return {
      archive: encodeArchiveFrame({
        kind: 'member',
        header: member.raw,
        body: await this.#framedBody(member, body),
        ...(before === undefined ? {} : {before}),
      }),
    }
  }

  async #framedBody(member: TarMember, body: 'content' | 'inline'): Promise<FramedBody> {
    const {ranges} = member.content
    if (body === 'content') {
      return ranges === undefined
        ? {kind: 'content'}
        : {kind: 'sparse', mapBytes: member.mapBytes ?? new Uint8Array(), ranges}
    }
    if (member.storedSize > MAX_INLINE_BYTES || ranges !== undefined) {
      throw new InputError('LIMIT_EXCEEDED', {
        what: `The layer entry '${member.name}' has ${member.storedSize} bytes that belong to no file.`,
        why: `The recipe stores the body of a whiteout, link or directory only up to ${MAX_INLINE_BYTES} bytes.`,
        suggestions: ['Convert with --no-keep-recipe to drop these bytes.'],
        at: {path: this.#options.title, offset: member.offset},
      })
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of member.content.open()) chunks.push(Uint8Array.from(chunk))
    return {kind: 'inline', bytes: Buffer.concat(chunks)}
  }
}

/** Headers may be large, and there may be many. */
function digestOfRaw({raw}: TarMember): Uint8Array {
  return hash('sha256', raw, 'buffer')
}

function withLayout<T extends FileEntry | DirectoryEntry | HardLinkEntry>(entry: T, member: TarMember): T {
  const layout = layoutFrameOf(member)
  return layout === undefined ? entry : {...entry, frame: {...entry.frame, layout}}
}

function linkBuffer(member: TarMember): Uint8Array {
  const kind = member.pax.has(KEY.mountPoint) ? 'junction' : 'symlink'
  return encodeReparsePoint({kind, target: linkNameToTarget(member.linkname)})
}

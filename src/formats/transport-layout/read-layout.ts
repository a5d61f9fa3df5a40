import type {Carrier} from '../../codecs/carrier/carrier.js'
import {encodeCarrierFrame} from '../../codecs/carrier/carrier-frame.js'
import {encodeCarrierHead} from '../../codecs/carrier/plan-carrier.js'
import {encodeTombstones} from '../../codecs/tombstones/tombstones.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerForm} from '../../model/image.js'
import type {AlternateStream, EntryFrame, LayerEntry} from '../../model/layer-entry.js'
import {DIRECTORY_CARRIER_SUFFIX, payloadPart, type LayerPath} from '../../model/layer-path.js'
import {UnpackLimit} from '../../model/unpack-limit.js'
import {FileAttribute, type FileTimes, type WindowsMetadata} from '../../model/windows-metadata.js'
import {PayloadFile} from './carrier-file.js'
import {mayBeStoredAs} from '../../disk/disk-times.js'
import {requireFile, type FileFacts, type LayoutFiles} from './layout-files.js'
import type {DiskNode, LayoutNode} from './layout-nodes.js'
import {encodeLayoutNotes, type LayoutNotes} from './layout-notes.js'
import type {IndexLine, PayloadIndex} from './payload-index.js'
import {scanLayout, TOMBSTONES, type ScannedLayout} from './scan-layout.js'

/** Options of `TransportLayout`. */
export interface ReadLayoutOptions extends WorkOptions {
  /** For messages: the folder, or the package whose payload it is. */
  readonly title: string
  readonly form: LayerForm
  /** A plain tree (`plain-1`): real files instead of carriers. */
  readonly isPlain: boolean
  readonly index?: PayloadIndex
  /** The index lies beside the layout, where whoever changes the layout may not know of it. */
  readonly isIndexBeside?: boolean
}

/** A sidecar of a top folder is a few bytes in every known layout; beyond this it is no sidecar. */
const MAX_SIDECAR_BYTES = 256 * 1024

/** What a top folder's sidecar holds when Microsoft's importer made it of a bare directory. */
const PLAIN_DIRECTORY: Pick<WindowsMetadata, 'attributes'> = {attributes: FileAttribute.directory}

/** A transport layout. Listed once, then its entries can be read in any order, one at a time. */
export class TransportLayout {
  readonly files: LayoutFiles
  readonly scanned: ScannedLayout
  readonly #options: ReadLayoutOptions
  /** `device:inode`, or the name in the index -> the first name of a file with several. */
  readonly #firstNames = new Map<string, DiskNode>()
  #limit: UnpackLimit
  #open: PayloadFile | undefined
  #missing = 0
  /** Files whose time on the disk cannot have come of the one in the index. */
  #retimed: {count: number; readonly first: string} | undefined
  #seesLinks = true

  constructor(files: LayoutFiles, options: ReadLayoutOptions) {
    this.files = files
    this.#options = options
    this.#limit = new UnpackLimit(options.title, options.maxUnpackedBytes)
    this.scanned = scanLayout(files, options)
  }

  /** All entries, in the order of Microsoft's export. */
  // eslint-disable-next-line @typescript-eslint/require-await
  async *entries(): AsyncGenerator<LayerEntry> {
    this.#limit = new UnpackLimit(this.#options.title, this.#options.maxUnpackedBytes)
    try {
      for (const node of this.scanned.nodes) {
        this.#options.signal?.throwIfAborted()
        yield this.entry(node)
      }
      this.#tellRetimed()
      if (this.#missing > 0)
        this.#note(
          'sidecar-missing',
          this.#missing === 1 ? '1 folder has no metadata.' : `${this.#missing} folders have no metadata.`,
        )
    } finally {
      this.close()
    }
  }

  #tellRetimed(): void {
    if (this.#retimed === undefined) return
    const {count, first} = this.#retimed
    this.#retimed = undefined
    const files = count === 1 ? `'${first}' has another time` : `'${first}' and ${count - 1} more have other times`
    this.#note(
      'times-of-index',
      `${files} on disk than in payload-index.jsonl. transship uses the index; delete it to use the times on disk.`,
    )
  }

  /** Gives up what reading holds; `entries` does so at its end. */
  close(): void {
    this.#open?.close()
    this.#open = undefined
  }

  /**
   * The entry of a node; the one before is closed. With `links`, further names of a file met before are hard links;
   * without, each name is a file with content.
   */
  entry(node: LayoutNode, options: {readonly links: boolean} = {links: true}): LayerEntry {
    this.close()
    this.#seesLinks = options.links
    if (node.kind === 'tombstone') {
      const layout = node.isOrphan ? encodeLayoutNotes({isOrphan: true}) : undefined
      return {kind: 'tombstone', path: node.path, ...framed(layout)}
    }
    if (node.isCarrier || this.#isTopOfBase(node))
      return node.kind === 'file' ? this.#carrierFile(node) : this.#carrierDirectory(node)
    return node.kind === 'file' ? this.#plainFile(node) : this.#plainDirectory(node)
  }

  /** Of a base, Microsoft's export tells the top folder as it is; of a delta, without what its sidecar says. */
  #isTopOfBase(node: DiskNode): boolean {
    const isTop = !node.path.includes('/') && payloadPart(node.path) !== 'utility-vm'
    // Deletions make it a delta after all, whatever it was called: their spelling rides in the notes of a delta.
    if (!isTop || this.#options.form !== 'base' || this.scanned.tombstones !== undefined) return false
    if (this.#options.isPlain) return false
    return this.#find(`${node.diskPath}${DIRECTORY_CARRIER_SUFFIX}`) !== undefined
  }

  #carrierFile(node: DiskNode): LayerEntry {
    const stats = this.#stat(node.diskPath)
    const line = this.#lineOf(node.diskPath, stats)
    const target = this.#findFirstName(node, stats, line)
    const file = this.#openFile(node.diskPath, stats)
    const carrier = file.decode('file')
    const meta = metadataOf(carrier, line?.times ?? stats.times)
    if (target !== undefined) return {kind: 'hard-link', path: node.path, target, meta}
    return {
      kind: 'file',
      path: node.path,
      meta,
      ...(carrier.data === undefined ? {} : {content: file.content(carrier.data)}),
      ...streamsOf(file, carrier),
      ...framed(this.#frameOf(carrier, node)),
    }
  }

  #carrierDirectory(node: DiskNode): LayerEntry {
    if (node.lacksCarrier === true) {
      this.#missing++
      const times = this.#lineOf(node.diskPath)?.times ?? this.#stat(node.diskPath).times
      const layout = encodeCarrierFrame({isAbsent: true, streams: [], tail: new Uint8Array(0)})
      return {kind: 'directory', path: node.path, meta: {...PLAIN_DIRECTORY, times}, frame: {layout}}
    }
    const sidecar = `${node.diskPath}${DIRECTORY_CARRIER_SUFFIX}`
    const stats = this.#stat(sidecar)
    const line = this.#lineOf(sidecar, stats)
    const file = this.#openFile(sidecar, stats)
    const carrier = file.decode('directory')
    return {
      kind: 'directory',
      path: node.path,
      meta: metadataOf(carrier, line?.times ?? stats.times),
      ...streamsOf(file, carrier),
      ...framed(this.#frameOf(carrier, node)),
    }
  }

  /** A hive, or a file of a plain utility VM or tree. */
  #plainFile(node: DiskNode): LayerEntry {
    const stats = this.#stat(node.diskPath)
    const line = this.#lineOf(node.diskPath, stats)
    const {meta, notes} = plainMetadata(line, line?.times ?? stats.times, FileAttribute.archive)
    const target = payloadPart(node.path) === 'hives' ? undefined : this.#findFirstName(node, stats, line)
    if (target !== undefined) return {kind: 'hard-link', path: node.path, target, meta}
    const file = this.#openFile(node.diskPath, stats)
    return {kind: 'file', path: node.path, meta, content: file.whole(), ...framed(encodeLayoutNotes(notes))}
  }

  #plainDirectory(node: DiskNode): LayerEntry {
    const part = payloadPart(node.path)
    const isTop = !node.path.includes('/')
    const line = this.#lineOf(node.diskPath)
    const own = line?.times ?? this.#stat(node.diskPath).times
    if (isTop && part !== 'utility-vm') {
      const {meta} = plainMetadata(line, this.#topTimes() ?? own, FileAttribute.directory)
      const notes = this.#options.isPlain ? {} : this.#topNotes(node, part, meta.times)
      return {kind: 'directory', path: node.path, meta, ...framed(encodeLayoutNotes(notes))}
    }
    const {meta, notes} = plainMetadata(line, own, FileAttribute.directory)
    const isUnusual = isTop && !this.#options.isPlain && this.#options.form === 'base'
    const all = {...notes, ...(isUnusual ? {isPlain: true} : {})}
    return {kind: 'directory', path: node.path, meta, ...framed(encodeLayoutNotes(all))}
  }

  /** Microsoft's export gives the two top folders the times of the System hive. Source: hcsshim legacy.go Next. */
  #topTimes(): FileTimes | undefined {
    const named = (names: readonly string[], name: string) => names.find((each) => each.toLowerCase() === name)
    const hives = named(this.files.list('').folders, 'hives')
    const name = hives === undefined ? undefined : named(this.files.list(hives).files, 'system_delta')
    if (hives === undefined || name === undefined) return undefined
    const hive = `${hives}/${name}`
    const stats = this.#stat(hive)
    return this.#lineOf(hive, stats)?.times ?? stats.times
  }

  /** What Microsoft's export leaves behind: the sidecars of the top folders, and how the deletions were spelt. */
  #topNotes(node: DiskNode, part: string, times: FileTimes): LayoutNotes {
    const sidecar = this.#topSidecar(node, times)
    if (part !== 'files') return sidecar
    const {tombstones, nodes} = this.scanned
    const deleted = nodes.deletions
    const isExpected =
      tombstones === undefined
        ? this.#options.form === 'base' || this.#options.isPlain
        : (this.#options.form === 'delta' || deleted.length > 0) &&
          Buffer.compare(encodeTombstones(deleted), tombstones) === 0
    const own = tombstones === undefined ? undefined : this.#tombstonesTimes()
    return {
      ...sidecar,
      ...(isExpected ? {} : {tombstones: tombstones ?? null}),
      ...(own === undefined || areSameTimes(own, times) ? {} : {tombstonesTimes: own}),
    }
  }

  /** An index that says nothing of them was made where they were the usual ones; a copy has others. */
  #tombstonesTimes(): FileTimes | undefined {
    const stats = this.#stat(TOMBSTONES)
    return this.#options.index === undefined ? stats.times : this.#lineOf(TOMBSTONES, stats)?.times
  }

  #topSidecar(node: DiskNode, times: FileTimes): LayoutNotes {
    const name = `${node.diskPath}${DIRECTORY_CARRIER_SUFFIX}`
    const bytes = this.files.findSmall(name, MAX_SIDECAR_BYTES, this.#place(name))
    if (bytes === undefined) {
      this.#note('sidecar-missing', `${name} is missing. A transport layout written from this one will have it.`)
      return {}
    }
    const stats = this.#stat(name)
    const own = this.#lineOf(name, stats)?.times ?? stats.times
    const expected = encodeCarrierHead({kind: 'directory', meta: PLAIN_DIRECTORY})
    return {
      ...(Buffer.compare(expected, bytes) === 0 ? {} : {sidecar: bytes}),
      ...(areSameTimes(own, times) ? {} : {sidecarTimes: own}),
    }
  }

  #frameOf(carrier: Carrier, node: DiskNode): Uint8Array | undefined {
    if (carrier.oversizeFrameBytes !== undefined) {
      this.#options.onEvent?.({
        kind: 'loss',
        code: 'carrier-form',
        message: `The exact form of its carrier takes ${carrier.oversizeFrameBytes} bytes, too many to store.`,
        subject: node.path,
      })
    }
    return carrier.frame
  }

  /**
   * The first name, in the order of the walk, of a file that this is a further name of: by the inode, else by an index
   * that the content confirms.
   */
  #findFirstName(node: DiskNode, stats: FileFacts, line: IndexLine | undefined): LayerPath | undefined {
    if (!this.#seesLinks) return undefined
    const group = stats.linkGroup === '' ? line?.link : stats.linkGroup
    if (group === undefined) return undefined
    const known = this.#firstNames.get(group)
    const first = known ?? this.#targetOf(line)
    if (first === undefined || first.path === node.path) {
      this.#firstNames.set(group, node)
      return undefined
    }
    const isOfKind = first.isCarrier === node.isCarrier
    // Only an inode that was met is proof. What the index alone tells may be over: a copy has lost its links, an editor
    // has put a new file in the place of the first name, and the further names are links of each other since.
    const isProven = known !== undefined && stats.linkGroup !== ''
    const isSame = isProven || (isOfKind && this.files.areSame(first.diskPath, node.diskPath))
    // Those that are one with this name go by it where it is not one with the first.
    this.#firstNames.set(group, isSame || stats.linkGroup === '' ? first : node)
    return isSame && isOfKind ? first.path : undefined
  }

  #targetOf(line: IndexLine | undefined): DiskNode | undefined {
    return line?.link === undefined ? undefined : this.scanned.nodes.findOnDisk(line.link)
  }

  /** What the index says of a file, when it is of the same size still. */
  #lineOf(diskPath: string, stats?: FileFacts): IndexLine | undefined {
    const line = this.#options.index?.get(diskPath)
    if (line === undefined) return undefined
    if (stats !== undefined && (line.sizeBytes ?? stats.sizeBytes) !== stats.sizeBytes) return undefined
    if (this.#options.isIndexBeside === true && line.times !== undefined && stats !== undefined)
      this.#compare(diskPath, line.times, stats.times)
    return line
  }

  #compare(diskPath: string, {lastWrite: exact}: FileTimes, {lastWrite: onDisk}: FileTimes): void {
    if (mayBeStoredAs(exact, onDisk)) return
    this.#retimed ??= {count: 0, first: diskPath}
    this.#retimed.count++
  }

  #find(diskPath: string): FileFacts | undefined {
    return this.files.find(diskPath, this.#place(diskPath))
  }

  #stat(diskPath: string): FileFacts {
    return requireFile(this.files, diskPath, this.#place(diskPath))
  }

  #openFile(diskPath: string, {sizeBytes}: FileFacts): PayloadFile {
    const place = this.#place(diskPath)
    const file = new PayloadFile(this.files.open(diskPath, sizeBytes, place), sizeBytes, {
      place,
      limit: this.#limit,
      signal: this.#options.signal,
    })
    this.#open = file
    return file
  }

  #place(diskPath: string): string {
    return `${this.#options.title}/${diskPath}`
  }

  #note(code: string, message: string): void {
    this.#options.onEvent?.({kind: 'note', code, message, subject: this.#options.title})
  }
}

function framed(layout: Uint8Array | undefined): {frame?: EntryFrame} {
  return layout === undefined ? {} : {frame: {layout}}
}

/** What a carrier says of its file; the times lie elsewhere. */
export function metadataOf(carrier: Carrier, times: FileTimes): WindowsMetadata {
  const {attributes, securityDescriptor, extendedAttributes, reparsePoint} = carrier
  return {
    attributes,
    times,
    ...(securityDescriptor === undefined ? {} : {securityDescriptor}),
    ...(extendedAttributes === undefined ? {} : {extendedAttributes}),
    ...(reparsePoint === undefined ? {} : {reparsePoint}),
  }
}

/** Microsoft's export replaces creation and access time of what has no carrier by the write time. */
function plainMetadata(
  line: IndexLine | undefined,
  times: FileTimes,
  attributes: number,
): {meta: WindowsMetadata; notes: LayoutNotes} {
  const {creation, lastAccess, lastWrite, change} = times
  const isPlain = creation === lastWrite && lastAccess === lastWrite
  return {
    meta: {
      attributes: line?.attributes ?? attributes,
      times: {creation: lastWrite, lastAccess: lastWrite, lastWrite, change},
      ...line?.metadata,
    },
    notes: isPlain ? {} : {times: {creation, lastAccess}},
  }
}

/** The alternate streams that a carrier holds. */
export function streamsOf(file: PayloadFile, carrier: Carrier): {streams?: AsyncIterable<AlternateStream>} {
  if (carrier.streams.length === 0) return {}
  return {
    streams: {
      // eslint-disable-next-line @typescript-eslint/require-await
      async *[Symbol.asyncIterator]() {
        for (const {name, location} of carrier.streams) yield {name, content: file.content(location)}
      },
    },
  }
}

/** All four. */
export function areSameTimes(left: FileTimes, right: FileTimes): boolean {
  return (
    left.creation === right.creation &&
    left.lastAccess === right.lastAccess &&
    left.lastWrite === right.lastWrite &&
    left.change === right.change
  )
}

import type {WimEntry, WimReparse} from '../../codecs/wim/entry.js'
import type {ImageTree, PlacedEntry} from '../../codecs/wim/image-tree.js'
import {HeaderFlag} from '../../codecs/wim/header.js'
import {decodeItemAttributes, ItemTag} from '../../codecs/wim/tagged-items.js'
import type {CarrierSubject} from '../../codecs/carrier/plan-carrier.js'
import {findLink} from '../../codecs/reparse-point/encode-reparse-point.js'
import {MAX_REPARSE_DATA_BYTES} from '../../codecs/reparse-point/decode-reparse-point.js'
import {contentOf, type Content} from '../../model/content.js'
import {InputError, placedError, UnsupportedError, type TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {AlternateStream, LayerEntry} from '../../model/layer-entry.js'
import {parseLayerPath, type LayerPath} from '../../model/layer-path.js'
import {FileAttribute, type WindowsMetadata} from '../../model/windows-metadata.js'
import {layoutFrameOf} from './layout-frame.js'
import {WimLosses} from './losses.js'
import {encodeReparseBuffer, rootedOnC} from './reparse-buffer.js'
import {requireStreamName} from './stream-name.js'
import type {WimFile} from './wim-file.js'

export interface WimLayerOptions extends WorkOptions {
  /** What to do with a fault of one entry, which is left out then. By default it is thrown. */
  readonly onFault?: (error: TransshipError) => void
}

/** Images that are one layer: what lies under which folder. */
export interface WimLayerImages {
  /** Number of the image whose tree is `Files`, from 1. */
  readonly files: number
  /** Number of the image whose tree is `UtilityVM/Files`. */
  readonly utilityVm?: number
}

export const FILES = parseLayerPath('Files')
export const UTILITY_VM = parseLayerPath('UtilityVM')
export const UTILITY_VM_FILES = parseLayerPath('UtilityVM/Files')

/**
 * The entries of a base layer: the tree of an image as `Files`, that of its utility VM as `UtilityVM/Files`. When all have
 * passed, tells as losses what no layer can hold: short names, object ids and items that are not known.
 */
export async function* readWimLayer(
  wim: WimFile,
  images: WimLayerImages,
  options: WimLayerOptions = {},
): AsyncGenerator<LayerEntry> {
  const losses = new WimLosses()
  yield* new ImageReader(wim, losses, options).entries(images.files, FILES)
  if (images.utilityVm !== undefined) {
    const {root} = await wim.tree(images.utilityVm)
    yield {kind: 'directory', path: UTILITY_VM, meta: {attributes: FileAttribute.directory, times: timesOf(root)}}
    yield* new ImageReader(wim, losses, options).entries(images.utilityVm, UTILITY_VM_FILES)
  }
  losses.tell(options)
}

/** Reads images of a file; hard links and security descriptors have numbers of their own in each. */
export class ImageReader {
  readonly #wim: WimFile
  readonly #losses: WimLosses
  readonly #options: WimLayerOptions
  readonly #fixesLinks: boolean
  /** The first path of each file that has several. */
  #linked = new Map<string, LayerPath>()

  constructor(wim: WimFile, losses: WimLosses, options: WimLayerOptions) {
    this.#wim = wim
    this.#losses = losses
    this.#options = options
    this.#fixesLinks = (wim.header.flags & HeaderFlag.linksFixed) !== 0
  }

  /** The entries of an image, or those of them that are wanted, under `at`. */
  async *entries(
    index: number,
    at: LayerPath,
    isWanted: (path: LayerPath) => boolean = () => true,
  ): AsyncGenerator<LayerEntry> {
    this.#linked = new Map()
    try {
      yield* this.#entries(index, at, isWanted)
    } catch (error) {
      throw placedError(error, {path: `${this.#wim.path}: image ${index}`})
    }
  }

  async *#entries(index: number, at: LayerPath, isWanted: (path: LayerPath) => boolean): AsyncGenerator<LayerEntry> {
    const {onFault, signal} = this.#options
    const tree = await this.#wim.tree(index)
    for (const placed of tree.walk(at, onFault === undefined ? {} : {onFault})) {
      signal?.throwIfAborted()
      if (!isWanted(placed.path)) continue
      if (tree.lacksDescriptor(placed.entry)) this.#losses.add('descriptor-missing', placed.path)
      const entry = await this.#guarded(() => this.#layerEntry(placed, tree))
      if (entry !== undefined) yield entry
    }
  }

  async #guarded(step: () => Promise<LayerEntry>): Promise<LayerEntry | undefined> {
    const {onFault} = this.#options
    try {
      return await step()
    } catch (error) {
      if (onFault === undefined || !(error instanceof InputError || error instanceof UnsupportedError)) throw error
      onFault(error)
      return undefined
    }
  }

  async #layerEntry({path, entry}: PlacedEntry, tree: ImageTree): Promise<LayerEntry> {
    this.#losses.addItems(entry, path)
    const meta = await this.#metadata(entry, path, descriptorAt(tree, entry, path))
    const streams = entry.streams.map(({name, hash}) => {
      requireStreamName(name, path)
      return {name, content: this.#content(hash, `${path}:${name}`)}
    })
    requireDifferent(streams, path)
    const rest = streams.length === 0 ? {} : {streams: iterate(streams)}
    if ((entry.attributes & FileAttribute.directory) !== 0)
      return {kind: 'directory', path, meta, ...rest, ...layoutFrameOf({kind: 'directory', meta}, streams)}
    const target = this.#findTarget(entry, path)
    if (target !== undefined) return {kind: 'hard-link', path, target, meta}
    const content = this.#fileContent(entry, meta, path)
    const body = content === undefined ? {} : {content}
    const frame = isLinkWithData(meta, content) ? {} : layoutFrameOf(subjectOf(meta, content), streams)
    return {kind: 'file', path, meta, ...body, ...rest, ...frame}
  }

  /**
   * Another name of a file that has passed. Numbers alone do not tell: Windows 7 gave the same to different files, so the
   * contents must be the same too. Source: wimlib src/inode_fixup.c.
   */
  #findTarget(entry: WimEntry, path: LayerPath): LayerPath | undefined {
    if (entry.linkGroup === 0n) return undefined
    const contents = [entry.data ?? '', ...entry.streams.map(({name, hash}) => `${name}:${hash}`).sort()]
    const key = `${entry.linkGroup}/${contents.join('/')}`
    const target = this.#linked.get(key)
    if (target === undefined) this.#linked.set(key, path)
    return target
  }

  /** A link has no data of its own; a reparse point of another kind has, be they none. */
  #fileContent(entry: WimEntry, meta: WindowsMetadata, path: LayerPath): Content | undefined {
    const {data} = entry
    if (entry.isEncrypted && data !== undefined) return encryptedContent(path, this.#wim.blob(data, path).sizeBytes)
    const isLink = meta.reparsePoint !== undefined && findLink(meta.reparsePoint) !== undefined
    return data === undefined || (data === '' && isLink) ? undefined : this.#content(data, path)
  }

  #content(hash: string, title: string): Content {
    if (hash === '') return contentOf(new Uint8Array(0))
    const blob = this.#wim.blob(hash, title)
    return {size: blob.sizeBytes, open: () => this.#wim.read(blob, title, this.#options)}
  }

  async #metadata(entry: WimEntry, path: LayerPath, descriptor: Uint8Array | undefined): Promise<WindowsMetadata> {
    const attributes = entry.items.filter(({tag}) => tag === ItemTag.extendedAttributes)
    const extendedAttributes = attributes.flatMap(({data}) => decodeItemAttributes(data))
    const reparsePoint = entry.reparse === undefined ? undefined : await this.#reparsePoint(entry.reparse, path)
    return {
      attributes: entry.attributes,
      times: timesOf(entry),
      ...(descriptor === undefined ? {} : {securityDescriptor: descriptor}),
      ...(extendedAttributes.length === 0 ? {} : {extendedAttributes}),
      ...(reparsePoint === undefined ? {} : {reparsePoint}),
    }
  }

  async #reparsePoint(reparse: WimReparse, path: LayerPath): Promise<Uint8Array> {
    const title = `${path} (reparse point)`
    const data =
      reparse.hash === ''
        ? Buffer.alloc(0)
        : await this.#wim.readWhole(this.#wim.blob(reparse.hash, title), {title, limit: MAX_REPARSE_DATA_BYTES})
    const buffer = encodeReparseBuffer(reparse, data)
    return this.#fixesLinks && !reparse.isNotFixed ? rootedOnC(buffer) : buffer
  }
}

function subjectOf(meta: WindowsMetadata, content: Content | undefined): CarrierSubject {
  return {kind: 'file', meta, ...(content === undefined ? {} : {contentBytes: content.size})}
}

/** A tar has no place for it, and says so itself; a frame would promise that it has. */
function isLinkWithData({reparsePoint}: WindowsMetadata, content: Content | undefined): boolean {
  return reparsePoint !== undefined && findLink(reparsePoint) !== undefined && (content?.size ?? 0) > 0
}

/** There is no change time in a WIM: that of the last write is the latest that is known. */
export function timesOf({creation, lastAccess, lastWrite}: WimEntry): WindowsMetadata['times'] {
  return {creation, lastAccess, lastWrite, change: lastWrite}
}

/** What ReadEncryptedFileRaw gives cannot be decrypted without the key, nor be written as a file's data. */
function encryptedContent(path: LayerPath, size: number): Content {
  return {
    size,
    // eslint-disable-next-line @typescript-eslint/require-await, require-yield -- a content that can only be refused
    async *open(): AsyncGenerator<Uint8Array> {
      throw new UnsupportedError('FORMAT_UNSUPPORTED', {
        what: `The file '${path}' is encrypted (EFS). A layer cannot store it.`,
        suggestions: ['Decrypt it before you capture the image.'],
        at: {path},
      })
    },
  }
}

function requireDifferent(streams: readonly AlternateStream[], path: LayerPath): void {
  const names = new Set(streams.map(({name}) => name.toUpperCase()))
  if (names.size === streams.length) return
  throw new InputError('DUPLICATE_ENTRY', {what: `'${path}' has two alternate streams with the same name.`, at: {path}})
}

// eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, in the shape of what is not
async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** The security descriptor of an entry; throws `DESCRIPTOR_CORRUPT`, with its path. */
export function descriptorAt(tree: ImageTree, entry: WimEntry, path: LayerPath): Uint8Array | undefined {
  try {
    return tree.descriptorOf(entry)
  } catch (error) {
    throw placedError(error, {path})
  }
}

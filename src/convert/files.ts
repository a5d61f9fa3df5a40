import type {DirectoryEntry, FileEntry, HardLinkEntry} from '../model/layer-entry.js'
import {comparePaths, foldPath, type LayerPath} from '../model/layer-path.js'
import {InputError, UsageError} from '../model/errors.js'
import type {Image, Layer} from '../model/image.js'
import {ImageNames, isWholeImage} from '../model/image-names.js'
import type {FileTimes} from '../model/windows-metadata.js'
import type {OpenOptions} from '../model/transport.js'
import {describeSecurity, type DescribedSecurity} from './describe-security.js'
import {openImage, withImage} from './inspect.js'
import {mergeLayers} from './merge.js'
import {foldTypedPath, parseTypedPath, type TypedPath} from './typed-path.js'

/** One row of `files`. */
export interface FileRow extends DescribedSecurity {
  readonly path: string
  readonly kind: 'file' | 'directory' | 'hard-link' | 'tombstone' | 'opaque'
  /** Index of the layer it comes from, base = 0. */
  readonly layer: number
  /** Bytes of the unnamed stream. */
  readonly size?: number
  /** FILE_ATTRIBUTE_* bits. */
  readonly attributes?: number
  /** FILETIMEs as decimal strings: 100 ns since 1601. */
  readonly times?: Readonly<Record<keyof FileTimes, string>>
  /** Base64 of the reparse buffer. */
  readonly reparsePoint?: string
  /** Path whose content the hard link shares. */
  readonly target?: string
  readonly extendedAttributes?: readonly string[]
  readonly streams?: readonly {readonly name: string; readonly size: number}[]
}

/** What `files` prints with `--json`. Schema: `src/schemas/files.schema.json`. */
export interface FilesReport {
  readonly reference: string
  readonly path?: string
  readonly layer?: number
  readonly entries: readonly FileRow[]
}

/** Options of `files`. */
export interface FilesOptions extends OpenOptions {
  /** Only this layer, base = 0, with its deletions; undefined = all layers merged. */
  readonly layer?: number
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

async function describe(entry: FileEntry | DirectoryEntry | HardLinkEntry, layer: number): Promise<FileRow> {
  const {path, kind, meta} = entry
  const streams: {name: string; size: number}[] = []
  if (entry.kind !== 'hard-link' && entry.streams !== undefined) {
    for await (const stream of entry.streams) streams.push({name: stream.name, size: stream.content.size})
  }
  const {creation, lastAccess, lastWrite, change} = meta.times
  return {
    path,
    kind,
    layer,
    ...(entry.kind === 'file' && entry.content !== undefined ? {size: entry.content.size} : {}),
    attributes: meta.attributes,
    times: {
      creation: creation.toString(),
      lastAccess: lastAccess.toString(),
      lastWrite: lastWrite.toString(),
      change: change.toString(),
    },
    ...describeSecurity(meta.securityDescriptor),
    ...(meta.reparsePoint === undefined ? {} : {reparsePoint: base64(meta.reparsePoint)}),
    ...(entry.kind === 'hard-link' ? {target: entry.target} : {}),
    ...(meta.extendedAttributes === undefined || meta.extendedAttributes.length === 0
      ? {}
      : {extendedAttributes: meta.extendedAttributes.map((attribute) => attribute.name)}),
    ...(streams.length === 0 ? {} : {streams}),
  }
}

function requireLayer(image: Image, layer: number): void {
  if (Number.isInteger(layer) && layer >= 0 && layer < image.layers.length) return
  throw new UsageError('BAD_OPTION', {
    what: `Layer ${layer} does not exist.`,
    why: `The image has ${image.layers.length} layers, numbered from 0 (the base).`,
  })
}

async function* layerRows(
  image: Image,
  index: number,
  wanted: TypedPath,
  options: OpenOptions,
): AsyncGenerator<FileRow> {
  for await (const entry of image.layers[index]?.entries(options) ?? []) {
    if (entry.kind === 'frame' || !wanted.fits(entry.path)) continue
    yield entry.kind === 'tombstone' || entry.kind === 'opaque'
      ? {path: entry.path, kind: entry.kind, layer: index}
      : await describe(entry, index)
  }
}

async function* mergedRows(image: Image, wanted: TypedPath, options: OpenOptions): AsyncGenerator<FileRow> {
  const {layers} = image
  const names = new ImageNames(layers, {isWhole: isWholeImage(image)})
  const links: {link: HardLinkEntry; layer: number}[] = []
  for await (const {entry, layer} of mergeLayers(layers, {...options, names})) {
    if (!wanted.fits(entry.path)) continue
    if (entry.kind === 'hard-link') links.push({link: entry, layer})
    else yield await describe(entry, layer)
  }
  for (const index of layers.keys()) await names.settle(index, options)
  const hidden = new HiddenFiles()
  for (const {link, layer} of links) {
    const found = await names.seeLink(link, layer, {...options, top: layers.length - 1})
    if (found.kind === 'hidden') hidden.add(found, {link, layer})
    else yield await describe(found.kind === 'seen' ? {...link, target: found.path} : link, layer)
  }
  yield* hidden.rows(layers, options)
}

/** Files that only links lead to, since their own names show something else by now: the first link stands for each. */
class HiddenFiles {
  /** Index of the layer -> folded path -> links. */
  readonly #wanted = new Map<number, Map<string, {link: HardLinkEntry; layer: number}[]>>()

  add(file: {readonly layer: number; readonly path: LayerPath}, link: {link: HardLinkEntry; layer: number}): void {
    const ofLayer = this.#wanted.get(file.layer) ?? new Map<string, {link: HardLinkEntry; layer: number}[]>()
    this.#wanted.set(file.layer, ofLayer)
    const folded = foldPath(file.path)
    ofLayer.set(folded, [...(ofLayer.get(folded) ?? []), link])
  }

  async *rows(layers: readonly Layer[], options: OpenOptions): AsyncGenerator<FileRow> {
    for (const [index, wanted] of this.#wanted)
      for await (const entry of layers[index]?.entries(options) ?? []) {
        const [first, ...others] = entry.kind === 'file' ? (wanted.get(foldPath(entry.path)) ?? []) : []
        if (first === undefined || entry.kind !== 'file') continue
        const {path} = first.link
        yield {...(await describe(entry, first.layer)), path}
        for (const {link, layer} of others) yield await describe({...link, target: path}, layer)
      }
  }
}

/**
 * The payload after merging all layers, or of one layer with its deletions, sorted by path. `path` limits it to that
 * file or folder, or to those that it fits as a glob (`NOT_FOUND` when nothing is there).
 */
export async function files(text: string, path: string | undefined, options: FilesOptions = {}): Promise<FilesReport> {
  return withImage(text, options, async (image, reference) => {
    const wanted = parseTypedPath(path)
    const {layer} = options
    if (layer !== undefined) requireLayer(image, layer)
    const entries: FileRow[] = []
    const rows = layer === undefined ? mergedRows(image, wanted, options) : layerRows(image, layer, wanted, options)
    for await (const row of rows) entries.push(row)
    if (entries.length === 0 && !wanted.isAll) throw notFound(reference, path ?? '')
    entries.sort((left, right) => comparePaths(left.path, right.path))
    return {
      reference,
      ...(path === undefined ? {} : {path}),
      ...(layer === undefined ? {} : {layer}),
      entries,
    }
  })
}

function notFound(reference: string, path: string): InputError {
  return new InputError('NOT_FOUND', {
    what: /[*?]/.test(path) ? `Nothing in the source fits '${path}'.` : `'${path}' does not exist in the source.`,
    suggestions: [`List what is there: transship files ${reference}`],
    at: {reference},
  })
}

/** The content of one file after merging all layers, or of one layer; hard links are followed within the image. */
export async function* readFile(text: string, path: string, options: FilesOptions = {}): AsyncGenerator<Uint8Array> {
  const {image, reference} = await openImage(text, options)
  try {
    const {layer} = options
    if (layer !== undefined) requireLayer(image, layer)
    const layers = layer === undefined ? image.layers : image.layers.slice(layer, layer + 1)
    const names = new ImageNames(layers, {isWhole: layer === undefined && isWholeImage(image)})
    const item = yield* merged(layers, foldTypedPath(path), options)
    if (item === undefined) throw notFound(reference, path)
    if (item.kind === 'directory')
      throw new UsageError('BAD_OPTION', {what: `'${path}' is a directory.`, suggestions: ['Name a file.']})
    if (item.kind === 'file') return
    const file = await names.locateLink(item.path, item.layer, options)
    if (file.kind !== 'file')
      throw new InputError('LINK_TARGET_MISSING', {
        what: `The target of the hard link '${path}' is in a layer outside the selection.`,
      })
    yield* contentIn(layers[file.layer], foldPath(file.path), options)
  } finally {
    await image.close()
  }
}

interface FoundEntry {
  readonly kind: 'file' | 'directory' | 'hard-link'
  readonly path: LayerPath
  readonly layer: number
}

/** The content, if it is a file, and what was found. */
async function* merged(
  layers: readonly Layer[],
  target: string,
  options: OpenOptions,
): AsyncGenerator<Uint8Array, FoundEntry | undefined> {
  for await (const {entry, layer} of mergeLayers(layers, options)) {
    if (foldPath(entry.path) !== target) continue
    if (entry.kind === 'file' && entry.content !== undefined) yield* entry.content.open()
    return {kind: entry.kind, path: entry.path, layer}
  }
  return undefined
}

async function* contentIn(layer: Layer | undefined, target: string, options: OpenOptions): AsyncGenerator<Uint8Array> {
  for await (const entry of layer?.entries(options) ?? []) {
    if (entry.kind !== 'file' || foldPath(entry.path) !== target) continue
    if (entry.content !== undefined) yield* entry.content.open()
    return
  }
}

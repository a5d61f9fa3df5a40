import {createHash} from 'node:crypto'
import {MAX_HIVE_BYTES} from '../codecs/registry-hive/open-hive.js'
import type {HiveKey} from '../codecs/registry-hive/hive-key.js'
import type {Content} from '../model/content.js'
import {InputError, UnsupportedError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole} from '../model/hive-role.js'
import type {Image} from '../model/image.js'
import type {DirectoryEntry, FileEntry} from '../model/layer-entry.js'
import {foldPath, HIVE_NAMES, parentPath, type HiveName, type LayerPath} from '../model/layer-path.js'
import type {ExtendedAttribute} from '../model/windows-metadata.js'
import {FileIndex, type FileFacts} from './file-index.js'
import {HiveStack} from './hive-stack.js'
import {parseImageConfig} from './image-config.js'
import {findOsLayers} from './os-layers.js'
import {squashLayers} from './squash.js'

/** What a container of an image sees, in a form in which two can be compared. */
export interface Payload {
  readonly files: FileIndex
  /** Trees of the hives; of deltas where the image does not hold the hives that they change. */
  readonly hives: ReadonlyMap<HiveName, HiveKey>
  /** False when it only changes an operating system that the image does not hold. */
  readonly standsAlone: boolean
}

/**
 * Reads all layers of an image once, merged as squashing merges them: contents are hashed as they pass, and nothing but
 * the registry hives is held. Throws `PLATFORM_UNSUPPORTED` unless it is an image of Windows.
 */
export async function readPayload(image: Image, options: WorkOptions): Promise<Payload> {
  if (image.platform.os !== 'windows') {
    throw new UnsupportedError('PLATFORM_UNSUPPORTED', {
      what: `transship compares only Windows content, but ${image.names[0] ?? 'this image'} is for ${image.platform.os}.`,
    })
  }
  const from = image.layers.findIndex((layer) => layer.hasContent)
  if (from < 0) throw new InputError('LAYER_MISSING', {what: `${image.names[0] ?? 'The image'} has no layers.`})
  const standsAlone = from === 0 && (await holdsSystem(image, options))
  const range = {from, to: image.layers.length - 1, title: image.names[0] ?? 'the image', standsAlone}
  const reader = new PayloadReader(options)
  for await (const entry of squashLayers(image.layers, range).entries(options)) {
    switch (entry.kind) {
      case 'file':
      case 'directory':
        await reader.read(entry)
        break
      case 'hard-link':
        reader.files.link(entry.path, entry.target)
        break
      case 'tombstone':
      case 'opaque':
        reader.files.add(entry.path, {kind: entry.kind})
        break
      case 'frame':
    }
  }
  reader.files.resolveLinks(!standsAlone)
  return {files: reader.files, hives: reader.hives(), standsAlone}
}

async function holdsSystem(image: Image, options: WorkOptions): Promise<boolean> {
  if (image.namedBase !== undefined) return false
  const [lowest] = image.layers
  if (lowest?.form !== undefined) return lowest.form === 'base'
  const config = image.config === undefined ? undefined : parseImageConfig(image.config)
  return (await findOsLayers(image, config, undefined, options)).count > 0
}

class PayloadReader {
  readonly files = new FileIndex()
  readonly #stacks: ReadonlyMap<HiveName, HiveStack>

  constructor(options: WorkOptions) {
    this.#stacks = new Map(HIVE_NAMES.map((name) => [name, new HiveStack(options)]))
  }

  /** A hive is compared key by key: its bytes tell nothing, nor do its logs. */
  async read(entry: FileEntry | DirectoryEntry): Promise<void> {
    if (foldPath(entry.path) === 'HIVES') return
    const role = entry.kind === 'file' ? findHiveRole(entry.path) : undefined
    if (entry.kind === 'directory' || role === undefined) {
      this.files.add(entry.path, await factsOf(entry))
      return
    }
    if (role.part !== 'transactions') {
      const bytes = await readHeld(entry, MAX_HIVE_BYTES)
      const stack = this.#stacks.get(role.name)
      const {content: _content, streams: _streams, ...held} = entry
      if (role.part === 'log') stack?.addLog(role.form, 0, bytes)
      else stack?.add(role.form, {entry: held, bytes, layer: 0})
    }
    if (role.form !== 'config' || role.part !== 'hive') return
    // Squashing writes a hive anew, so its size and content say nothing; the rest is that of a file.
    const {content: _read, ...rest} = entry
    this.files.add(entry.path, await factsOf(rest))
  }

  hives(): Map<HiveName, HiveKey> {
    const roots = new Map<HiveName, HiveKey>()
    for (const [name, stack] of this.#stacks) {
      const root = stack.seen()
      if (root !== undefined) roots.set(name, root)
    }
    return roots
  }
}

async function factsOf(entry: FileEntry | DirectoryEntry): Promise<FileFacts> {
  const {meta} = entry
  const content = entry.kind === 'file' ? entry.content : undefined
  const digest = content === undefined ? undefined : await digestOf(content)
  const streams = await digestStreams(entry)
  const {securityDescriptor, extendedAttributes = [], reparsePoint} = meta
  return {
    kind: entry.kind,
    attributes: meta.attributes,
    ...(isRoot(entry.path) ? {} : {times: meta.times}),
    ...(content === undefined ? {} : {size: content.size}),
    ...(digest === undefined ? {} : {content: digest}),
    ...(securityDescriptor === undefined ? {} : {securityDescriptor: hash(securityDescriptor)}),
    ...(extendedAttributes.length === 0 ? {} : {extendedAttributes: hash(describeAttributes(extendedAttributes))}),
    ...(reparsePoint === undefined ? {} : {reparsePoint: hash(reparsePoint)}),
    ...(streams === undefined ? {} : {streams}),
  }
}

/** The folders of the transport layout itself are made anew wherever a layer is stored; their times say nothing. */
function isRoot(path: LayerPath): boolean {
  return parentPath(path) === undefined || foldPath(path) === 'UTILITYVM/FILES'
}

function hash(bytes: Uint8Array | string): Buffer {
  return createHash('sha256').update(bytes).digest()
}

async function digestOf(content: Content): Promise<Buffer> {
  const digest = createHash('sha256')
  if (content.bytes !== undefined) digest.update(content.bytes)
  else for await (const chunk of content.open()) digest.update(chunk)
  return digest.digest()
}

/** Order is not compared: NTFS keeps none. */
async function digestStreams(entry: FileEntry | DirectoryEntry): Promise<Buffer | undefined> {
  const told: string[] = []
  for await (const stream of entry.streams ?? []) {
    const digest = await digestOf(stream.content)
    told.push(JSON.stringify([foldPath(stream.name), stream.content.size, digest.toString('hex')]))
  }
  return told.length === 0 ? undefined : hash(told.sort().join('\n'))
}

function describeAttributes(attributes: readonly ExtendedAttribute[]): string {
  return attributes
    .map(({name, flags, value}) => JSON.stringify([name.toUpperCase(), flags, Buffer.from(value).toString('hex')]))
    .sort()
    .join('\n')
}

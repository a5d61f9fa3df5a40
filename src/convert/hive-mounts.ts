import {readdir} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {findSealedBlock, mayNeedLogs} from '../codecs/registry-hive/base-block.js'
import {BASE_BLOCK_BYTES} from '../codecs/registry-hive/hive-fault.js'
import {findKey, type HiveKey} from '../codecs/registry-hive/hive-key.js'
import type {HiveFile} from '../codecs/registry-hive/hive-file.js'
import {asTransshipError, UnsupportedError, UsageError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {Image} from '../model/image.js'
import {HIVE_NAMES, type HiveName} from '../model/layer-path.js'
import type {OpenOptions} from '../model/transport.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole, MOUNT_POINTS} from '../model/hive-role.js'
import {HiveStack} from './hive-stack.js'
import {withImage} from './inspect.js'
import {PagedFile} from './paged-file.js'
import {readBounded} from '../disk/safe-open.js'
import {MAX_HIVE_BYTES, openHive, openHiveSource, type OpenHiveOptions} from '../codecs/registry-hive/open-hive.js'

/** A hive and where it is seen. */
export interface HiveMount {
  readonly path: readonly string[]
  readonly root: HiveKey
  /** It holds password hashes or secrets of services. */
  readonly isSecret: boolean
  /** A file by itself: nobody knows where it would be mounted, so that a key may be named from its root on. */
  readonly isBare: boolean
}

export interface MountOptions extends OpenOptions {
  /** Only this layer, unmerged. */
  readonly layer?: number
  /** Read hives that were not written to their end as they are, whatever their logs hold. */
  readonly ignoreLogs?: boolean
  /** Hives that would be mounted elsewhere are not read. Bare ones always are. */
  readonly wants?: (mountPath: readonly string[]) => boolean
}

/** Mounted hives, which are read as they are walked until they are closed. */
export interface OpenMounts {
  readonly reference: string
  readonly mounts: readonly HiveMount[]
  readonly close: () => void
}

const BARE = /^hive:(.+)$/s

/** The hives of an image or package, merged or of one layer, or the one in the file of `hive:FILE`. */
export async function openMounts(text: string, options: MountOptions): Promise<OpenMounts> {
  const file = BARE.exec(text)?.[1]
  if (file !== undefined) {
    if (options.layer !== undefined) throw new UsageError('BAD_OPTION', {what: 'A bare hive has no layers.'})
    return {reference: text, ...(await openBareHive(file, options))}
  }
  return withImage(text, options, async (image, reference) => ({
    reference,
    mounts: await mountsOf(image, options),
    close: () => undefined,
  }))
}

/** The merged hives of layers need a whole hive to start from; without one, what the layers change is shown. */
async function mountsOf(image: Image, options: MountOptions): Promise<HiveMount[]> {
  const {layer, wants = () => true} = options
  if (layer !== undefined && image.layers[layer] === undefined) {
    throw new UsageError('BAD_OPTION', {
      what: `Layer ${layer} does not exist.`,
      why: `The image has ${image.layers.length} layers, numbered from 0 (the base).`,
    })
  }
  const names = HIVE_NAMES.filter((name) => wants(MOUNT_POINTS[name]))
  const stacks = new Map<HiveName, HiveStack>(names.map((name) => [name, new HiveStack(options)]))
  for (const index of [...image.layers.keys()].reverse()) {
    // Merged, a layer whose content is stored elsewhere counts as a base that is only named does.
    const isWanted = layer === undefined ? image.layers[index]?.hasContent === true : layer === index
    if (isWanted) await collect(image, index, stacks, options)
  }
  return [...stacks].flatMap(([name, stack]) => {
    const root = stack.seen()
    if (root === undefined) return []
    return [{path: MOUNT_POINTS[name], root, isSecret: name === 'Sam' || name === 'Security', isBare: false}]
  })
}

async function collect(
  image: Image,
  index: number,
  stacks: ReadonlyMap<HiveName, HiveStack>,
  options: WorkOptions,
): Promise<void> {
  for await (const entry of image.layers[index]?.entries(options) ?? []) {
    if (entry.kind !== 'file') continue
    const role = findHiveRole(entry.path)
    const stack = role === undefined ? undefined : stacks.get(role.name)
    // Only the OS's own files are loaded as hives; what an upper layer puts there stays a file.
    if (role === undefined || stack === undefined || (role.form === 'config' && index > 0)) continue
    if (role.part === 'transactions') continue
    const bytes = await readHeld(entry, MAX_HIVE_BYTES)
    const {content: _content, streams: _streams, ...held} = entry
    if (role.part === 'log') stack.addLog(role.form, index, bytes)
    else stack.add(role.form, {entry: held, bytes, layer: index})
  }
}

async function openBareHive(file: string, options: MountOptions): Promise<Omit<OpenMounts, 'reference'>> {
  try {
    const logs = options.ignoreLogs === true ? [] : await logsBeside(file)
    const source = new PagedFile(file)
    const close = (): void => {
      source.close()
    }
    try {
      requireBounded(file, source.size)
      const reading = {acceptDirty: true, acceptLonger: true, isDelta: isDelta(file)}
      const hive = openFile(source, {...options, ...reading, subject: file, logs})
      return {mounts: [{path: [hive.root.name], root: hive.root, isSecret: isSecret(file, hive), isBare: true}], close}
    } catch (error) {
      close()
      throw error
    }
  } catch (error) {
    throw asTransshipError(error, {path: file})
  }
}

/** Only a hive that its logs have to complete is held as a whole. */
function openFile(source: PagedFile, options: OpenHiveOptions): HiveFile {
  const {logs = []} = options
  const head = findSealedBlock(source.read(0, Math.min(source.size, BASE_BLOCK_BYTES)))
  if (logs.length === 0 || !mayNeedLogs(head)) return openHiveSource(source, options)
  return openHive(source.read(0, source.size), options)
}

/** Known by the name that layers give it. */
function isDelta(file: string): boolean {
  return HIVE_NAMES.some((name) => `${name}_delta`.toLowerCase() === basename(file).toLowerCase())
}

function requireBounded(file: string, size: number): void {
  if (size <= MAX_HIVE_BYTES) return
  throw new UnsupportedError('LIMIT_EXCEEDED', {
    what: `The hive has ${size} bytes. The limit is ${MAX_HIVE_BYTES}.`,
    at: {path: file},
  })
}

/** `FILE.LOG`, `.LOG1` and `.LOG2`, in any case. */
async function logsBeside(file: string): Promise<Uint8Array[]> {
  const folder = dirname(file)
  const wanted = ['.log', '.log1', '.log2'].map((suffix) => basename(file).toLowerCase() + suffix)
  const names = (await readdir(folder)).filter((name) => wanted.includes(name.toLowerCase())).sort()
  return names.map((name) => readBounded(join(folder, name), MAX_HIVE_BYTES, {links: 'followed'}))
}

/** By the name it has or last had, or by what all hives of that kind hold. */
function isSecret(file: string, hive: HiveFile): boolean {
  const names = [file, hive.header.fileName].map((path) => path.split(/[\\/]/).at(-1)?.toLowerCase() ?? '')
  if (names.some((name) => /^(?:sam|security)(?:_base|_delta)?$/.test(name))) return true
  return [
    ['SAM', 'Domains'],
    ['Policy', 'Secrets'],
    ['Policy', 'PolEKList'],
    ['Cache', 'NL$Control'],
  ].some((path) => findKey(hive.root, path) !== undefined)
}

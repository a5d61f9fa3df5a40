import {readdir, readFile, stat} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {findKey, type HiveKey} from '../codecs/registry-hive/hive-key.js'
import type {HiveFile} from '../codecs/registry-hive/hive-file.js'
import {asTransshipError, UnsupportedError, UsageError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {Image} from '../model/image.js'
import {HIVE_NAMES, type HiveName} from '../model/layer-path.js'
import type {OpenOptions} from '../transports/transport.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole, MOUNT_POINTS} from '../model/hive-role.js'
import {HiveStack} from './hive-stack.js'
import {withImage} from './inspect.js'
import {MAX_HIVE_BYTES, openHive} from '../codecs/registry-hive/open-hive.js'

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
}

const BARE = /^hive:(.+)$/s

/** The hives of an image or package, merged or of one layer, or the one in the file of `hive:FILE`. */
export async function openMounts(
  text: string,
  options: MountOptions,
): Promise<{reference: string; mounts: readonly HiveMount[]}> {
  const file = BARE.exec(text)?.[1]
  if (file !== undefined) {
    if (options.layer !== undefined) throw new UsageError('BAD_OPTION', {what: 'A bare hive has no layers.'})
    return {reference: text, mounts: [await mountFile(file, options)]}
  }
  return withImage(text, options, async (image, reference) => ({reference, mounts: await mountsOf(image, options)}))
}

/** The merged hives of layers need a whole hive to start from; without one, what the layers change is shown. */
async function mountsOf(image: Image, options: MountOptions): Promise<HiveMount[]> {
  const {layer} = options
  if (layer !== undefined && image.layers[layer] === undefined) {
    throw new UsageError('BAD_OPTION', {
      what: `There is no layer ${layer}.`,
      why: `The image has ${image.layers.length} layers, numbered from 0 (the base).`,
    })
  }
  const stacks = new Map<HiveName, HiveStack>(HIVE_NAMES.map((name) => [name, new HiveStack(options)]))
  for (const index of [...image.layers.keys()].reverse()) {
    if (layer === undefined || layer === index) await collect(image, index, stacks, options)
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

async function mountFile(file: string, options: WorkOptions): Promise<HiveMount> {
  try {
    const hive = openHive(await readBounded(file), {
      ...options,
      subject: file,
      logs: await logsBeside(file),
      acceptDirty: true,
    })
    return {path: [hive.root.name], root: hive.root, isSecret: isSecret(file, hive), isBare: true}
  } catch (error) {
    throw asTransshipError(error, {path: file})
  }
}

async function readBounded(file: string): Promise<Uint8Array> {
  const {size} = await stat(file)
  if (size > MAX_HIVE_BYTES) {
    throw new UnsupportedError('LIMIT_EXCEEDED', {
      what: `The hive has ${size} bytes; it is not read beyond ${MAX_HIVE_BYTES}.`,
      at: {path: file},
    })
  }
  return readFile(file)
}

/** `FILE.LOG`, `.LOG1` and `.LOG2`, in any case. */
async function logsBeside(file: string): Promise<Uint8Array[]> {
  const folder = dirname(file)
  const wanted = ['.log', '.log1', '.log2'].map((suffix) => basename(file).toLowerCase() + suffix)
  const names = (await readdir(folder)).filter((name) => wanted.includes(name.toLowerCase())).sort()
  return Promise.all(names.map((name) => readBounded(join(folder, name))))
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

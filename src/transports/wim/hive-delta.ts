import {diff} from '../../codecs/registry-hive/diff-hives.js'
import {encodeHive} from '../../codecs/registry-hive/encode-hive.js'
import type {HiveFile} from '../../codecs/registry-hive/hive-file.js'
import {MAX_HIVE_BYTES, openHive} from '../../codecs/registry-hive/open-hive.js'
import type {PlacedEntry} from '../../codecs/wim/image-tree.js'
import type {ImageTree} from '../../codecs/wim/image-tree.js'
import {LAYERED_MINOR} from '../../codecs/registry-hive/base-block.js'
import type {WorkOptions} from '../../model/events.js'
import type {HivePair} from './image-changes.js'
import type {WimFile} from './wim-file.js'

/** An image, opened. */
export interface OpenedTree {
  readonly wim: WimFile
  readonly tree: ImageTree
}

/** Logs of a hive, as the configuration manager names them. */
const LOG_ENDINGS = ['.LOG', '.LOG1', '.LOG2'] as const

/**
 * The delta hive that makes the upper hive of the lower one, with the logs of both applied; undefined where they are
 * equal. Throws `HIVE_CORRUPT`, `HIVE_DIRTY`, `FORMAT_UNSUPPORTED`, `LIMIT_EXCEEDED`, and what reading throws.
 */
export async function encodeHiveDelta(
  pair: HivePair,
  {below, above}: {readonly below: OpenedTree; readonly above: OpenedTree},
  options: WorkOptions,
): Promise<Buffer | undefined> {
  const lower = await openPlaced(below, pair.below, options)
  const upper = await openPlaced(above, pair.above, options)
  const delta = diff(lower.root, upper.root)
  return delta === undefined
    ? undefined
    : encodeHive(delta, {minorVersion: LAYERED_MINOR, isLayered: true, maxBytes: MAX_HIVE_BYTES})
}

async function openPlaced(
  {wim, tree}: OpenedTree,
  {path, entry}: PlacedEntry,
  options: WorkOptions,
): Promise<HiveFile> {
  const bytes = await readData(wim, entry.data, path)
  const logs: Uint8Array[] = []
  const folder = path.split('/').slice(1, -1)
  for (const ending of LOG_ENDINGS) {
    const log = tree.find(...folder, `${entry.name}${ending}`)
    if (log?.data !== undefined && log.data !== '') logs.push(await readData(wim, log.data, `${path}${ending}`))
  }
  return openHive(bytes, {...options, subject: path, logs})
}

async function readData(wim: WimFile, hash: string | undefined, title: string): Promise<Buffer> {
  if (hash === undefined || hash === '') return Buffer.alloc(0)
  return wim.readWhole(wim.blob(hash, title), {title, limit: MAX_HIVE_BYTES})
}

/** The whole hive of an image, without its logs; undefined where there is none, or one of no bytes. */
export async function readHive({wim, tree}: OpenedTree, names: readonly string[]): Promise<Buffer | undefined> {
  const entry = tree.find(...names)
  if (entry?.data === undefined || entry.data === '') return undefined
  const title = names.join('/')
  return readData(wim, entry.data, title)
}

import {createHash} from 'node:crypto'
import {openHive, MAX_HIVE_BYTES} from '../codecs/registry-hive/open-hive.js'
import {unusedBytes} from '../codecs/registry-hive/unused-bytes.js'
import {TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole, type HiveRole} from '../model/hive-role.js'
import type {Layer} from '../model/image.js'
import {diffRegistries} from './diff-registry.js'

interface Seen {
  /** Paths in the order of the layer. */
  readonly order: string[]
  readonly hives: Map<string, {readonly role: HiveRole; readonly bytes: Buffer}>
}

/**
 * Why two layers differ although a container sees the same in both: bytes of hives that hold nothing, the order of
 * members, or how they are spelt. Reads both layers; holds their hives.
 */
export async function explainLayers(left: Layer, right: Layer, options: WorkOptions): Promise<string> {
  const [one, other] = [await seenIn(left, options), await seenIn(right, options)]
  const reasons = [...hiveReasons(one, other)]
  const isReordered = one.order.join('\n') !== other.order.join('\n')
  if (isReordered) {
    const isSameSet = [...one.order].sort().join('\n') === [...other.order].sort().join('\n')
    reasons.push(isSameSet ? 'their members come in another order' : 'they reach the same by other members')
  }
  if (reasons.length === 0) reasons.push('their members are spelt in another way: headers, padding or PAX records')
  return `The layers differ, but their files and keys do not: ${reasons.join('; ')}.`
}

async function seenIn(layer: Layer, options: WorkOptions): Promise<Seen> {
  const seen: Seen = {order: [], hives: new Map()}
  for await (const entry of layer.entries(options)) {
    if (entry.kind === 'frame') continue
    seen.order.push(entry.path)
    const role = entry.kind === 'file' ? findHiveRole(entry.path) : undefined
    if (entry.kind === 'file' && role !== undefined)
      seen.hives.set(entry.path, {role, bytes: await readHeld(entry, MAX_HIVE_BYTES)})
  }
  return seen
}

function* hiveReasons(left: Seen, right: Seen): Generator<string> {
  for (const [path, {role, bytes}] of left.hives) {
    const other = right.hives.get(path)
    if (other === undefined || hash(bytes) === hash(other.bytes)) continue
    if (role.part !== 'hive') {
      yield `the log '${path}' differs`
      continue
    }
    const {count, unused} = differing(bytes, other.bytes)
    const what = `${count} ${count === 1 ? 'byte' : 'bytes'} of the hive '${path}'`
    const where = hasSameKeys(role, bytes, other.bytes)
      ? unused === count
        ? 'in unused cells'
        : `, ${unused} of them in unused cells, the others in how it is laid out`
      : ''
    yield `${what} differ${where.startsWith(',') ? where : ` ${where}`}`.trimEnd()
  }
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Bytes that are not the same, and how many of them no cell in use of either side holds. */
function differing(left: Buffer, right: Buffer): {readonly count: number; readonly unused: number} {
  const common = Math.min(left.byteLength, right.byteLength)
  const [isFreeLeft, isFreeRight] = [unusedBytes(left), unusedBytes(right)]
  let count = Math.max(left.byteLength, right.byteLength) - common
  let unused = 0
  for (let at = 0; at < common; at++) {
    if (left[at] === right[at]) continue
    count++
    if (isFreeLeft(at) && isFreeRight(at)) unused++
  }
  return {count, unused}
}

function hasSameKeys({name}: HiveRole, left: Buffer, right: Buffer): boolean {
  try {
    const [one, other] = [left, right].map((bytes) => openHive(bytes, {subject: name, logs: []}).root)
    if (one === undefined || other === undefined) return false
    return diffRegistries(new Map([[name, one]]), new Map([[name, other]]), {}).next().done === true
  } catch (error) {
    if (error instanceof TransshipError) return false
    throw error
  }
}

import {digestOf, type Digest} from '../model/digest.js'
import type {Image, RawDocument} from '../model/image.js'

/** A digest that both sides have and that is not the same: whatever else was found, the two are not the same bytes. */
export interface DigestDifference {
  /** `manifest`, `config`, `layers` (their number or order), `layers.2`, `payloads.2`. */
  readonly field: string
  readonly left: string
  readonly right: string
  /** What differs, if known. */
  readonly message: string
}

/**
 * Compares what the two sides are known by: manifest, configuration, and the layers by their uncompressed tars, else by
 * their payloads. What only one side knows has nothing to be compared with: how layers are cut is then no difference.
 */
export function diffDigests(left: Image, right: Image): readonly DigestDifference[] {
  return [...diffManifests(left, right), ...diffConfigs(left, right), ...diffLayers(left, right)]
}

function* diffManifests({manifest: left}: Image, {manifest: right}: Image): Generator<DigestDifference> {
  if (left === undefined || right === undefined || left.digest === right.digest) return
  const message = `The manifests differ in ${inWords(differingParts(left, right))}.`
  yield {field: 'manifest', left: left.digest, right: right.digest, message}
}

function* diffConfigs({config: left}: Image, {config: right}: Image): Generator<DigestDifference> {
  if (left === undefined || right === undefined) return
  const [one, other] = [digestOf(left.bytes), digestOf(right.bytes)]
  if (one === other) return
  const message = `The image IDs differ in ${inWords(differingParts(left, right))}.`
  yield {field: 'config', left: one, right: other, message}
}

const MAX_SHOWN = 8

function inWords(parts: readonly string[]): string {
  if (parts.length === 0) return 'how they are spelt'
  return parts.length > MAX_SHOWN ? `${parts.slice(0, MAX_SHOWN).join(', ')}, …` : parts.join(', ')
}

/** Members of two documents that are not the same; those of `config` and each label by itself. Order of keys is spelling. */
function differingParts(left: RawDocument, right: RawDocument): string[] {
  return differing(parsed(left), parsed(right), '')
}

/** What is looked into; of others the whole member is named. */
const OPENED: ReadonlySet<string> = new Set(['', 'config', 'config.Labels', 'rootfs', 'annotations'])

function differing(left: unknown, right: unknown, place: string): string[] {
  if (canonical(left) === canonical(right)) return []
  if (!isObject(left) || !isObject(right) || !OPENED.has(place)) return [place === '' ? 'all of it' : place]
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
  return names.flatMap((name) => differing(left[name], right[name], place === '' ? name : `${place}.${name}`))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}

/** What is no JSON differs as a whole. */
function parsed({bytes}: RawDocument): unknown {
  const text = Buffer.from(bytes).toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function* diffLayers(left: Image, right: Image): Generator<DigestDifference> {
  const tars = [tarsOf(left), tarsOf(right)] as const
  if (tars[0] !== undefined && tars[1] !== undefined) {
    yield* diffLists(tars[0], tars[1], 'layers')
    return
  }
  const payloads = [payloadsOf(left), payloadsOf(right)] as const
  if (payloads[0] !== undefined && payloads[1] !== undefined) yield* diffLists(payloads[0], payloads[1], 'payloads')
}

function tarsOf({layers}: Image): readonly Digest[] | undefined {
  return allOf(layers.map(({diffId}) => diffId))
}

function payloadsOf({layers}: Image): readonly Digest[] | undefined {
  return allOf(layers.map(({payloadDigest}) => payloadDigest))
}

function allOf(digests: readonly (Digest | undefined)[]): readonly Digest[] | undefined {
  const known = digests.filter((digest) => digest !== undefined)
  return known.length === digests.length ? known : undefined
}

function* diffLists(
  left: readonly Digest[],
  right: readonly Digest[],
  field: 'layers' | 'payloads',
): Generator<DigestDifference> {
  if (left.length !== right.length) {
    const message = `The left side has ${left.length}, the right side ${right.length}.`
    yield {field, left: left.join(' '), right: right.join(' '), message}
    return
  }
  if (left.every((digest, index) => digest === right[index])) return
  if ([...left].sort().join() === [...right].sort().join()) {
    yield {
      field,
      left: left.join(' '),
      right: right.join(' '),
      message: 'Both sides have the same ones in a different order.',
    }
    return
  }
  for (const [index, digest] of left.entries()) {
    const other = right[index]
    if (other === undefined || other === digest) continue
    const what = field === 'layers' ? 'layer tars' : 'payloads'
    yield {field: `${field}.${index}`, left: digest, right: other, message: `The ${what} differ.`}
  }
}

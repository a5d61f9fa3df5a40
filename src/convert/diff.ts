import {comparePaths} from '../model/layer-path.js'
import type {OpenOptions} from '../model/transport.js'
import type {Image} from '../model/image.js'
import {diffDigests, type DigestDifference} from './diff-digests.js'
import {diffMetadata, type MetadataDifference} from './diff-metadata.js'
import {diffRegistries, type RegistryDifference} from './diff-registry.js'
import {explainLayers} from './explain-layers.js'
import type {FileFacts, FileIndex} from './file-index.js'
import {openImage, withImage} from './inspect.js'
import {readPayload, type Payload} from './read-payload.js'

/** What can be compared. */
export const DIFF_PARTS = ['digests', 'metadata', 'files', 'registry'] as const
export type DiffPart = (typeof DIFF_PARTS)[number]

/** One side of a file. */
export interface FileSide {
  readonly kind: 'file' | 'directory' | 'tombstone' | 'opaque'
  /** Bytes of the unnamed stream. */
  readonly size?: number
  /** FILE_ATTRIBUTE_* bits. */
  readonly attributes: number
  /** `sha256:…` of the unnamed stream. */
  readonly content?: string
  /** FILETIMEs as decimal strings: 100 ns since 1601. */
  readonly times: {
    readonly creation: string
    readonly lastAccess: string
    readonly lastWrite: string
    readonly change: string
  }
}

/** A file or folder that is not the same on both sides. */
export interface FileDifference {
  readonly path: string
  /** `added` = only on the right; `removed` = only on the left. */
  readonly change: 'added' | 'removed' | 'changed'
  /** What differs: `name` (its case), `attributes`, `times`, `content`, `links` … */
  readonly fields?: readonly string[]
  readonly left?: FileSide
  readonly right?: FileSide
}

/** What `diff` prints with `--json`. Schema: `src/schemas/diff.schema.json`. */
export interface DiffReport {
  readonly left: string
  readonly right: string
  /** Nothing that was compared differs. */
  readonly same: boolean
  readonly compared: readonly DiffPart[]
  /** Why a requested part was not compared. */
  readonly notCompared: readonly string[]
  /** Of the manifest, configuration and layers that both sides have. */
  readonly digests: readonly DigestDifference[]
  readonly metadata: readonly MetadataDifference[]
  readonly files: readonly FileDifference[]
  readonly registry: readonly RegistryDifference[]
}

/** Options of `diff`. */
export interface DiffOptions extends OpenOptions {
  /** Default: all. */
  readonly parts?: readonly DiffPart[]
  /** Times of files, keys, images and packages are not compared. */
  readonly ignoreTimes?: boolean
}

/**
 * Compares what two references name, whatever holds them: the digests of manifest, configuration and layers and the
 * metadata as far as both sides know them, and the files and registry that a container would see, however they are cut
 * into layers. Contents are compared by digest as they pass.
 */
export async function compare(left: string, right: string, options: DiffOptions = {}): Promise<DiffReport> {
  const wanted = DIFF_PARTS.filter((part) => options.parts?.includes(part) ?? true)
  const isTimeless = options.ignoreTimes === true && wanted.includes('digests')
  const compared = wanted.filter((part) => !isTimeless || part !== 'digests')
  const opened = await openImage(left, options)
  try {
    return await withImage(right, options, async (image, reference) => {
      const metadata = compared.includes('metadata')
        ? diffMetadata(opened.image, image, options)
        : {differences: [], notCompared: []}
      const needsPayload = compared.includes('files') || compared.includes('registry')
      const payloads = needsPayload
        ? ([await readPayload(opened.image, options), await readPayload(image, options)] as const)
        : undefined
      const files =
        payloads !== undefined && compared.includes('files')
          ? diffFiles(payloads[0].files, payloads[1].files, options)
          : []
      const registry =
        payloads !== undefined && compared.includes('registry')
          ? [...diffRegistries(payloads[0].hives, payloads[1].hives, options)]
          : []
      const found = compared.includes('digests') ? diffDigests(opened.image, image) : []
      const isSeenAlike =
        payloads !== undefined && compared.length === DIFF_PARTS.length && files.length + registry.length === 0
      const digests = isSeenAlike ? await explained(found, opened.image, image, options) : found
      return {
        left: opened.reference,
        right: reference,
        same: digests.length + metadata.differences.length + files.length + registry.length === 0,
        compared,
        notCompared: [
          ...(isTimeless ? [TIMELESS] : []),
          ...metadata.notCompared,
          ...(payloads === undefined ? [] : unlikeBases(...payloads)),
        ],
        digests,
        metadata: metadata.differences,
        files,
        registry,
      }
    })
  } finally {
    await opened.image.close()
  }
}

const TIMELESS = 'Digests were not compared, because the digested bytes contain times.'

/** Where a container sees the same, what makes layers differ is looked for in their bytes. */
async function explained(
  found: readonly DigestDifference[],
  left: Image,
  right: Image,
  options: DiffOptions,
): Promise<readonly DigestDifference[]> {
  const told: DigestDifference[] = []
  for (const difference of found) {
    const index = Number(/^(?:layers|payloads)\.(\d+)$/.exec(difference.field)?.[1])
    const [one, other] = [left.layers[index], right.layers[index]]
    const isRead = one?.hasContent === true && other?.hasContent === true
    told.push(isRead ? {...difference, message: await explainLayers(one, other, options)} : difference)
  }
  return told
}

function unlikeBases(left: Payload, right: Payload): string[] {
  if (left.standsAlone === right.standsAlone) return []
  const side = left.standsAlone ? 'right' : 'left'
  return [`The ${side} lacks its operating system, so those files count as differences. Pass it with --base.`]
}

function diffFiles(left: FileIndex, right: FileIndex, options: DiffOptions): FileDifference[] {
  const differences: FileDifference[] = []
  for (const folded of left.keys()) {
    const path = left.nameOf(folded)
    if (!right.has(folded)) {
      differences.push({path, change: 'removed', left: sideOf(left.factsOf(folded))})
      continue
    }
    const fields = [
      ...(path === right.nameOf(folded) ? [] : ['name']),
      ...left.differences(folded, right).filter((field) => field !== 'times' || options.ignoreTimes !== true),
      ...(hasSameLinks(left.linksOf(folded), right.linksOf(folded)) ? [] : ['links']),
    ]
    if (fields.length === 0) continue
    const sides = {left: sideOf(left.factsOf(folded)), right: sideOf(right.factsOf(folded))}
    differences.push({path, change: 'changed', fields, ...sides})
  }
  for (const folded of right.keys()) {
    if (left.has(folded)) continue
    differences.push({path: right.nameOf(folded), change: 'added', right: sideOf(right.factsOf(folded))})
  }
  return differences.sort((one, other) => comparePaths(one.path, other.path))
}

function hasSameLinks(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, index) => name === right[index])
}

function sideOf({kind, size, attributes = 0, content, times}: FileFacts): FileSide {
  const told = (time: bigint | undefined): string => (time ?? 0n).toString()
  return {
    kind,
    ...(size === undefined ? {} : {size}),
    attributes,
    ...(content === undefined ? {} : {content: `sha256:${Buffer.from(content).toString('hex')}`}),
    times: {
      creation: told(times?.creation),
      lastAccess: told(times?.lastAccess),
      lastWrite: told(times?.lastWrite),
      change: told(times?.change),
    },
  }
}

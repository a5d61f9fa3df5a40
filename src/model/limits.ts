/*
 * Every limit that protects from hostile input, in one place; `docs/security.md` shows them as a table. A limit with an
 * option can be raised by who trusts the source; the others are far above anything real.
 */

/** What a limit counts. */
export type LimitUnit =
  | 'bytes'
  | 'times'
  | 'entries'
  | 'folders'
  | 'levels'
  | 'manifests'
  | 'bytes a second'
  | 'seconds'
  | 'requests'
  | 'pieces'

export interface Limit {
  readonly value: number
  readonly unit: LimitUnit
  /** Flag, and key of a plan's options, without `--`. */
  readonly option?: string
  /** What is bounded, as a noun phrase. */
  readonly bounds: string
}

const [KIB, MIB, GIB] = [2 ** 10, 2 ** 20, 2 ** 30]

export const LIMITS = {
  holes: {
    value: 16 * GIB,
    unit: 'bytes',
    option: 'max-unpacked',
    bounds: 'zeros that the holes of sparse files in one layer are spelt out to',
  },
  unpacked: {
    value: 256 * GIB,
    unit: 'bytes',
    option: 'max-unpacked',
    bounds: 'what one compressed layer or archive, or one stream kept in a temporary file, unpacks to',
  },
  ratio: {
    value: 1000,
    unit: 'times',
    option: 'max-ratio',
    bounds:
      'how many times its own size a compressed stream unpacks to, once it has passed 64 MiB (1 MiB where the option is given)',
  },
  entries: {
    value: 4_000_000,
    unit: 'entries',
    option: 'max-entries',
    bounds: 'members of one layer, and files of one payload',
  },
  parts: {value: 4_000_000, unit: 'entries', bounds: 'parts of one AppX package'},
  archiveEntries: {
    value: 200_000,
    unit: 'entries',
    option: 'max-entries',
    bounds: 'members of one archive of images',
  },
  nameDepth: {
    value: 512,
    unit: 'folders',
    option: 'max-name-depth',
    bounds: 'components of one name in a layer or payload',
  },
  extension: {value: MIB, unit: 'bytes', bounds: 'one extended header of a tar'},
  memberHeaders: {
    value: 32 * MIB,
    unit: 'bytes',
    bounds: 'all that stands in front of the content of one tar member: headers, extended headers, sparse maps',
  },
  layerHeaders: {
    value: GIB,
    unit: 'bytes',
    bounds: 'headers of all members of one tar together, the first 16 KiB of each aside',
  },
  headerPieces: {value: 32, unit: 'pieces', bounds: 'blocks and bodies of extended headers in front of one tar member'},
  sparseRanges: {value: 1_000_000, unit: 'pieces', bounds: 'ranges of one sparse file'},
  sparseFile: {value: 2 ** 41, unit: 'bytes', bounds: 'one sparse file, holes included'},
  document: {value: 20 * MIB, unit: 'bytes', bounds: 'one manifest, index or configuration'},
  indexDepth: {value: 4, unit: 'levels', bounds: 'indexes inside each other, and what refers to an image'},
  manifests: {value: 10_000, unit: 'manifests', bounds: 'images that one index, or one place, leads to'},
  indexEntries: {
    value: 200_000,
    unit: 'entries',
    bounds: 'entries of one index and of all indexes in it, each counted as often as something names its index',
  },
  heldDocuments: {
    value: 64 * MIB,
    unit: 'bytes',
    bounds: 'manifests and indexes that travel together, of one index or of what refers to an image',
  },
  indexBytes: {value: 256 * MIB, unit: 'bytes', bounds: 'one index and all indexes in it, counted alike'},
  recipeBlock: {value: 64 * MIB, unit: 'bytes', bounds: 'one block of a recipe'},
  answer: {value: 20 * MIB, unit: 'bytes', bounds: 'one answer of a registry that is taken into memory'},
  redirects: {value: 5, unit: 'requests', bounds: 'redirects of one request'},
  attempts: {value: 6, unit: 'requests', bounds: 'attempts at one request, or at the next byte of one download'},
  leastRate: {
    value: KIB,
    unit: 'bytes a second',
    option: 'least-rate',
    bounds: 'the slowest that a registry may send, over 30 s of waiting for it',
  },
  requestTime: {
    value: 24 * 60 * 60,
    unit: 'seconds',
    option: 'max-request-time',
    bounds: 'waiting for a registry in one request or download, new attempts included',
  },
  silence: {value: 60, unit: 'seconds', bounds: 'a registry that sends nothing in the middle of an answer'},
  headSilence: {value: 120, unit: 'seconds', bounds: 'a registry that does not begin to answer'},
} as const satisfies Readonly<Record<string, Limit>>

/** Of each member's headers, so many bytes do not count towards those of the layer: what ordinary ones have. */
export const ORDINARY_HEADER_BYTES = 16 * KIB

/** What a caller may bound in another way than `LIMITS` does. */
export interface UnpackOptions {
  /**
   * The most bytes that a compressed stream unpacks to, and the most zeros that the holes of sparse files in one layer are
   * spelt out to (`LIMIT_EXCEEDED`). Holes that stay holes do not count.
   */
  readonly maxUnpackedBytes?: number
  /** The most times its own size that a compressed stream unpacks to (`LIMIT_EXCEEDED`). */
  readonly maxRatio?: number
  /** The most members of a layer, an archive or a package (`LIMIT_EXCEEDED`). */
  readonly maxEntries?: number
  /** The most components of a name in a layer or payload (`LIMIT_EXCEEDED`). */
  readonly maxNameDepth?: number
}

/** Of many options, those that bound what is unpacked; what is not given stays absent. */
export function unpackOptions(options: UnpackOptions): UnpackOptions {
  const {maxUnpackedBytes, maxRatio, maxEntries, maxNameDepth} = options
  return {
    ...(maxUnpackedBytes === undefined ? {} : {maxUnpackedBytes}),
    ...(maxRatio === undefined ? {} : {maxRatio}),
    ...(maxEntries === undefined ? {} : {maxEntries}),
    ...(maxNameDepth === undefined ? {} : {maxNameDepth}),
  }
}

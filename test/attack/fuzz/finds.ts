/**
 * Mutants that were finds once, by the numbers that make them. A generator that changes makes other bytes of them, so each
 * kind of find has a test of its own as well, in the folder of what was mended.
 */
export interface KeptFind {
  readonly parser: string
  /** What was wrong with the product. */
  readonly was: string
  readonly seed: number
  readonly number: number
}

export const KEPT_FINDS: readonly KeptFind[] = [
  {parser: 'image-config', was: 'verify called an image sound whose history convert refused', seed: 1, number: 7},
  {parser: 'image-config', was: 'the same for labels', seed: 1, number: 33},
  {parser: 'native-index', was: 'a payload that its index does not list was exact', seed: 1, number: 1},
  {parser: 'native-index', was: 'a time that is none was passed over, and the disk’s was taken', seed: 1, number: 11},
  {parser: 'payload-index', was: 'three times of four were passed over', seed: 1, number: 0},
  {parser: 'containerd-answers', was: 'malformed metrics of a task ended the listing', seed: 1, number: 0},
  {parser: 'package-metadata', was: 'times of a top folder were lost in an exact image', seed: 3, number: 65},
  {parser: 'kept-companions', was: 'a malformed referrer was called sound', seed: 3, number: 21},
  {parser: 'wim-metadata', was: 'a damaged security descriptor was sound, and its layout was not', seed: 1, number: 0},
  {parser: 'registry-answers', was: 'an answer with a length and in chunks was our own fault', seed: 1, number: 37},
  {parser: 'containerd-answers', was: 'a namespace that no header can hold was our own fault', seed: 1, number: 23},
  {parser: 'kept-companions', was: 'a referrer whose blob is not kept was called sound', seed: 3, number: 27},
  {parser: 'wim-chunks', was: 'a chunk longer than its window was our own fault', seed: 1, number: 787639},
  {parser: 'companions', was: 'attestations were not verified where a platform was asked for', seed: 1, number: 111},
  {parser: 'companions', was: 'a signature with a manifest as its layer did not verify', seed: 1, number: 342},
  {parser: 'package-metadata', was: 'a pin that is listed twice was our own fault', seed: 1, number: 322},
  {parser: 'package-metadata', was: 'a manifest whose type is not kept was written as Docker’s', seed: 1, number: 768},
  {
    parser: 'package-metadata',
    was: 'an image name with a dot at its end made a name of no package',
    seed: 1,
    number: 1359,
  },
  {parser: 'native-index', was: 'an index that lacks a size was exact', seed: 1, number: 246},
  {parser: 'native-index', was: 'a hive that is a folder by its attributes was exact', seed: 5, number: 423},
  {
    parser: 'containerd-answers',
    was: 'an answer without the image that was asked for was our own fault',
    seed: 1,
    number: 2114,
  },
  {parser: 'layer-tar', was: 'padding before a stream was kept as bytes that were only lent', seed: 1, number: 92845},
  {
    parser: 'image-config',
    was: 'a label __proto__ was sound in verify and malformed in convert',
    seed: 1,
    number: 1267,
  },
  {parser: 'payload-index', was: 'a path with a NUL in an index was our own fault', seed: 1, number: 2241},
  {parser: 'companions', was: 'nothing was told of an image that is for another platform', seed: 1, number: 636},
  {
    parser: 'native-metadata',
    was: 'half of a surrogate pair lost a package its name, and it was exact',
    seed: 1,
    number: 4338,
  },
  {
    parser: 'wim-metadata',
    was: 'half of a surrogate pair in a name became another name on the disk',
    seed: 1,
    number: 7156,
  },
  {
    parser: 'kept-companions',
    was: 'a blob that a kept document names by another size was sound',
    seed: 1,
    number: 3908,
  },
  {parser: 'transport-layout', was: 'a link whose name has a NUL made a layer that is no tar', seed: 1, number: 355},
]

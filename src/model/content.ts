/** A byte stream of known length that can be read once, in order. */
export interface Content {
  /** Length in bytes, holes of sparse content included. */
  readonly size: number
  /** All bytes, when they are at hand anyway (small files); then `open` need not be called. */
  readonly bytes?: Uint8Array
  /**
   * The bytes in pieces. Called at most once, and before the next entry is asked for. Pieces are only valid until the
   * next one is asked for. Leaving early closes the source.
   */
  open(): AsyncIterable<Uint8Array>
  /** Allocated ranges of sparse content, ascending, not overlapping; undefined = not sparse. */
  readonly ranges?: readonly SparseRange[]
  /** The bytes of `ranges` alone, one after the other. In place of `open`, where holes need not be spelt out. */
  readonly openRanges?: () => AsyncIterable<Uint8Array>
}

/** A few bytes can claim a hole of any size; no file of a layer comes near: 2 TiB. */
export const MAX_CONTENT_BYTES = 2 ** 41

/** An allocated range of sparse content, in bytes. */
export interface SparseRange {
  readonly offset: number
  readonly length: number
}

/** Content made of bytes at hand. */
export function contentOf(bytes: Uint8Array): Content {
  return {
    size: bytes.byteLength,
    bytes,
    // eslint-disable-next-line @typescript-eslint/require-await
    async *open() {
      yield bytes
    },
  }
}

/* The two parts of unbzip2-stream that decode one block at a time; it has no types of its own. */

declare module 'unbzip2-stream/lib/bit_iterator.js' {
  /** Reads bits; a negative count moves on to the next whole byte. */
  interface BitReader {
    (count: number | null): number
    /** Whole bytes taken so far. */
    bytesRead: number
  }
  export default function bitIterator(nextBuffer: () => Uint8Array | undefined): BitReader
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  import type bitIterator from 'unbzip2-stream/lib/bit_iterator.js'
  type BitReader = ReturnType<typeof bitIterator>
  interface Bzip2 {
    /** Reads the stream header; the block size in units of 100,000 bytes. */
    header(bits: BitReader): number
    /** Decodes one block; the checksum of the stream so far, or null when the stream ends here. */
    decompress(
      bits: BitReader,
      give: (byte: number) => void,
      scratch: Int32Array,
      scratchLength: number,
      streamCrc: number | null,
    ): number | null
  }
  const bzip2: Bzip2
  export default bzip2
}

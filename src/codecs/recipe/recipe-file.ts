import {createGunzip, gzipSync} from 'node:zlib'
import {GrowingBytes} from '../bytes/growing-bytes.js'
import {throughTransform} from '../compression/through-transform.js'
import {recipeCorrupt} from '../bytes/record-reader.js'
import {RecordDecoder, RecordEncoder, type RecipeRecord} from './recipe-records.js'

/** First bytes inside the compression: the format and its version. */
const MAGIC = Buffer.from('transship recipe 1\n')
/** Records are gathered to blocks of this size, each a gzip member of its own, so that neither side holds a whole recipe. */
const BLOCK_BYTES = 1024 * 1024
/** A record is a header of a tar entry at most, which Go limits to a few MiB. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024
/** Room for the length in front of a block. */
const LENGTH_BYTES = 4
const NO_LENGTH = new Uint8Array(LENGTH_BYTES)

/** Encodes records to the pieces of a recipe file: gzip members of blocks with their length in front. */
export class RecipeEncoder {
  readonly #records = new RecordEncoder()
  readonly #block = new GrowingBytes(LENGTH_BYTES + BLOCK_BYTES)

  constructor() {
    this.#block.push(NO_LENGTH)
    this.#block.push(MAGIC)
  }

  /** Bytes of the file that are due, if any. */
  add(record: RecipeRecord): Uint8Array | undefined {
    this.#block.push(this.#records.encode(record))
    return this.#block.length - LENGTH_BYTES < BLOCK_BYTES ? undefined : this.flush()
  }

  /** What is left. */
  flush(): Uint8Array {
    const block = this.#block.view
    block.writeUInt32LE(block.byteLength - LENGTH_BYTES, 0)
    const packed = gzipSync(block, {level: 9})
    this.#block.clear()
    this.#block.push(NO_LENGTH)
    return packed
  }
}

/** The records of a recipe file. Throws `RECIPE_CORRUPT` for anything that is none, or that ends early. */
export async function* decodeRecipe(file: AsyncIterable<Uint8Array>): AsyncGenerator<RecipeRecord> {
  const decoder = new RecordDecoder()
  let hasMagic = false
  let hasEnd = false
  for await (const block of blocksOf(file)) {
    let records: Uint8Array = block
    if (!hasMagic) {
      if (!MAGIC.equals(block.subarray(0, MAGIC.byteLength))) throw recipeCorrupt('It is not a recipe of version 1.')
      records = block.subarray(MAGIC.byteLength)
      hasMagic = true
    }
    for (const record of decoder.decode(records)) {
      if (hasEnd) throw recipeCorrupt('Extra data follows its end.')
      hasEnd = record.kind === 'end'
      yield record
    }
  }
  if (!hasEnd) throw recipeCorrupt('It ends early.')
}

async function* blocksOf(file: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of throughTransform(file, createGunzip(), undefined)) {
      held = Buffer.concat([held, chunk])
      for (;;) {
        if (held.byteLength < LENGTH_BYTES) break
        const end = LENGTH_BYTES + held.readUInt32LE(0)
        if (end > MAX_BLOCK_BYTES) throw recipeCorrupt('A block is larger than the format allows.')
        if (held.byteLength < end) break
        yield held.subarray(LENGTH_BYTES, end)
        held = held.subarray(end)
      }
    }
  } catch (error) {
    throw isZlibError(error) ? recipeCorrupt('Its compression is damaged.') : error
  }
  if (held.byteLength > 0) throw recipeCorrupt('It ends early.')
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}

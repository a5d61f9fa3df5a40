import assert from 'node:assert/strict'
import {createCipheriv} from 'node:crypto'
import {availableParallelism} from 'node:os'
import {constants, crc32, gunzipSync, inflateRawSync} from 'node:zlib'
import {compress, requireCompression} from '../../../src/codecs/compression/compress.js'
import {gzipInBlocks} from '../../../src/codecs/compression/gzip-blocks.js'
import {isNoise, NOISE_BYTES} from '../../../src/codecs/compression/noise.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {assertThrows} from '../../helpers/told.js'

const BLOCK = 512 * 1024
const PIECE = 32 * 1024

function noise(length: number, seed = 1): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length))
}

const packed = (plain: Buffer, level?: number) => collect(gzipInBlocks(chunked(plain, 100_000), {level}))

/** Lengths of the stored blocks that a stream begins with, from behind the header on. */
function storedLengths(stored: Buffer): number[] {
  const lengths: number[] = []
  let at = 10
  while (stored[at] === 0) {
    const length = stored.readUInt16LE(at + 1)
    assert.equal(stored.readUInt16LE(at + 3), length ^ 0xffff)
    lengths.push(length)
    at += 5 + length
  }
  return lengths
}

describe('gzip in blocks', () => {
  it('of nothing is a header, an empty block and the trailer', async () => {
    assert.equal((await packed(Buffer.alloc(0))).toString('hex'), '1f8b08000000000000ff03000000000000000000')
  })

  it('stores noise in the longest blocks there are, anew every 512 KiB', async () => {
    const whole = [...new Array<number>(8).fill(65_535), 8]
    const stored = await packed(noise(2 * BLOCK))
    assert.deepEqual(storedLengths(stored), [...whole, ...whole])
    assert.deepEqual(storedLengths(await packed(noise(BLOCK + PIECE))), [...whole, PIECE])
    assert.deepEqual(storedLengths(await packed(noise(PIECE))), [PIECE])
    assert.equal(stored.subarray(-10, -8).toString('hex'), '0300')
  })

  it('ends each block at a byte, so that the first can be read alone', async () => {
    const plain = Buffer.from(
      noise(BLOCK)
        .toString('hex')
        .slice(0, BLOCK + 5000),
    )
    const stored = await packed(plain)
    const flush = Buffer.of(0, 0, 0xff, 0xff)
    const sizes: number[] = []
    for (let at = stored.indexOf(flush, 10); at >= 0; at = stored.indexOf(flush, at + 1)) {
      const part = stored.subarray(10, at + 4)
      sizes.push(inflateRawSync(part, {finishFlush: constants.Z_SYNC_FLUSH}).byteLength)
    }
    assert.ok(sizes.includes(BLOCK) && sizes.includes(plain.byteLength), String(sizes))
  })

  it('looks back 32 KiB into the block before', async () => {
    const digits = Buffer.from(noise(PIECE / 4).toString('hex'))
    const other = Buffer.from(noise(BLOCK, 2).toString('hex'))
    const repeated = await packed(Buffer.concat([other.subarray(0, BLOCK - PIECE / 2), digits, digits]))
    const fresh = await packed(Buffer.concat([other.subarray(0, BLOCK), digits]))
    assert.ok(repeated.byteLength < fresh.byteLength - 5000, `${repeated.byteLength} and ${fresh.byteLength}`)
  })

  it('looks back into what it stored', async () => {
    const random = noise(PIECE)
    const half = Buffer.concat([random.subarray(PIECE / 2), Buffer.alloc(PIECE / 2)])
    assert.deepEqual([random, half].map(isNoise), [true, false])
    const stored = await packed(Buffer.concat([random, half]))
    assert.deepEqual(storedLengths(stored), [PIECE])
    assert.ok(stored.byteLength < PIECE + 1000, `${stored.byteLength} bytes`)
    assert.ok(gunzipSync(stored).equals(Buffer.concat([random, half])))
  })

  it('stores single pieces of noise between others', async () => {
    const zeros = Buffer.alloc(PIECE)
    const plain = Buffer.concat([noise(PIECE), zeros, noise(PIECE, 2), noise(PIECE, 3), zeros, zeros])
    const stored = await packed(plain)
    assert.ok(gunzipSync(stored).equals(plain))
    assert.ok(stored.includes(noise(PIECE, 2).subarray(0, 1000)) && stored.byteLength < 3 * PIECE + 1000)
  })

  it('stores nothing by itself at level 0', async () => {
    const plain = noise(PIECE)
    assert.ok(gunzipSync(await packed(plain, 0)).equals(plain))
    assert.notDeepEqual(storedLengths(await packed(plain, 0)), storedLengths(await packed(plain)))
  })

  it('is of level 4 where none is asked for', async () => {
    const plain = Buffer.from(noise(50_000).toString('hex').replace(/[0-7]/g, 'the same '))
    const [usual, four, three, five] = await Promise.all([undefined, 4, 3, 5].map((level) => packed(plain, level)))
    assert.ok(usual!.equals(four!) && !usual!.equals(three!) && !usual!.equals(five!))
  })

  it('has the checksum and the size of everything', async () => {
    const plain = noise(BLOCK + 1)
    const stored = await packed(plain)
    assert.deepEqual(
      [stored.readUInt32LE(stored.length - 8), stored.readUInt32LE(stored.length - 4)],
      [crc32(plain), BLOCK + 1],
    )
  })

  it('is the same of many blocks, more than are worked on at once', async () => {
    const plain = Buffer.concat(
      Array.from({length: availableParallelism() + 4}, (_, index) => Buffer.alloc(BLOCK, `${index} `)),
    )
    assert.ok(gunzipSync(await packed(plain)).equals(plain))
  })

  it('ends when it is told to, and lets go of its source', async () => {
    const stop = new AbortController()
    let isClosed = false
    async function* source() {
      try {
        yield* chunked(noise(4 * BLOCK), BLOCK)
      } finally {
        isClosed = true
      }
    }
    stop.abort(new Error('told to'))
    await assert.rejects(collect(gzipInBlocks(source(), {signal: stop.signal})), /told to/)
    assert.equal(isClosed, true)
  })

  it('passes an error of its source on', async () => {
    async function* source() {
      yield* chunked(noise(3 * BLOCK), BLOCK)
      throw new Error('the source broke')
    }
    await assert.rejects(collect(gzipInBlocks(source(), {})), /the source broke/)
  })
})

describe('the levels of compression', () => {
  for (const [compression, low, high] of [
    ['gzip', 0, 9],
    ['none', 0, 0],
  ] as const)
    it(`of ${compression} are ${low} to ${high}`, () => {
      for (let level = low; level <= high; level++) requireCompression(compression, level)
      requireCompression(compression, undefined)
      for (const level of [low - 1, high + 1, low + 0.5, NaN, Infinity])
        assertThrows(
          () => {
            requireCompression(compression, level)
          },
          {code: 'BAD_OPTION', says: [level, compression]},
        )
    })

  it('without compression are the bytes themselves', () => {
    const body = chunked(Buffer.from('x'))
    assert.equal(compress(body, 'none'), body)
    assert.equal(compress(body, 'none', {level: 0}), body)
  })
})

/*
 * What is stored and what is compressed is part of the output, and so are the bounds between them.
 */
describe('bytes that deflate cannot shrink', () => {
  /** Every value as often as every other at each eighth byte, and no word twice. */
  function even(change: (bytes: Buffer) => void = () => undefined): Buffer {
    const bytes = Buffer.alloc(NOISE_BYTES)
    for (let word = 0; word < NOISE_BYTES / 4; word++) bytes.writeUInt32LE((word << 8) + 2 ** 31, 4 * word)
    // At each 64th byte as well.
    for (let index = 0; index < NOISE_BYTES / 8; index++)
      bytes[8 * index] = (Math.floor(index / 8) % 256) ^ ((index % 8) * 32)
    change(bytes)
    return bytes
  }

  /** Gives so many bytes of different values, at a multiple of 8 and none of 64, another value. */
  const biased = (count: number, stride: 8 | 64) => (bytes: Buffer) => {
    const seen = new Set<number>([0xa5])
    for (let at = stride === 64 ? 0 : 8; at < bytes.length && seen.size <= count; at += stride) {
      if (stride === 8 && at % 64 === 0) continue
      const value = bytes[at]!
      if (seen.has(value)) continue
      seen.add(value)
      bytes[at] = 0xa5
    }
    assert.equal(seen.size, count + 1)
  }

  it('are spread evenly', () => {
    assert.equal(isNoise(even()), true)
    assert.equal(isNoise(noise(NOISE_BYTES)), true)
    assert.equal(isNoise(Buffer.alloc(NOISE_BYTES, 7)), false)
  })

  it('are 32 KiB or more', () => {
    assert.equal(NOISE_BYTES, PIECE)
    assert.equal(isNoise(even().subarray(0, -1)), false)
    assert.equal(isNoise(Buffer.alloc(0)), false)
    assert.equal(isNoise(noise(NOISE_BYTES + 5)), true)
  })

  for (const [stride, most] of [
    [8, 78],
    [64, 28],
  ] as const)
    it(`may have one value ${most} times too often at each ${stride}th byte, and no more`, () => {
      assert.equal(isNoise(even(biased(most, stride))), true)
      assert.equal(isNoise(even(biased(most + 1, stride))), false)
    })

  it('may repeat one word of 128, and no more', () => {
    const repeating = (count: number) =>
      even((bytes) => {
        for (let index = 0; index < count; index++) bytes.copy(bytes, 32 * index + 4, 32 * index, 32 * index + 4)
      })
    assert.equal(isNoise(repeating(64)), true)
    assert.equal(isNoise(repeating(65)), false)
  })
})

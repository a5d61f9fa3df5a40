import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {createCipheriv, createHash} from 'node:crypto'
import {gunzipSync, gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {compress} from '../../../src/codecs/compression/compress.js'
import {decompress} from '../../../src/codecs/compression/decompress.js'
import {detectCompression, detectStream} from '../../../src/codecs/compression/detect-compression.js'
import {isNoise, NOISE_BYTES} from '../../../src/codecs/compression/noise.js'
import {findNodeZstd} from '../../../src/codecs/compression/read-zstd.js'
import {TransshipError} from '../../../src/model/errors.js'
import type {Compression} from '../../../src/model/image.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {requireTool} from '../../helpers/tools.js'

/** Text with some order and some noise, so that every decoder meets more than one kind of block. */
function sample(length: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0, round = 0; at < length; round++) {
    const noise = createHash('sha512').update(String(round)).digest()
    const part = round % 3 === 0 ? noise : Buffer.alloc(300, `line ${round} `)
    parts.push(part)
    at += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

/** The same bytes each time, as even as random ones. */
function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16)).update(Buffer.alloc(length))
}

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({length: times}, () => bytes))
}

const TOOLS: readonly {compression: Exclude<Compression, 'none'>; tool: string}[] = [
  {compression: 'gzip', tool: 'gzip'},
  {compression: 'zstd', tool: 'zstd'},
  {compression: 'bzip2', tool: 'bzip2'},
  {compression: 'xz', tool: 'xz'},
]

function packed(tool: string, bytes: Buffer): Buffer {
  return execFileSync(tool, ['-c'], {input: bytes, maxBuffer: 2 ** 28})
}

describe('compression', () => {
  for (const {compression, tool} of TOOLS) {
    for (const length of [0, 1, 100_000, 2_500_000])
      it(`reads what ${tool} wrote of ${length} bytes, told by its magic, also from two streams in a row`, async function () {
        requireTool(this, tool)
        const plain = sample(length)
        const stored = packed(tool, plain)
        assert.equal(detectCompression(stored), compression)
        const {compression: found, body} = await detectStream(chunked(stored, 1000))
        assert.ok((await collect(decompress(body, found, {title: 'x'}))).equals(plain))
        const twice = chunked(Buffer.concat([stored, stored]), 70_000)
        assert.ok((await collect(decompress(twice, found, {title: 'x'}))).equals(Buffer.concat([plain, plain])))
      })

    it(`refuses a cut ${compression} stream with an error of ours at every length`, async function () {
      requireTool(this, tool)
      const stored = packed(tool, sample(3000))
      for (let length = 1; length < stored.length; length += 1 + (length % 7)) {
        await assert.rejects(
          collect(decompress(chunked(stored.subarray(0, length), 100), compression, {title: 'x'})),
          (error) => error instanceof TransshipError && error.code.startsWith('ARCHIVE_'),
          `cut at ${length}`,
        )
      }
    })

    it(`passes an error of the source of ${compression} on unchanged`, async function () {
      requireTool(this, tool)
      const stored = packed(tool, sample(300_000))
      const broken = new Error('the source broke')
      async function* failing() {
        yield* chunked(stored.subarray(0, 2000), 100)
        throw broken
      }
      await assert.rejects(collect(decompress(failing(), compression, {title: 'x'})), (error) => error === broken)
    })

    it(`closes the source when the reader of ${compression} leaves early`, async function () {
      requireTool(this, tool)
      const stored = packed(tool, sample(2_500_000))
      let closed = false
      async function* source() {
        try {
          yield* chunked(stored, 10_000)
        } finally {
          closed = true
        }
      }
      for await (const chunk of decompress(source(), compression, {title: 'x'})) {
        assert.ok(chunk.byteLength > 0)
        break
      }
      assert.ok(closed)
    })
  }

  for (const length of [0, 5, 512 * 1024, 512 * 1024 + 1, 3_000_000])
    it(`writes gzip of ${length} bytes that any gunzip reads, the same bytes whatever the chunks`, async () => {
      const plain = sample(length)
      const stored = await collect(compress(chunked(plain, 1 << 20), 'gzip'))
      assert.ok(gunzipSync(stored).equals(plain))
      assert.deepEqual(stored.subarray(0, 10), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]))
      assert.ok((await collect(compress(chunked(plain, 777), 'gzip'))).equals(stored))
      const small = await collect(compress(chunked(plain, 1 << 20), 'gzip', {level: 6}))
      if (length > 1e6) assert.ok(small.length < gzipSync(plain).length * 1.02)
    })

  for (const {title, plain, isStored} of [
    {title: 'random bytes', plain: noise(1_000_000), isStored: true},
    {
      title: 'what gzip wrote',
      plain: gzipSync(noise(1_500_000).toString('base64')).subarray(0, 1_000_000),
      isStored: true,
    },
    {title: 'one value', plain: Buffer.alloc(1_000_000, 7), isStored: false},
    {title: 'random bytes that repeat within the window', plain: repeated(noise(16_384), 61), isStored: false},
    {title: 'random hexadecimal digits', plain: Buffer.from(noise(500_000).toString('hex')), isStored: false},
    {title: 'less than a piece of random bytes', plain: noise(32_767), isStored: false},
  ])
    it(`${isStored ? 'stores' : 'compresses'} ${title}`, async () => {
      assert.equal(isNoise(plain.subarray(0, NOISE_BYTES)), isStored)
      const packed = await collect(compress(chunked(plain, 50_000), 'gzip'))
      assert.ok(gunzipSync(packed).equals(plain))
      assert.ok(packed.length < plain.length * (isStored ? 1.001 : 1.01))
      // A deflate block that is stored and not the last begins with a zero byte and its length. Source: RFC 1951, 3.2.4.
      assert.deepEqual(packed.subarray(10, 13).equals(Buffer.of(0, 0xff, 0xff)), isStored)
    })

  it('writes gzip of stored and compressed pieces in any order that any gunzip reads', async function () {
    requireTool(this, 'gzip')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({isNoise: fc.boolean(), length: fc.integer({min: 1, max: 300_000})}), {maxLength: 8}),
        fc.integer({min: 1, max: 9}),
        fc.integer({min: 1000, max: 700_000}),
        async (pieces, level, chunk) => {
          const random = noise(300_000)
          const plain = Buffer.concat(
            pieces.map((piece) => (piece.isNoise ? random.subarray(0, piece.length) : sample(piece.length))),
          )
          const packed = await collect(compress(chunked(plain, chunk), 'gzip', {level}))
          assert.ok(gunzipSync(packed).equals(plain))
          assert.ok(execFileSync('gzip', ['-dc'], {input: packed, maxBuffer: 2 ** 28}).equals(plain))
          assert.ok((await collect(compress(chunked(plain, 1 << 20), 'gzip', {level}))).equals(packed))
        },
      ),
      {numRuns: Math.ceil(FUZZ_RUNS / 30)},
    )
  })

  it('refuses levels that do not exist', () => {
    assert.throws(() => compress(chunked(Buffer.of()), 'gzip', {level: 10}), {code: 'BAD_OPTION'})
    assert.throws(() => compress(chunked(Buffer.of()), 'none', {level: 1}), {code: 'BAD_OPTION'})
  })

  it('writes zstd where Node can, and says plainly where it cannot', async () => {
    const plain = sample(100_000)
    if (findNodeZstd('createZstdCompress') === undefined) {
      assert.throws(() => compress(chunked(plain), 'zstd'), {code: 'FORMAT_UNSUPPORTED'})
      return
    }
    const stored = await collect(compress(chunked(plain), 'zstd'))
    assert.ok((await collect(decompress(chunked(stored), 'zstd', {title: 'x'}))).equals(plain))
  })
})

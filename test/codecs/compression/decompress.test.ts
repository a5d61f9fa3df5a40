import assert from 'node:assert/strict'
import {deflateRawSync, gzipSync, crc32} from 'node:zlib'
import {decompress} from '../../../src/codecs/compression/decompress.js'
import {detectCompression, detectStream, MAGIC_BYTES} from '../../../src/codecs/compression/detect-compression.js'
import {readGzip} from '../../../src/codecs/compression/read-gzip.js'
import {zstdFrames} from '../../../src/codecs/compression/zstd-frames.js'
import type {Compression} from '../../../src/model/image.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {assertRejects} from '../../helpers/told.js'

const TEXT = Buffer.from('the text of a small stream')
const base64 = (text: string) => Buffer.from(text, 'base64')
/** A zstd frame of one raw block. Source: RFC 8878, 3.1.1. */
const ZSTD = Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, TEXT.length, (TEXT.length << 3) | 1, 0, 0), TEXT])
const SMALL: Readonly<Record<Exclude<Compression, 'none'>, Buffer>> = {
  gzip: gzipSync(TEXT),
  zstd: ZSTD,
  bzip2: base64('QlpoOTFBWSZTWTM+BN0AAAuRgEAAI0acQCAAIp6manplBA0DQqV0lcTTCyB2NeEM+LuSKcKEgZnwJug='),
  xz: base64(
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAZdGhlIHRleHQgb2YgYSBzbWFsbCBzdHJlYW0AAAAsTTPYj7H7CgABMhogGJQwH7bzfQEAAAAABFla',
  ),
}
const COMPRESSIONS = Object.keys(SMALL) as (keyof typeof SMALL)[]

const read = (bytes: Buffer, compression: Compression, size = 7) =>
  collect(decompress(chunked(bytes, size), compression, {title: 'It'}))

describe('a compression that is told by its first bytes', () => {
  for (const compression of COMPRESSIONS)
    it(`is ${compression} with all of its magic, and none with less or another`, () => {
      const length = {gzip: 2, zstd: 4, bzip2: 3, xz: 6}[compression]
      const head = SMALL[compression].subarray(0, length)
      assert.equal(detectCompression(head), compression)
      assert.equal(detectCompression(SMALL[compression].subarray(0, MAGIC_BYTES)), compression)
      assert.equal(detectCompression(head.subarray(0, -1)), 'none')
      for (let at = 0; at < length; at++) {
        const other = Buffer.from(head)
        other[at]! ^= 0x80
        assert.equal(detectCompression(other), 'none', `byte ${at}`)
      }
    })

  it('is zstd for any skippable frame', () => {
    for (let low = 0; low < 16; low++) assert.equal(detectCompression(Buffer.of(0x50 | low, 0x2a, 0x4d, 0x18)), 'zstd')
    for (const head of ['402a4d18', '602a4d18', '502b4d18', '502a4c18', '502a4d19', '502a4d', ''])
      assert.equal(detectCompression(Buffer.from(head, 'hex')), 'none', head)
  })

  it('is none for a tar, and for nothing', () => {
    for (const head of ['', 'Files/', '\0\0\0\0\0\0', 'BZ']) assert.equal(detectCompression(Buffer.from(head)), 'none')
    assert.equal(MAGIC_BYTES, 6)
  })

  it('leaves the stream whole, however it is cut', async () => {
    for (const compression of COMPRESSIONS)
      for (const size of [1, 5, 6, 7, 1000]) {
        const found = await detectStream(chunked(SMALL[compression], size))
        assert.equal(found.compression, compression)
        assert.ok((await collect(found.body)).equals(SMALL[compression]))
      }
    for (const bytes of ['', 'abc']) {
      const {compression, body} = await detectStream(chunked(Buffer.from(bytes), 1))
      assert.deepEqual([compression, (await collect(body)).toString()], ['none', bytes])
    }
  })

  it('lets go of the stream when the reader leaves', async () => {
    let isClosed = false
    async function* source() {
      try {
        yield* chunked(SMALL.xz, 10)
      } finally {
        isClosed = true
      }
    }
    const {body} = await detectStream(source())
    for await (const chunk of body) {
      assert.equal(chunk.byteLength, 10)
      break
    }
    assert.equal(isClosed, true)
  })
})

describe('decompressing', () => {
  it('passes what is not compressed on', async () => {
    assert.ok((await read(TEXT, 'none')).equals(TEXT))
  })

  for (const compression of COMPRESSIONS) {
    it(`reads ${compression} in pieces of any size, once or twice`, async () => {
      const stored = SMALL[compression]
      for (const size of [1, 2, 13, 1000]) {
        assert.ok((await read(stored, compression, size)).equals(TEXT))
        assert.ok((await read(Buffer.concat([stored, stored]), compression, size)).equals(Buffer.concat([TEXT, TEXT])))
      }
    })

    it(`tells a cut ${compression} stream, with its name`, async () => {
      for (const length of [0, 1, 2, SMALL[compression].length - 1])
        await assertRejects(read(SMALL[compression].subarray(0, length), compression), {
          code: 'ARCHIVE_TRUNCATED',
          at: {path: 'It'},
          says: ['It', compression],
          advises: true,
        })
    })

    it(`tells a damaged ${compression} stream by the code that is asked for`, async () => {
      for (const bytes of [
        Buffer.from('x'.repeat(100)),
        Buffer.concat([SMALL[compression], Buffer.from('x'.repeat(20))]),
      ]) {
        const told = {at: {path: 'It'}, says: ['It', compression], advises: true}
        await assertRejects(read(bytes, compression), {code: 'ARCHIVE_CORRUPT', ...told})
        const options = {title: 'It', code: 'LAYER_CORRUPT'} as const
        await assertRejects(collect(decompress(chunked(bytes, 7), compression, options)), {
          code: 'LAYER_CORRUPT',
          ...told,
        })
      }
    })

    it(`stops unpacking ${compression} at a limit`, async () => {
      const options = {title: 'It', maxUnpackedBytes: TEXT.length - 1}
      const told = {code: 'LIMIT_EXCEEDED', at: {path: 'It'}}
      await assertRejects(collect(decompress(chunked(SMALL[compression], 7), compression, options)), told)
      const enough = {title: 'It', maxUnpackedBytes: TEXT.length}
      assert.ok((await collect(decompress(chunked(SMALL[compression], 7), compression, enough))).equals(TEXT))
    })
  }

  it('holds what comes out against what went in', async () => {
    const bomb = gzipSync(Buffer.alloc(3 * 2 ** 20))
    const unpack = (maxRatio: number) => collect(decompress(chunked(bomb, 1000), 'gzip', {title: 'It', maxRatio}))
    await assertRejects(unpack(10), {code: 'LIMIT_EXCEEDED', at: {path: 'It'}, says: [10]})
    assert.equal((await unpack(2000)).byteLength, 3 * 2 ** 20)
  })

  it('reads every flaw of xz as damage or a cut, and says which', async () => {
    const {xz} = SMALL
    const flaws: readonly (readonly [at: number, value: number])[] = [
      [6, 1], // flags of the stream
      [7, 0x0f], // an unknown check
      [12, 9], // size of the block header
      [30, 0x20], // the text itself
      [xz.length - 1, 0],
    ]
    for (const [at, value] of flaws) {
      const changed = Buffer.from(xz)
      changed[at]! ^= value === 0 ? 0xff : value
      await assert.rejects(
        read(changed, 'xz'),
        (error: Error & {code: string}) =>
          /^ARCHIVE_(CORRUPT|TRUNCATED)$/.test(error.code) && !error.message.includes('error code'),
      )
    }
  })
})

/** A gzip member with this header and body. */
function memberOf(header: Buffer, body = deflateRawSync(TEXT), {crc = crc32(TEXT), size = TEXT.length} = {}): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(size, 4)
  return Buffer.concat([header, body, trailer])
}
const headerOf = (flags = 0, more = '') =>
  Buffer.concat([Buffer.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3), Buffer.from(more, 'latin1')])

describe('members of gzip', () => {
  const sound = memberOf(headerOf())

  for (const [note, bytes] of [
    ['no header', Buffer.from('x'.repeat(30))],
    ['another method', Buffer.concat([Buffer.of(0x1f, 0x8b, 7), sound.subarray(3)])],
    ['another checksum', memberOf(headerOf(), undefined, {crc: crc32(TEXT) ^ 1})],
    ['another size', memberOf(headerOf(), undefined, {size: TEXT.length + 1})],
    ['damaged data', memberOf(headerOf(), Buffer.alloc(20, 0xff))],
    ['letters behind it', Buffer.concat([sound, Buffer.from('abc')])],
    ['zeros and letters behind it', Buffer.concat([sound, Buffer.alloc(9), Buffer.from('abc')])],
    ['a member behind zeros', Buffer.concat([sound, Buffer.alloc(9), sound])],
    ['half a magic and letters', Buffer.concat([sound, Buffer.of(0x1f, 0x61)])],
  ] as const)
    it(`are damaged: ${note}`, async () => {
      for (const size of [1, 10, 1000]) await assertRejects(read(bytes, 'gzip', size), {code: 'ARCHIVE_CORRUPT'})
    })

  for (const [note, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['half a magic', Buffer.of(0x1f)],
    ['a magic', Buffer.of(0x1f, 0x8b)],
    ['half a header', sound.subarray(0, 9)],
    ['no data', sound.subarray(0, 10)],
    ['half its data', sound.subarray(0, 20)],
    ['no trailer', sound.subarray(0, -8)],
    ['half a trailer', sound.subarray(0, -4)],
    ['half a second magic', Buffer.concat([sound, Buffer.of(0x1f)])],
    ['a name without its end', headerOf(8, 'name')],
    ['an extra field that is cut', headerOf(4, '\x05\0abc')],
  ] as const)
    it(`are cut: ${note}`, async () => {
      for (const size of [1, 10, 1000]) await assertRejects(read(bytes, 'gzip', size), {code: 'ARCHIVE_TRUNCATED'})
    })

  for (const [note, flags] of [
    ['a name', 8],
    ['a comment', 16],
  ] as const)
    it(`may have 64 KiB of ${note}`, async () => {
      const longest = 'n'.repeat(64 * 1024)
      assert.ok((await read(memberOf(headerOf(flags, `${longest}\0`)), 'gzip', 1000)).equals(TEXT))
      await assertRejects(read(memberOf(headerOf(flags, `${longest}n\0`)), 'gzip', 1000), {code: 'ARCHIVE_CORRUPT'})
    })

  it('may be followed by zeros, and may be of nothing', async () => {
    for (const zeros of [1, 8, 100_000])
      assert.ok((await read(Buffer.concat([sound, Buffer.alloc(zeros)]), 'gzip', 999)).equals(TEXT))
    assert.equal((await read(gzipSync(Buffer.alloc(0)), 'gzip')).byteLength, 0)
    assert.ok((await read(Buffer.concat([gzipSync(Buffer.alloc(0)), sound]), 'gzip')).equals(TEXT))
  })

  it('end when they are told to, before they begin and within', async () => {
    const large = gzipSync(Buffer.alloc(10_000_000))
    for (const isEarly of [true, false]) {
      const stop = new AbortController()
      let isClosed = false
      const source = (async function* () {
        try {
          yield* chunked(large, 100)
        } finally {
          isClosed = true
        }
      })()
      if (isEarly) stop.abort(new Error('told to'))
      const work = (async () => {
        for await (const _chunk of readGzip(source, stop.signal)) stop.abort(new Error('told to'))
      })()
      await assert.rejects(work, /told to/)
      assert.equal(isClosed, true)
    }
  })

  it('let go of the signal that could end them', async () => {
    const stop = new AbortController()
    await collect(readGzip(chunked(Buffer.concat([sound, sound]), 10), stop.signal))
    stop.abort(new Error('too late'))
  })
})

describe('frames of zstd', () => {
  const MAGIC = Buffer.of(0x28, 0xb5, 0x2f, 0xfd)
  const block = (bytes: Buffer, {type = 0, isLast = true, size = bytes.length} = {}) => {
    const head = Buffer.alloc(3)
    head.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3)
    return Buffer.concat([head, bytes])
  }
  const frame = (descriptor: number, fields: number, ...rest: readonly Buffer[]) =>
    Buffer.concat([MAGIC, Buffer.of(descriptor), Buffer.alloc(fields, 0xaa), ...rest])
  const skippable = (bytes: number, low = 0) => {
    const head = Buffer.of(0x50 | low, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)
    head.writeUInt32LE(bytes, 4)
    return Buffer.concat([head, Buffer.alloc(bytes, 0xbb)])
  }
  const passed = async (bytes: Buffer, size = 3) => {
    const chunks: Buffer[] = []
    for await (const chunk of zstdFrames(chunked(bytes, size))) chunks.push(Buffer.from(chunk))
    return chunks
  }
  const last = block(TEXT)

  // The bits of the descriptor. Source: RFC 8878, 3.1.1.1.1.
  const FORMS: readonly (readonly [note: string, descriptor: number, fields: number])[] = []
  for (let content = 0; content < 4; content++)
    for (let dictionary = 0; dictionary < 4; dictionary++)
      for (const isSingle of [false, true]) {
        const contentBytes = content === 0 ? (isSingle ? 1 : 0) : 2 ** content
        const fields = (isSingle ? 0 : 1) + [0, 1, 2, 4][dictionary]! + contentBytes
        const note = `${contentBytes} bytes of size, dictionary ${dictionary}, ${isSingle ? 'one segment' : 'a window'}`
        ;(FORMS as (readonly [string, number, number])[]).push([
          note,
          (content << 6) | (isSingle ? 0x20 : 0) | dictionary,
          fields,
        ])
      }
  for (const [note, descriptor, fields] of FORMS)
    it(`are passed on whole: ${note}`, async () => {
      const one = frame(descriptor, fields, last)
      for (const frames of [[one], [one, one], [skippable(5), one]])
        assert.deepEqual(await passed(Buffer.concat(frames)), frames)
      const summed = frame(descriptor | 4, fields, last, Buffer.from('sums'))
      assert.deepEqual(await passed(Buffer.concat([summed, one]), 1000), [summed, one])
    })

  it('have several blocks, of all kinds', async () => {
    const run = block(Buffer.from('x'), {type: 1, isLast: false, size: 100_000})
    const one = frame(
      0x20,
      1,
      block(TEXT, {isLast: false}),
      run,
      block(TEXT, {type: 2, isLast: false}),
      block(Buffer.alloc(0)),
    )
    assert.deepEqual(await passed(Buffer.concat([one, one])), [one, one])
    await assert.rejects(passed(frame(0x20, 1, block(TEXT, {type: 3}))), /unknown type/)
  })

  it('are given on in pieces of some 64 KiB', async () => {
    const chunks = await passed(
      frame(0x20, 1, block(Buffer.alloc(100_000), {isLast: false}), block(Buffer.alloc(50_000))),
      1000,
    )
    assert.ok(
      chunks.length === 3 && chunks.slice(0, 2).every(({length}) => length >= 65_536 && length < 66_600),
      String(chunks.length),
    )
    assert.equal(Buffer.concat(chunks).length, 4 + 2 + 3 + 100_000 + 3 + 50_000)
  })

  it('are passed over by their length, with any of 16 magics', async () => {
    for (let low = 0; low < 16; low++) assert.deepEqual(await passed(skippable(20, low)), [skippable(20, low)])
    assert.deepEqual(await passed(skippable(0)), [skippable(0)])
  })

  it('are cut anywhere, which is told as a cut', async () => {
    const whole = Buffer.concat([frame(0x24, 1, last, Buffer.from('sums')), skippable(3)])
    const ends = [whole.length, whole.length - 11]
    for (let length = 0; length < whole.length; length++)
      if (!ends.includes(length))
        await assert.rejects(passed(whole.subarray(0, length)), /unexpected end/, String(length))
  })

  for (const [note, bytes, why] of [
    ['no frame', Buffer.from('xxxx'), /does not start like zstd/],
    ['a begin like one', Buffer.of(0x28, 1, 2, 3), /does not start like zstd/],
    ['a begin like one to pass over', Buffer.of(0x51, 1, 2, 3), /does not start like zstd/],
    ['letters behind one', Buffer.concat([frame(0x20, 1, last), Buffer.from('xxxx')]), /follows its end/],
    ['zeros behind one', Buffer.concat([frame(0x20, 1, last), Buffer.alloc(4)]), /follows its end/],
  ] as const)
    it(`are refused: ${note}`, async () => {
      await assert.rejects(passed(bytes), why)
    })

  it('let go of their source when the reader leaves', async () => {
    let isClosed = false
    const source = (async function* () {
      try {
        yield* chunked(Buffer.concat([frame(0x20, 1, last), frame(0x20, 1, last)]), 5)
      } finally {
        isClosed = true
      }
    })()
    for await (const chunk of zstdFrames(source)) {
      assert.ok(chunk.length > 0)
      break
    }
    assert.equal(isClosed, true)
  })
})

describe('streams of bzip2', () => {
  const {bzip2} = SMALL
  const EMPTY = base64('QlpoORdyRThQkAAAAAA=')
  for (const [note, bytes, plain] of [
    ['nothing in it', EMPTY, ''],
    ['a second stream', Buffer.concat([EMPTY, bzip2, EMPTY]), TEXT.toString()],
    ['zeros behind it', Buffer.concat([bzip2, Buffer.alloc(5)]), TEXT.toString()],
  ] as const)
    it(`are read: ${note}`, async () => {
      for (const size of [1, 4, 1000]) assert.equal((await read(bytes, 'bzip2', size)).toString(), plain)
    })

  for (const [note, bytes, code] of [
    ['another magic', Buffer.from('BZx91AY&SYxxxxxxxxxxxxxxx'), 'ARCHIVE_CORRUPT'],
    ['half a magic', Buffer.from('BZ'), 'ARCHIVE_TRUNCATED'],
    ['a block size of 0', Buffer.concat([Buffer.from('BZh0'), bzip2.subarray(4)]), 'ARCHIVE_CORRUPT'],
    ['zeros and letters behind it', Buffer.concat([bzip2, Buffer.alloc(5), Buffer.from('abc')]), 'ARCHIVE_CORRUPT'],
    ['zeros and a stream behind it', Buffer.concat([bzip2, Buffer.alloc(5), bzip2]), 'ARCHIVE_CORRUPT'],
    ['zeros in front of it', Buffer.concat([Buffer.alloc(5), bzip2]), 'ARCHIVE_CORRUPT'],
    ['zeros alone', Buffer.alloc(5), 'ARCHIVE_CORRUPT'],
    ['its text alone', bzip2.subarray(0, -10), 'ARCHIVE_TRUNCATED'],
  ] as const)
    it(`are refused with ${code}: ${note}`, async () => {
      await assertRejects(read(bytes, 'bzip2'), {code})
    })
})

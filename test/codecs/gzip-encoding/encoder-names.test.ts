import assert from 'node:assert/strict'
import {createCipheriv} from 'node:crypto'
import {crc32, deflateRawSync} from 'node:zlib'
import {findEncoder, likelyEncoders} from '../../../src/codecs/gzip-encoding/gzip-encoder.js'
import {GzipMatch, trailerOf} from '../../../src/codecs/gzip-encoding/match-gzip.js'
import {rebuildGzip} from '../../../src/codecs/gzip-encoding/rebuild-gzip.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {gzipBy} from '../../helpers/gzip-forms.js'

const ignore = (): void => undefined
const LEVELS = [6, 9, 1, 5, 4, 3, 2, 7, 8]
const of = (family: string, levels: readonly number[]) => levels.map((level) => `${family}:${level}`)

/** A header with time, extra flags and system; see RFC 1952, section 2.3. */
const header = (extra: number, system: number, time = 0) => {
  const bytes = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra, system])
  bytes.writeUInt32LE(time, 4)
  return bytes
}

describe('names of gzip encoders', () => {
  for (const name of [
    ...of('go-1.8', [-2, 0, 1, 9]),
    ...of('zlib', [1, 9]),
    ...of('gzip', [1, 9]),
    ...of('pigz', [1, 9]),
    ...of('pgzip-1.15.10', [16385, 2 ** 22]),
  ])
    it(`stand for one: ${name}`, () => {
      assert.ok(findEncoder(name, ignore))
    })

  for (const name of [
    ...of('go-1.8', [-1, -3, 10]),
    ...of('zlib', [0, 10, -2]),
    ...of('gzip', [0, 10]),
    ...of('pigz', [0, 10]),
    ...of('pgzip-1.15.10', [16384, 2 ** 22 + 1, 6]),
    'go-1.9:6',
    'go:6',
    'zlib-1:6',
    'xgzip:6',
    'gzip:6x',
    'gzip:',
    'gzip:+6',
    'gzip:12345678',
    ' gzip:6',
    'GZIP:6',
  ])
    it(`stand for none: '${name}'`, () => {
      assert.equal(findEncoder(name, ignore), undefined)
    })

  const KLAUSPOST = 0x886e0900
  const PGZIP = ['pgzip-1.15.10:1048576', 'pgzip-1.15.10:262144']
  const both = (levels: readonly number[]) => levels.flatMap((level) => [`gzip:${level}`, `pigz:${level}`])
  for (const [note, bytes, expected] of [
    ['Go', header(0, 0xff), [...of('go-1.8', [...LEVELS, -2, 0]), ...of('zlib', LEVELS)]],
    ['Go at its slowest', header(2, 0xff), ['go-1.8:9', 'zlib:9']],
    ['Go at its fastest', header(4, 0xff), ['go-1.8:1', 'zlib:1']],
    ['gzip or pigz', header(0, 3), [...both(LEVELS), ...of('zlib', LEVELS), ...of('go-1.8', [...LEVELS, -2, 0])]],
    ['gzip at its slowest', header(2, 3), ['gzip:9', 'pigz:9', 'zlib:9', 'go-1.8:9']],
    ['gzip at its fastest', header(4, 3), ['gzip:1', 'pigz:1', 'zlib:1', 'go-1.8:1']],
    ['other extra flags', header(1, 0xff), [...of('go-1.8', LEVELS), ...of('zlib', LEVELS)]],
    ['pgzip', header(0, 0xff, KLAUSPOST), [...PGZIP, ...of('go-1.8', [...LEVELS, -2, 0])]],
    ['pgzip at its fastest, on another system', header(4, 3, KLAUSPOST), [...PGZIP, 'go-1.8:1']],
    ['nearly the time of pgzip', header(2, 0xff, 0x886e0901), ['go-1.8:9', 'zlib:9']],
    ['nearly that time, in its second byte', header(2, 0xff, 0x886e0800), ['go-1.8:9', 'zlib:9']],
    ['nearly that time, in its third byte', header(2, 0xff, 0x886f0900), ['go-1.8:9', 'zlib:9']],
    ['nearly that time, in its last byte', header(2, 0xff, 0x896e0900), ['go-1.8:9', 'zlib:9']],
  ] as const)
    it(`are guessed by the header, the likeliest first: ${note}`, () => {
      assert.deepEqual(likelyEncoders(bytes), expected)
    })
})

describe('a gzip stream that is made again', () => {
  const text = Buffer.from('some text, some text, some more text')

  it('is header, deflated text and trailer', async () => {
    const made = await collect(rebuildGzip(chunked(text, 5), {encoder: 'zlib:6', header: header(0, 3, 77)}))
    const body = deflateRawSync(text, {level: 6})
    assert.ok(made.equals(Buffer.concat([header(0, 3, 77), body, trailerOf(crc32(text), text.length)])))
  })

  for (const name of ['go-9.9:6', 'zlib', '', 'gzip:0'])
    it(`is refused by an encoder that nobody knows: '${name}'`, async () => {
      const made = collect(rebuildGzip(chunked(text), {encoder: name, header: header(0, 3)}))
      assert.deepEqual(await lateFaultOf(made), {code: 'FORMAT_UNSUPPORTED', at: {}})
    })

  for (const [crc, bytes, hex] of [
    [0, 0, '0000000000000000'],
    [0xfedcba98, 0x01020304, '98badcfe04030201'],
    [1, 2 ** 32 + 5, '0100000005000000'],
    [1, 2 ** 32 - 1, '01000000ffffffff'],
  ] as const)
    it(`ends with ${hex}`, () => {
      assert.equal(Buffer.from(trailerOf(crc, bytes)).toString('hex'), hex)
    })
})

describe('a match of a gzip stream', () => {
  const text = Buffer.from('text '.repeat(300))
  const stream = gzipBy('zlib:6', text)
  /** Stream and text in one piece each. */
  const match = (bytes: Uint8Array, plain: Uint8Array = text) => {
    const found = new GzipMatch()
    found.addStream(bytes)
    const isLost = found.isLost
    found.addText(plain)
    return {isLost, recipe: found.finish()}
  }

  it('gives the header as it was', () => {
    const {isLost, recipe} = match(stream)
    assert.equal(isLost, false)
    assert.deepEqual(Buffer.from(recipe?.header ?? []), stream.subarray(0, 10))
  })

  for (const [at, byte, note] of [
    [0, 0x1e, 'another first byte'],
    [1, 0x8c, 'another second byte'],
    [2, 7, 'another method'],
    [3, 8, 'a name of a file'],
  ] as const)
    it(`is lost at once: ${note}`, () => {
      const altered = Buffer.from(stream)
      altered[at] = byte
      assert.deepEqual(match(altered), {isLost: true, recipe: undefined})
    })

  for (const [note, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['less than a header', stream.subarray(0, 9)],
    ['a header alone', stream.subarray(0, 10)],
    ['no trailer', stream.subarray(0, -8)],
    ['half a trailer', stream.subarray(0, -4)],
    ['another trailer', Buffer.concat([stream.subarray(0, -1), Buffer.of(1)])],
    ['another checksum', Buffer.concat([stream.subarray(0, -8), Buffer.of(1), stream.subarray(-7)])],
  ] as const)
    it(`is none: ${note}`, () => {
      assert.equal(match(bytes).recipe, undefined)
    })

  it('is none where the text is another, or more', () => {
    assert.equal(match(stream, Buffer.from(text).fill('T', 700, 701)).recipe, undefined)
    assert.equal(match(stream, Buffer.concat([text, Buffer.of(0)])).recipe, undefined)
    assert.equal(match(stream, text.subarray(0, -1)).recipe, undefined)
  })

  it('takes a header in pieces, and empty ones', () => {
    const found = new GzipMatch()
    for (let at = 0; at < stream.length; at++) {
      found.addStream(stream.subarray(at, at + 1))
      found.addStream(Buffer.alloc(0))
    }
    found.addText(text)
    assert.ok(found.finish())
  })

  it('keeps what it was given of the stream', () => {
    const found = new GzipMatch()
    const lent = Buffer.from(stream)
    found.addStream(lent)
    lent.fill(0)
    const plain = Buffer.from(text)
    found.addText(plain)
    plain.fill(0)
    assert.ok(found.finish())
  })

  for (const [bytes, isLost] of [
    [8 * 2 ** 20, false],
    [8 * 2 ** 20 + 1, true],
  ] as const)
    it(`is ${isLost ? 'lost' : 'not lost'} where ${bytes} bytes wait for text`, () => {
      const found = new GzipMatch()
      found.addStream(stream.subarray(0, 10))
      found.addStream(Buffer.alloc(bytes, 1))
      assert.equal(found.isLost, isLost)
      found.addText(text)
      assert.equal(found.finish(), undefined)
    })

  it('takes nothing any more once it is lost', () => {
    const found = new GzipMatch()
    found.addStream(Buffer.alloc(10))
    assert.equal(found.isLost, true)
    found.addStream(stream)
    found.addText(text)
    assert.deepEqual([found.isLost, found.finish()], [true, undefined])
  })

  it('is lost at the first text that no encoder makes the stream of', () => {
    const found = new GzipMatch()
    const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(2 ** 21))
    found.addStream(Buffer.concat([stream.subarray(0, 10), noise]))
    found.addText(noise)
    assert.equal(found.isLost, true)
  })
})

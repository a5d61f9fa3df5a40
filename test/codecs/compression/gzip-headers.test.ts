import assert from 'node:assert/strict'
import {crc32, deflateRawSync} from 'node:zlib'
import {decompress} from '../../../src/codecs/compression/decompress.js'
import {likelyEncoders} from '../../../src/codecs/gzip-encoding/gzip-encoder.js'
import {TransshipError} from '../../../src/model/errors.js'
import {chunked, collect} from '../../helpers/bytes.js'

// Source: RFC 1952, section 2.3.1.
const FLAGS = {text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16}
const BODY = Buffer.from('the body')

interface Member {
  readonly flags: number
  /** What lies where the checksum of the header is expected. */
  readonly crc?: (right: number) => number
}

function gzipOf({flags, crc = (right) => right}: Member): Buffer {
  const head = [Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3])]
  if (flags & FLAGS.extra) head.push(Buffer.from([3, 0, 1, 0, 2]))
  if (flags & FLAGS.name) head.push(Buffer.from('layer.tar\0'))
  if (flags & FLAGS.comment) head.push(Buffer.from('\0'))
  const fixed = Buffer.concat(head)
  const sum = Buffer.alloc(2)
  sum.writeUInt16LE(crc(crc32(fixed) & 0xffff))
  const end = Buffer.alloc(8)
  end.writeUInt32LE(crc32(BODY), 0)
  end.writeUInt32LE(BODY.length, 4)
  return Buffer.concat([fixed, flags & FLAGS.headerCrc ? sum : Buffer.alloc(0), deflateRawSync(BODY), end])
}

function read(bytes: Buffer, size: number): Promise<Buffer> {
  return collect(decompress(chunked(bytes, size), 'gzip', {title: 'it'}))
}

describe('headers of gzip', () => {
  it('may have any known fields, and each is passed by, whatever the pieces', async () => {
    for (let flags = 0; flags < 32; flags++)
      for (const size of [1, 7, 1000]) assert.ok((await read(gzipOf({flags}), size)).equals(BODY), `${flags} ${size}`)
  })

  it('have a checksum that is compared, with every field in front of it', async () => {
    for (let flags = 0; flags < 32; flags++) {
      if ((flags & FLAGS.headerCrc) === 0) continue
      for (const bit of [0, 7, 8, 15])
        await assert.rejects(
          read(gzipOf({flags, crc: (right) => right ^ (1 << bit)}), 5),
          (error) => error instanceof TransshipError && error.code === 'ARCHIVE_CORRUPT',
        )
    }
  })

  for (const bit of [5, 6, 7])
    it(`have no unknown flag ${bit}`, async () => {
      await assert.rejects(read(gzipOf({flags: 1 << bit}), 100), TransshipError)
    })
})

/** The header of a writer: its time, extra flags and operating system. Source: layer encodings page, section 1. */
const header = (time: readonly number[], extraFlags: number, system: number) =>
  Uint8Array.from([0x1f, 0x8b, 8, 0, ...time, extraFlags, system])
const PGZIP = [0x00, 0x09, 0x6e, 0x88]

describe('the encoders that a gzip header hints at', () => {
  const first = (bytes: Uint8Array, count = 1) => likelyEncoders(bytes).slice(0, count)

  it('are those of pgzip by its time alone, each of whose bytes counts', () => {
    assert.deepEqual(first(header(PGZIP, 0, 0xff), 3), ['pgzip-1.15.10:1048576', 'pgzip-1.15.10:262144', 'go-1.8:6'])
    for (const [index, byte] of PGZIP.entries()) {
      const other = PGZIP.with(index, byte ^ 1)
      assert.equal(first(header(other, 0, 0xff))[0], 'go-1.8:6', `byte ${index}`)
    }
  })

  it('are those of Go where no operating system is stated, else of the GNU tools', () => {
    assert.deepEqual(first(header([0, 0, 0, 0], 0, 0xff)), ['go-1.8:6'])
    assert.deepEqual(first(header([0, 0, 0, 0], 0, 3), 2), ['gzip:6', 'pigz:6'])
  })

  it('have one level where the extra flags say the slowest or the fastest', () => {
    for (const [flags, level] of [
      [2, 9],
      [4, 1],
    ] as const) {
      const found = likelyEncoders(header([0, 0, 0, 0], flags, 3))
      assert.deepEqual(found, [`gzip:${level}`, `pigz:${level}`, `zlib:${level}`, `go-1.8:${level}`])
    }
    const any = likelyEncoders(header([0, 0, 0, 0], 0, 3))
    assert.deepEqual(
      any.filter((name) => name.startsWith('go')),
      [6, 9, 1, 5, 4, 3, 2, 7, 8, -2, 0].map((level) => `go-1.8:${level}`),
    )
  })
})

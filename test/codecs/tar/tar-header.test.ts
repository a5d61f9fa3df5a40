import assert from 'node:assert/strict'
import {findPaxTime, formatPaxTime} from '../../../src/codecs/tar/pax.js'
import {encodeTarHeader, findTarNumber, paddingOf, readTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {readTar} from '../../../src/codecs/tar/tar-reader.js'
import {TransshipError} from '../../../src/model/errors.js'
import {chunked} from '../../helpers/bytes.js'

const BLOCK = 512
const CHECKSUM = [148, 156] as const

/** Writes the checksum: the sum of all bytes, its own eight taken as spaces. Source: POSIX pax, ustar interchange format. */
function sealed(block: Buffer, {signed = false}: {readonly signed?: boolean} = {}): Buffer {
  block.fill(' ', ...CHECKSUM)
  const sum = block.reduce((total, byte) => total + (signed && byte > 127 ? byte - 256 : byte), 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM[0], 'latin1')
  return block
}

/** A header whose fields differ from one another; `magic` and what stands behind it make its format. */
function headerOf(format: 'ustar' | 'star' | 'gnu' | 'v7'): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write('folder/name', 0)
  block.write('0000644\0', 100)
  block.write('0000011\0', 108)
  block.write('0000022\0', 116)
  block.write('00000000033\0', 124)
  block.write('14371573444\0', 136)
  block.write('0', 156)
  block.write('target', 157)
  if (format === 'gnu') {
    block.write('ustar  \0', 257, 'latin1')
    block.write('00000000044\0', 345)
    block.write('00000000055\0', 357)
  } else if (format !== 'v7') {
    block.write('ustar\0' + '00', 257, 'latin1')
    block.write('before', 345)
    if (format === 'star') {
      block.write('00000000066\0', 476)
      block.write('00000000077\0', 488)
      block.write('tar\0', 508, 'latin1')
    }
  }
  return sealed(block)
}

const TIMES = {
  ustar: {},
  star: {atime: 0o66, ctime: 0o77},
  gnu: {atime: 0o44, ctime: 0o55},
  v7: {},
} as const

describe('a tar header', () => {
  for (const format of ['ustar', 'star', 'gnu', 'v7'] as const) {
    describe(format, () => {
      it('gives each field from its place', () => {
        const header = readTarHeader(headerOf(format))
        assert.ok(typeof header !== 'string', 'it is refused')
        const {name, linkname, prefix, ...rest} = header
        assert.deepEqual(rest, {
          mode: 0o644,
          uid: 0o11,
          gid: 0o22,
          size: 0o33,
          mtime: 0o14371573444,
          typeflag: '0',
          format,
          ...TIMES[format],
        })
        const texts = [name, linkname, prefix].map((bytes) => Buffer.from(bytes).toString())
        assert.deepEqual(texts, ['folder/name', 'target', format === 'ustar' || format === 'star' ? 'before' : ''])
      })

      it('is refused when any byte of it has changed', () => {
        for (let at = 0; at < BLOCK; at++) {
          // What pads the checksum says nothing.
          if (at === 154 || at === 155) continue
          const block = headerOf(format)
          block[at] = (block[at] ?? 0) ^ 1
          const found = readTarHeader(block)
          assert.ok(typeof found === 'string', `byte ${at}`)
          assert.match(found, /checksum is wrong/, `byte ${at}`)
        }
      })

      it('may sum its bytes as signed ones, as some writers did', () => {
        const block = headerOf(format)
        block.write('\xe9', 3, 'latin1')
        assert.equal(typeof readTarHeader(sealed(block, {signed: true})), 'object')
        assert.equal(typeof readTarHeader(sealed(block)), 'object')
      })
    })
  }

  it('with a wrong checksum ends the reading of an archive', async () => {
    const block = headerOf('ustar')
    block.write('X', 0)
    const read = async () => {
      for await (const item of readTar(chunked(Buffer.concat([block, Buffer.alloc(BLOCK * 3)]), 300), {title: 'a tar'}))
        assert.fail(item.kind)
    }
    await assert.rejects(
      read,
      (error) => error instanceof TransshipError && `${error.what} ${error.why ?? ''}`.includes('checksum'),
    )
  })

  for (const {title, at, text, field} of [
    {title: 'a size with a digit beyond seven', at: 124, text: '00000000038\0', field: 'size'},
    {title: 'a time that is no number', at: 136, text: 'yesterday\0\0\0', field: 'mtime'},
    {title: 'a mode with a letter', at: 100, text: '00006x4\0', field: 'mode'},
    {title: 'an owner that is no number', at: 108, text: 'root\0\0\0\0', field: 'uid'},
    {title: 'a group that is no number', at: 116, text: 'root\0\0\0\0', field: 'gid'},
    {title: 'a device that is no number', at: 329, text: 'sda\0\0\0\0\0', field: 'devmajor'},
    {title: 'a minor device that is no number', at: 337, text: 'sda\0\0\0\0\0', field: 'devminor'},
    {title: 'a NUL before the size', at: 124, text: '\0' + '0000000033\0', field: 'size'},
    {title: 'a NUL before the time', at: 136, text: '\0' + '4371573444\0', field: 'mtime'},
  ])
    it(`is refused for ${title}`, () => {
      const block = headerOf('ustar')
      block.write(text, at, 'latin1')
      const found = readTarHeader(sealed(block))
      assert.ok(typeof found === 'string', 'it is read')
      assert.ok(found.includes(`'${field}'`), found)
    })

  it('is refused for a negative size', () => {
    const block = headerOf('gnu')
    block.fill(0xff, 124, 136)
    assert.equal(readTarHeader(sealed(block)), 'A header states a negative size.')
  })

  for (const {bytes, value, note} of [
    {bytes: [0x80, 0, 0, 0, 0, 0, 1, 0], value: 256, note: 'base 256'},
    {bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], value: -2, note: 'base 256, negative'},
    {bytes: [0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], value: undefined, note: 'base 256 past what is exact'},
    {bytes: [...Buffer.from('  17 \0  ')], value: 0o17, note: 'octal between spaces'},
    {bytes: [...Buffer.from('17\0' + '77777')], value: 0o17, note: 'octal ends at a NUL'},
    {bytes: [...Buffer.from('\0\0\0\0\0\0\0\0')], value: 0, note: 'nothing is zero'},
    {bytes: [...Buffer.from('18      ')], value: undefined, note: 'an 8 is no octal digit'},
    {bytes: [...Buffer.from('-7      ')], value: undefined, note: 'octal has no sign'},
  ])
    it(`reads a number: ${note}`, () => {
      assert.equal(findTarNumber(Uint8Array.from(bytes)), value)
    })

  for (const [size, padding] of [
    [0, 0],
    [1, 511],
    [511, 1],
    [512, 0],
    [513, 511],
  ] as const)
    it(`pads a body of ${size} bytes by ${padding}`, () => {
      assert.equal(paddingOf(size), padding)
    })
})

/** What a written header says, by the offsets of the format. */
function written(fields: Partial<Parameters<typeof encodeTarHeader>[0]>) {
  const bytes = Buffer.from(encodeTarHeader({name: 'a', typeflag: '0', mode: 0o644, size: 0, mtime: 0n, ...fields}))
  const block = bytes.subarray(bytes.length - BLOCK)
  const text = (from: number, length: number) => block.toString('latin1', from, from + length).replace(/\0.*$/s, '')
  const extension =
    bytes.length === BLOCK ? '' : bytes.toString('latin1', BLOCK, bytes.length - BLOCK).replace(/\0+$/, '')
  return {
    name: text(0, 100),
    size: text(124, 12),
    mtime: text(136, 12),
    linkname: text(157, 100),
    prefix: text(345, 155),
    extension,
    blocks: bytes.length / BLOCK,
  }
}

const a = (count: number) => 'a'.repeat(count)

/** Source: Go 1.19 archive/tar strconv.go and writer.go, which transship writes like. */
describe('a tar header that is written', () => {
  for (const {title, name, prefix, own, pax} of [
    {title: '100 characters fit', name: a(100), prefix: '', own: a(100)},
    {title: '101 without a slash need a record', name: a(101), pax: `path=${a(101)}`},
    {title: '101 with a slash are split', name: `${a(50)}/${a(50)}`, prefix: a(50), own: a(50)},
    {title: 'a rest of 100 is the longest', name: `p/${a(100)}`, prefix: 'p', own: a(100)},
    {title: 'a rest of 101 is too long', name: `p/${a(101)}`, pax: `path=p/${a(101)}`},
    {title: 'a prefix of 155 is the longest', name: `${a(155)}/b`, prefix: a(155), own: 'b'},
    {title: 'a prefix of 156 is too long', name: `${a(156)}/b`, pax: `path=${a(156)}/b`},
    {title: 'a folder keeps its slash', name: `${a(60)}/${a(60)}/`, prefix: a(60), own: `${a(60)}/`},
    {title: 'a folder is not split at its last slash', name: `${a(101)}/`, pax: `path=${a(101)}/`},
    {title: 'a slash at the start makes no prefix', name: `/${a(100)}`, pax: `path=/${a(100)}`},
    {
      title: 'the last slash that fits divides',
      name: `${a(10)}/${a(60)}/${a(60)}`,
      prefix: `${a(10)}/${a(60)}`,
      own: a(60),
    },
  ])
    it(`splits names as Go does: ${title}`, () => {
      const found = written({name})
      if (pax === undefined) assert.deepEqual([found.prefix, found.name, found.blocks], [prefix, own, 1])
      else {
        assert.equal(found.blocks, 3)
        assert.equal(found.extension, `${found.extension.length} ${pax}\n`)
        assert.equal(found.prefix, '')
      }
    })

  it('has a record for a name beyond ASCII, whose field drops what does not fit', () => {
    const {name, extension} = written({name: 'é.txt'})
    assert.equal(name, '.txt')
    assert.equal(extension, `15 path=${Buffer.from('é').toString('latin1')}.txt\n`)
  })

  it('has a record for a link of 101 characters, and none for one of 100', () => {
    assert.equal(written({typeflag: '2', linkname: a(100)}).blocks, 1)
    assert.equal(written({typeflag: '2', linkname: a(101)}).extension, `115 linkpath=${a(101)}\n`)
  })

  it('has a record for a size of 8 GiB, and none for a byte less', () => {
    const limit = 8 ** 11
    assert.deepEqual([written({size: limit - 1}).size, written({size: limit - 1}).blocks], ['77777777777', 1])
    assert.deepEqual(
      [written({size: limit}).size, written({size: limit}).extension],
      ['00000000000', '19 size=8589934592\n'],
    )
    assert.equal(written({size: limit + 1}).size, '00000000000')
  })

  for (const {title, mtime, field, record} of [
    {title: 'whole seconds', mtime: 5_000_000_000n, field: '00000000005', record: ''},
    {title: 'nanoseconds', mtime: 5_000_000_001n, field: '00000000005', record: '21 mtime=5.000000001\n'},
    {title: 'half a second before 1970', mtime: -500_000_000n, field: '00000000000', record: '14 mtime=-0.5\n'},
    {title: 'a second before 1970', mtime: -1_000_000_000n, field: '00000000000', record: '12 mtime=-1\n'},
    {title: 'the last second of the field', mtime: (8n ** 11n - 1n) * 10n ** 9n, field: '77777777777', record: ''},
    {title: 'one second more', mtime: 8n ** 11n * 10n ** 9n, field: '00000000000', record: '20 mtime=8589934592\n'},
    {title: 'two more', mtime: (8n ** 11n + 1n) * 10n ** 9n, field: '00000000000', record: '20 mtime=8589934593\n'},
  ])
    it(`states a time: ${title}`, () => {
      const found = written({mtime})
      assert.deepEqual([found.mtime, found.extension], [field, record])
    })
})

/** Source: Go 1.19 archive/tar writer.go, writePAXHeader. */
describe('the extended header in front of one that is written', () => {
  for (const [name, own] of [
    ['é', 'PaxHeaders.0'],
    ['dir/é.txt', 'dir/PaxHeaders.0/.txt'],
    ['é/', '/PaxHeaders.0'],
    [a(101), `PaxHeaders.0/${a(87)}`],
    [`${a(100)}/b`, a(100)],
  ] as const)
    it(`is a member of its own: ${name.slice(0, 20)}`, () => {
      const bytes = encodeTarHeader({name, typeflag: '0', mode: 0o644, size: 3, mtime: 5n, records: {comment: 'x'}})
      const header = readTarHeader(bytes.subarray(0, BLOCK))
      assert.ok(typeof header !== 'string', 'it is damaged')
      const {name: stated, size, ...rest} = header
      assert.ok(size > 0 && size <= bytes.byteLength - 2 * BLOCK)
      assert.equal(Buffer.from(stated).toString(), own)
      assert.deepEqual(
        [rest.typeflag, rest.mode, rest.mtime, rest.uid, rest.gid, rest.format, rest.linkname.byteLength],
        ['x', 0, 0, 0, 0, 'ustar', 0],
      )
    })
})

describe('a time in a PAX record', () => {
  for (const {text, value} of [
    {text: '0', value: 0n},
    {text: '1', value: 1_000_000_000n},
    {text: '+1.5', value: 1_500_000_000n},
    {text: '-1.5', value: -1_500_000_000n},
    {text: '-0.000000001', value: -1n},
    {text: '0.1234567899', value: 123_456_789n},
    {text: '1.', value: 1_000_000_000n},
    {text: '.5', value: undefined},
    {text: '1e9', value: undefined},
    {text: ' 1', value: undefined},
    {text: '1 ', value: undefined},
    {text: '--1', value: undefined},
    {text: '', value: undefined},
  ])
    it(`is read: '${text}'`, () => {
      assert.equal(findPaxTime(text), value)
    })

  for (const {value, text} of [
    {value: 0n, text: '0'},
    {value: 1n, text: '0.000000001'},
    {value: -1n, text: '-0.000000001'},
    {value: 1_500_000_000n, text: '1.5'},
    {value: -1_000_000_000n, text: '-1'},
    {value: 1_010_000_000n, text: '1.01'},
  ])
    it(`is written: ${text}`, () => {
      assert.equal(formatPaxTime(value), text)
    })
})

import assert from 'node:assert/strict'
import {indexTar} from '../../../src/codecs/tar/index-tar.js'
import {readTar} from '../../../src/codecs/tar/tar-reader.js'
import {longMember, paxMember, rawHeader, rawMember} from '../../helpers/raw-tar.js'

const MIB = 2 ** 20
const filler = Buffer.from(paxMember([['comment', 'x'.repeat(MIB - 100)]]))

/** One piece again and again, without keeping it: what an attacker has to send, and we must not gather. */
async function* repeated(piece: Buffer, times: number, first: Buffer = Buffer.alloc(0)): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  if (first.byteLength > 0) yield first
  for (let left = times; left > 0; left--) yield piece
}

/** An extension block of GNU's old sparse form that holds no range, and says that another follows. */
const emptyMap = Buffer.alloc(512)
emptyMap[504] = 1

const CHAINS: readonly {title: string; piece: Buffer; first?: Buffer; code: RegExp}[] = [
  {title: 'PAX headers', piece: filler, code: /LIMIT_EXCEEDED|ARCHIVE_CORRUPT/},
  {title: 'long names', piece: longMember('L', 'n'.repeat(MIB - 10)), code: /LIMIT_EXCEEDED|ARCHIVE_CORRUPT/},
  {title: 'long links', piece: longMember('K', 'n'.repeat(MIB - 10)), code: /LIMIT_EXCEEDED|ARCHIVE_CORRUPT/},
  {
    title: 'empty sparse maps',
    piece: Buffer.concat(Array<Buffer>(2048).fill(emptyMap)),
    first: rawHeader({name: 'a', type: 'S', format: 'gnu', patch: {482: Buffer.of(1), 483: '00000000000\0'}}),
    code: /LIMIT_EXCEEDED/,
  },
]

async function readAll(tar: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0
  for await (const _item of readTar(tar, {title: 'A layer'})) count++
  return count
}

describe('headers of a tar', () => {
  for (const {title, piece, first, code} of CHAINS)
    it(`are bounded together for one member: a chain of ${title}`, async () => {
      const before = process.memoryUsage().rss
      await assert.rejects(readAll(repeated(piece, 4096, first)), (error: Error) =>
        code.test(String(Reflect.get(error, 'code'))),
      )
      const grown = process.memoryUsage().rss - before
      assert.ok(grown < 256 * MIB, `${Math.round(grown / MIB)} MiB more`)
    })

  it('are bounded together for a layer, whatever is in each', async () => {
    const member = Buffer.concat([filler, rawMember({name: 'a'})])
    await assert.rejects(readAll(repeated(member, 1100)), {code: 'LIMIT_EXCEEDED', message: /all members/})
  })

  it('do not count where they are ordinary', async () => {
    const member = Buffer.concat([paxMember([['comment', 'x'.repeat(10_000)]]), rawMember({name: 'a'})])
    const end = Buffer.alloc(1024)
    const tar = Buffer.concat([...Array<Buffer>(2000).fill(member), end])
    assert.equal(await readAll(repeated(tar, 1)), 2000)
  })

  it('are bounded in an archive of images as well', async () => {
    const size = 100 * filler.byteLength
    const tar = {
      size,
      read: (offset: number, length: number) => {
        const from = offset % filler.byteLength
        return Promise.resolve(Buffer.concat([filler, filler, filler]).subarray(from, from + length))
      },
    }
    await assert.rejects(indexTar(tar, {title: 'An archive'}), {code: 'LIMIT_EXCEEDED', message: /one member/})
  })
})

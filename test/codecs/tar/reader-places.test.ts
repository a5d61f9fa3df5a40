import assert from 'node:assert/strict'
import {HeaderBudget} from '../../../src/codecs/tar/header-budget.js'
import {readTar, type TarItem, type TarOptions} from '../../../src/codecs/tar/tar-reader.js'
import {LIMITS, ORDINARY_HEADER_BYTES} from '../../../src/model/limits.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {faultOf, lateFaultOf} from '../../helpers/faults.js'
import {longMember, paxMember, RAW_END, rawHeader, rawMember, sparseMember} from '../../helpers/raw-tar.js'

interface Seen {
  readonly kind: string
  readonly [key: string]: unknown
}

async function seen(item: TarItem): Promise<Seen> {
  if (item.kind !== 'member') return {kind: item.kind, raw: Buffer.from(item.raw).toString('latin1')}
  const {kind, name, offset, storedSize, content} = item
  return {kind, name, offset, storedSize, size: content.size, body: (await collect(content.open())).toString('latin1')}
}

async function itemsOf(bytes: Uint8Array, options: Partial<TarOptions> = {}, piece = 700): Promise<Seen[]> {
  const items: Seen[] = []
  for await (const item of readTar(chunked(bytes, piece), {title: 'a tar', ...options})) items.push(await seen(item))
  return items
}

const kindsOf = async (bytes: Uint8Array, options: Partial<TarOptions> = {}) =>
  (await itemsOf(bytes, options)).map(({kind, name}) => (kind === 'member' ? name : kind))

const A = rawMember({name: 'a'}, 'first')
const FULL = rawMember({name: 'full'}, Buffer.alloc(512, 'f'))
const odd = (member: Buffer) => Buffer.from(member).fill('#', member.byteLength - 3)

describe('the items of a tar', () => {
  it('are members with their places, sizes and bodies', async () => {
    const tar = Buffer.concat([A, longMember('L', 'long'), rawMember({name: 'b', format: 'gnu'}, 'second'), RAW_END])
    assert.deepEqual(await itemsOf(tar), [
      {kind: 'member', name: 'a', offset: 0, storedSize: 5, size: 5, body: 'first'},
      {kind: 'member', name: 'long', offset: 1024, storedSize: 6, size: 6, body: 'second'},
    ])
  })

  it('hold their header blocks as they were, extended ones in front', async () => {
    const parts = [paxMember([['path', 'p']]), A]
    for await (const item of readTar(chunked(Buffer.concat([...parts, RAW_END]), 333), {title: 'x'})) {
      assert.ok(item.kind === 'member')
      assert.ok(Buffer.from(item.raw).equals(Buffer.concat([parts[0]!, A.subarray(0, 512)])))
      assert.deepEqual([item.header.size, item.pax.get('path'), item.mapBytes], [5, 'p', undefined])
    }
  })

  for (const size of [0, 1, 511, 512, 65535, 65536, 65537, 200_000])
    it(`give a body of ${size} bytes, ${size <= 65536 ? 'at hand' : 'in pieces'}`, async () => {
      const body = Buffer.alloc(size, 'body ')
      const tar = Buffer.concat([rawMember({name: 'b'}, body), A, RAW_END])
      const names: string[] = []
      for await (const item of readTar(chunked(tar, 10_000), {title: 'x'})) {
        assert.ok(item.kind === 'member')
        names.push(item.name)
        if (item.name !== 'b') continue
        assert.equal(item.content.bytes !== undefined, size <= 65536)
        assert.equal(item.content.size, size)
        assert.ok((await collect(item.content.open())).equals(body))
      }
      assert.deepEqual(names, ['b', 'a'])
    })

  it('may be left unread, or read in part', async () => {
    const tar = Buffer.concat([rawMember({name: 'b'}, Buffer.alloc(200_000, 1)), odd(A), A, RAW_END])
    for (const pieces of [0, 1, 2]) {
      const names: string[] = []
      for await (const item of readTar(chunked(tar, 30_000), {title: 'x'})) {
        names.push(item.kind === 'member' ? item.name : item.kind)
        if (item.kind !== 'member' || item.name !== 'b' || pieces === 0) continue
        let left = pieces
        for await (const _piece of item.content.open()) if (--left === 0) break
      }
      assert.deepEqual(names, ['b', 'a', 'padding', 'a'])
    }
  })

  it('are global headers, padding that is not zero, and what follows the end too', async () => {
    const global = paxMember([['comment', 'x']], 'g')
    const tar = Buffer.concat([global, odd(A), FULL, RAW_END, Buffer.from('behind')])
    const items = await itemsOf(tar)
    assert.deepEqual(
      items.map(({kind}) => kind),
      ['global', 'member', 'padding', 'member', 'end'],
    )
    assert.equal(items[0]?.['raw'], global.toString('latin1'))
    assert.equal(items[2]?.['raw'], `${'\0'.repeat(504)}###`)
    assert.equal(items[4]?.['raw'], 'behind')
  })

  it('stay as they were given, when the next is asked for', async () => {
    const kept: TarItem[] = []
    const tar = Buffer.concat([paxMember([['comment', 'x']], 'g'), odd(A), RAW_END, Buffer.from('behind')])
    for await (const item of readTar(chunked(tar, 100), {title: 'x'})) kept.push(item)
    assert.deepEqual(
      kept.map(({kind, raw}) => [kind, Buffer.from(raw).toString('latin1').slice(-3).replaceAll('\0', '.')]),
      [
        ['global', '...'],
        ['member', '...'],
        ['padding', '###'],
        ['end', 'ind'],
      ],
    )
    assert.equal(Buffer.from(kept[1]!.raw).toString('latin1', 0, 1), 'a')
  })

  const bodyEnd = 512 + 5
  for (const [length, kinds] of [
    [bodyEnd, ['a', 'short-padding']],
    [bodyEnd + 100, ['a', 'short-padding']],
    [1024, ['a', 'short-end']],
    [1025, ['a', 'short-end']],
    [1024 + 1023, ['a', 'short-end']],
    [1024 + 1024, ['a']],
  ] as const)
    it(`of one that may lack its end, of ${length} bytes: ${kinds.join(', ')}`, async () => {
      const tar = Buffer.concat([A, RAW_END]).subarray(0, length)
      assert.deepEqual(await kindsOf(tar, {mayLackEnd: true}), kinds)
    })

  for (const [note, bytes, offset] of [
    ['bytes that are not zero in place of an end', Buffer.concat([A, Buffer.alloc(100), Buffer.from('x')]), 1024],
    ['padding that is not zero and cut', odd(A).subarray(0, 1023), bodyEnd],
  ] as const)
    it(`are refused of one that may lack its end: ${note}`, async () => {
      assert.deepEqual(await lateFaultOf(itemsOf(bytes, {mayLackEnd: true})), {
        code: 'ARCHIVE_TRUNCATED',
        at: {path: 'a tar', offset},
      })
    })

  it('may be none of one that may lack its end, and none behind a whole end', async () => {
    assert.deepEqual(await kindsOf(Buffer.alloc(0), {mayLackEnd: true}), ['short-end'])
    assert.deepEqual(await kindsOf(RAW_END, {mayLackEnd: true}), [])
    assert.deepEqual(await kindsOf(Buffer.concat([FULL, A, RAW_END]), {mayLackEnd: true}), ['full', 'a'])
  })
})

describe('faults of a tar', () => {
  const limit = LIMITS.extension.value
  const comments = (count: number) => Array.from({length: count}, () => paxMember([['comment', 'x']]))
  const two = Buffer.concat([A, rawMember({name: 'b'}, Buffer.alloc(70_000))])
  for (const [note, bytes, code, offset] of [
    ['nothing', Buffer.alloc(0), 'ARCHIVE_TRUNCATED', 0],
    ['no end', A, 'ARCHIVE_TRUNCATED', 1024],
    ['half a block of end', Buffer.concat([A, Buffer.alloc(300)]), 'ARCHIVE_TRUNCATED', 1024],
    ['one block of end', Buffer.concat([A, Buffer.alloc(512)]), 'ARCHIVE_TRUNCATED', 1536],
    ['a cut header', Buffer.concat([A, A.subarray(0, 511)]), 'ARCHIVE_TRUNCATED', 1024],
    ['a cut body', Buffer.concat([A, A.subarray(0, 514)]), 'ARCHIVE_TRUNCATED', 1536],
    ['a cut large body', two.subarray(0, 2000), 'ARCHIVE_TRUNCATED', 2000],
    ['cut padding', A.subarray(0, 1023), 'ARCHIVE_TRUNCATED', 517],
    ['a cut extended header', paxMember([['path', 'x']]).subarray(0, 600), 'ARCHIVE_TRUNCATED', 512],
    ['a zero block between', Buffer.concat([A, Buffer.alloc(512), A, RAW_END]), 'ARCHIVE_CORRUPT', 1536],
    ['a damaged header', Buffer.concat([A, Buffer.from(A).fill('x', 0, 1), RAW_END]), 'ARCHIVE_CORRUPT', 1024],
    [
      'an extended header that nothing follows',
      Buffer.concat([paxMember([['path', 'x']]), RAW_END]),
      'ARCHIVE_CORRUPT',
      1536,
    ],
    [
      'a PAX header that is malformed',
      Buffer.concat([rawMember({name: 'x', type: 'x'}, 'x'), A, RAW_END]),
      'ARCHIVE_CORRUPT',
      1024,
    ],
    ['a PAX size that is none', Buffer.concat([paxMember([['size', 'x']]), A, RAW_END]), 'ARCHIVE_CORRUPT', 1024],
    [
      'an extended header of more than a MiB',
      Buffer.concat([rawHeader({name: 'x', type: 'L', size: limit + 1}), Buffer.alloc(limit + 512), RAW_END]),
      'ARCHIVE_CORRUPT',
      512,
    ],
    ['seventeen extended headers', Buffer.concat([...comments(17), A, RAW_END]), 'ARCHIVE_CORRUPT', 16 * 1024 + 512],
    [
      'a sparse map that is malformed',
      Buffer.concat([paxMember([['GNU.sparse.map', '0']]), A, RAW_END]),
      'ARCHIVE_CORRUPT',
      1536,
    ],
  ] as const)
    it(`have a code and a place: ${note}`, async () => {
      assert.deepEqual(await lateFaultOf(itemsOf(bytes)), {code, at: {path: 'a tar', offset}})
    })

  it('have the code of a layer where it is one, but for what is cut', async () => {
    const damaged = Buffer.from(A).fill('x', 0, 1)
    assert.equal((await lateFaultOf(itemsOf(damaged, {code: 'LAYER_CORRUPT'}))).code, 'LAYER_CORRUPT')
    assert.equal((await lateFaultOf(itemsOf(A, {code: 'LAYER_CORRUPT'}))).code, 'ARCHIVE_TRUNCATED')
  })

  it('are none of sixteen extended headers, and as many for the next member', async () => {
    assert.deepEqual(await kindsOf(Buffer.concat([...comments(16), A, ...comments(16), A, RAW_END])), ['a', 'a'])
  })

  it('are more members than are allowed', async () => {
    const tar = Buffer.concat([A, paxMember([['comment', 'x']], 'g'), A, RAW_END])
    assert.equal((await kindsOf(tar, {maxEntries: 2})).length, 3)
    assert.equal((await lateFaultOf(itemsOf(tar, {maxEntries: 1}))).code, 'LIMIT_EXCEEDED')
  })

  for (const [size, isTaken] of [
    [2 ** 41, true],
    [2 ** 41 + 1, false],
  ] as const)
    it(`${isTaken ? 'are not' : 'are'} sparse files of ${size} bytes`, async () => {
      const tar = Buffer.concat([sparseMember('1.0', {name: 's', size, ranges: []}), RAW_END])
      const sizes = async () => {
        const found: number[] = []
        for await (const item of readTar(chunked(tar), {title: 'a tar'}))
          if (item.kind === 'member') found.push(item.content.size)
        return found
      }
      if (isTaken) assert.deepEqual(await sizes(), [size])
      else
        assert.deepEqual(await lateFaultOf(sizes()), {
          code: 'LIMIT_EXCEEDED',
          at: {path: 'a tar', offset: tar.byteLength - 1024},
        })
    })

  it('are more holes than are allowed, once they are spelt out', async () => {
    const tar = Buffer.concat([sparseMember('0.1', {name: 's', size: 5000, ranges: [[0, Buffer.from('x')]]}), RAW_END])
    assert.equal((await itemsOf(tar, {maxUnpackedBytes: 4999}))[0]?.['size'], 5000)
    assert.equal((await lateFaultOf(itemsOf(tar, {maxUnpackedBytes: 4998}))).code, 'LIMIT_EXCEEDED')
  })

  it('leave no source open, nor does who leaves early', async () => {
    let closed = 0
    async function* source(bytes: Uint8Array) {
      try {
        yield* chunked(bytes, 512)
      } finally {
        closed++
      }
    }
    const run = async (bytes: Uint8Array, leavesEarly: boolean) => {
      for await (const _item of readTar(source(bytes), {title: 'x'})) if (leavesEarly) break
    }
    await run(Buffer.concat([A, A, RAW_END]), false)
    await run(Buffer.concat([A, A, RAW_END]), true)
    await lateFaultOf(run(Buffer.concat([A, Buffer.alloc(512, 'x'), A]), false))
    assert.equal(closed, 3)
  })

  it('end when they are told to, between members and inside a body', async () => {
    const signal = AbortSignal.abort(new RangeError('enough'))
    await assert.rejects(itemsOf(Buffer.concat([A, RAW_END]), {signal}), RangeError)
    const controller = new AbortController()
    const large = Buffer.concat([rawMember({name: 'b'}, Buffer.alloc(200_000)), RAW_END])
    const read = async () => {
      for await (const item of readTar(chunked(large, 1000), {title: 'x', signal: controller.signal})) {
        assert.ok(item.kind === 'member')
        for await (const _piece of item.content.open()) controller.abort(new RangeError('enough'))
      }
    }
    await assert.rejects(read(), RangeError)
  })
})

describe('what the headers of a tar may take', () => {
  const [member, all] = [LIMITS.memberHeaders.value, LIMITS.layerHeaders.value]

  it('is bounded for one member, whatever came before', () => {
    const budget = new HeaderBudget('a tar')
    for (let time = 0; time < 3; time++) {
      budget.begin()
      budget.spend(member - 1)
      budget.spend(1)
    }
    assert.deepEqual(
      faultOf(() => {
        budget.spend(1)
      }),
      {code: 'LIMIT_EXCEEDED', at: {path: 'a tar'}},
    )
  })

  it('is bounded for all of them, what is ordinary aside', () => {
    const budget = new HeaderBudget('a tar')
    const extra = member - ORDINARY_HEADER_BYTES
    for (let left = all; left > 0; left -= extra) {
      budget.begin()
      budget.spend(ORDINARY_HEADER_BYTES)
      budget.spend(Math.min(left, extra))
    }
    budget.begin()
    for (let spent = 0; spent < ORDINARY_HEADER_BYTES; spent += 512) budget.spend(512)
    assert.deepEqual(
      faultOf(() => {
        budget.spend(1)
      }),
      {code: 'LIMIT_EXCEEDED', at: {path: 'a tar'}},
    )
  })

  it('is not spent by any number of ordinary members', () => {
    const budget = new HeaderBudget('a tar')
    for (let count = 0; count < 200_000; count++) {
      budget.begin()
      budget.spend(ORDINARY_HEADER_BYTES)
    }
  })
})

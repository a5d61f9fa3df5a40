import assert from 'node:assert/strict'
import {createDeflateRaw, createGunzip, inflateRawSync} from 'node:zlib'
import {HeldBytes} from '../../../src/codecs/compression/held-bytes.js'
import {PutBackInput} from '../../../src/codecs/compression/put-back-input.js'
import {throughTransform} from '../../../src/codecs/compression/through-transform.js'
import {chunked, collect} from '../../helpers/bytes.js'

const bytes = (...values: readonly number[]) => Uint8Array.from(values)

/** A source of these pieces that tells whether it was closed early. */
function sourceOf(...pieces: readonly Uint8Array[]) {
  const state = {isClosed: false, isEnded: false}
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* given() {
    try {
      for (const piece of pieces) {
        const lent = Uint8Array.from(piece)
        yield lent
        lent.fill(0xee)
      }
      state.isEnded = true
    } finally {
      state.isClosed = true
    }
  }
  return {body: given(), state}
}

describe('a stream to which bytes are given back', () => {
  it('gives its pieces, none of them empty, and then no more', async () => {
    const {body} = sourceOf(bytes(1, 2), bytes(), bytes(3), bytes())
    const input = new PutBackInput(body)
    const [first, second] = [await input.next(), await input.next()]
    assert.deepEqual(
      [first, second, await input.next(), await input.next()],
      [bytes(1, 2), bytes(3), undefined, undefined],
    )
  })

  it('gives back first what was put back', async () => {
    const input = new PutBackInput(sourceOf(bytes(1, 2, 3), bytes(4)).body)
    const piece = await input.next()
    input.putBack(piece!.subarray(1))
    input.putBack(bytes())
    assert.deepEqual([await input.next(), await input.next(), await input.next()], [bytes(2, 3), bytes(4), undefined])
    input.putBack(bytes(9))
    assert.deepEqual([await input.next(), await input.next()], [bytes(9), undefined])
  })

  it('gives exactly so many bytes, over the ends of pieces', async () => {
    const input = new PutBackInput(sourceOf(bytes(1), bytes(2, 3, 4), bytes(5)).body)
    assert.deepEqual([...(await input.take(0))], [])
    assert.deepEqual([...(await input.take(2))], [1, 2])
    assert.deepEqual([...(await input.take(1))], [3])
    assert.deepEqual([...(await input.take(2))], [4, 5])
    await assert.rejects(input.take(1), /unexpected end/)
    await assert.rejects(new PutBackInput(sourceOf(bytes(1)).body).take(2), /unexpected end/)
  })

  it('passes over zeros, and tells whether there was nothing else', async () => {
    const zeros = new PutBackInput(sourceOf(bytes(0, 0), bytes(0)).body)
    assert.equal(await zeros.skipZeros(), true)
    assert.equal(await zeros.skipZeros(), true)
    const input = new PutBackInput(sourceOf(bytes(0), bytes(0, 0, 7, 0), bytes(8)).body)
    assert.equal(await input.skipZeros(), false)
    assert.deepEqual([await input.next(), await input.next()], [bytes(7, 0), bytes(8)])
  })

  it('is let go of before its end', async () => {
    const {body, state} = sourceOf(bytes(1), bytes(2))
    const input = new PutBackInput(body)
    await input.next()
    assert.equal(state.isClosed, false)
    await input.close()
    assert.deepEqual(state, {isClosed: true, isEnded: false})
  })

  it('need not be let go of after it', async () => {
    const {body} = sourceOf(bytes(1))
    const input = new PutBackInput({
      [Symbol.asyncIterator]: () => ({next: () => body.next(), return: () => assert.fail('it has ended')}),
    })
    await input.next()
    await input.next()
    await input.close()
  })

  it('may be one that cannot be let go of', async () => {
    const {body} = sourceOf(bytes(1))
    const input = new PutBackInput({[Symbol.asyncIterator]: () => ({next: () => body.next()})})
    assert.deepEqual(await input.next(), bytes(1))
    await input.close()
  })
})

describe('bytes that are held deflated', () => {
  const whole = (held: HeldBytes) => Buffer.concat([...held.pieces()])

  it('come back, each time they are asked for', () => {
    const held = new HeldBytes()
    assert.deepEqual([held.sizeBytes, [...held.pieces()]], [0, []])
    const given: Buffer[] = []
    for (let index = 0; index < 300; index++) {
      const piece = Buffer.alloc(1000 + index, `${index};`)
      given.push(Buffer.from(piece))
      held.push(piece)
      piece.fill(0)
    }
    for (let time = 0; time < 2; time++) assert.ok(whole(held).equals(Buffer.concat(given)))
    assert.equal(held.sizeBytes, Buffer.concat(given).byteLength)
    held.push(Buffer.from('more'))
    assert.ok(whole(held).equals(Buffer.concat([...given, Buffer.from('more')])))
  })

  it('are put away every 256 KiB', () => {
    const PIECE = 256 * 1024
    for (const [sizes, pieces] of [
      [[PIECE - 1], [PIECE - 1]],
      [[PIECE], [PIECE]],
      [
        [PIECE - 1, 1, 1],
        [PIECE, 1],
      ],
      [
        [PIECE + 5, 7],
        [PIECE + 5, 7],
      ],
    ] as const) {
      const held = new HeldBytes()
      for (const size of sizes) held.push(Buffer.alloc(size))
      assert.deepEqual(
        [...held.pieces()].map(({byteLength}) => byteLength),
        pieces,
      )
    }
  })

  it('are pieces that stay', () => {
    const held = new HeldBytes()
    held.push(Buffer.from('a'))
    const [first] = held.pieces()
    held.push(Buffer.from('b'))
    assert.equal(Buffer.from(first!).toString(), 'a')
  })
})

describe('a stream through a transform', () => {
  it('gives what the transform makes of it, of chunks that are lent', async () => {
    const plain = Buffer.from('text '.repeat(50_000))
    const deflated = await collect(throughTransform(chunked(plain, 1000), createDeflateRaw(), undefined))
    assert.ok(inflateRawSync(deflated).equals(plain))
  })

  it('passes an error of its source on unchanged, and that of the transform', async () => {
    const broken = new Error('the source broke')
    async function* failing() {
      yield* chunked(Buffer.alloc(100_000), 1000)
      throw broken
    }
    await assert.rejects(
      collect(throughTransform(failing(), createDeflateRaw(), undefined)),
      (error) => error === broken,
    )
    await assert.rejects(collect(throughTransform(chunked(Buffer.alloc(100)), createGunzip(), undefined)), /header/)
  })

  it('is closed with its transform when the reader leaves', async () => {
    const {body, state} = sourceOf(...Array.from({length: 50}, () => new Uint8Array(100_000)))
    const transform = createDeflateRaw({level: 0})
    for await (const chunk of throughTransform(body, transform, undefined)) {
      assert.ok(chunk.byteLength > 0)
      break
    }
    assert.deepEqual([transform.destroyed, state.isClosed, state.isEnded], [true, true, false])
  })

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const {body, state} = sourceOf(...Array.from({length: 50}, () => new Uint8Array(100_000)))
    const work = (async () => {
      for await (const _chunk of throughTransform(body, createDeflateRaw({level: 0}), stop.signal)) stop.abort()
    })()
    await assert.rejects(work, {name: 'AbortError'})
    assert.deepEqual(state, {isClosed: true, isEnded: false})
  })
})

import assert from 'node:assert/strict'
import {digestOf} from '../../../src/model/digest.js'
import type {Layer} from '../../../src/model/image.js'
import {writeLayers} from '../../../src/formats/layer-blob/side-by-side.js'

function storedLayer(title: string, content = title): Layer {
  const digest = digestOf(Buffer.from(content))
  const unread = () => assert.fail('nobody reads it')
  const descriptor = {mediaType: '', digest, size: content.length}
  return {
    title,
    hasContent: true,
    diffId: digest,
    blob: {descriptor, compression: 'none', open: unread},
    entries: unread,
  }
}

/** Ends after as many turns of the event loop as are asked for. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('writing layers', () => {
  for (const [concurrency, most] of [
    [1, 1],
    [2, 2],
    [undefined, 3],
    [64, 5],
  ] as const)
    it(`has ${most} under way with a concurrency of ${String(concurrency)}, and gives them in their order`, async () => {
      let [running, seen] = [0, 0]
      const layers = ['a', 'b', 'c', 'd', 'e'].map((title) => storedLayer(title))
      const written = await writeLayers(
        layers,
        async ({title}) => {
          seen = Math.max(seen, ++running)
          await turns('edcba'.indexOf(title) + 2)
          running--
          return title
        },
        {concurrency},
      )
      assert.deepEqual(written, ['a', 'b', 'c', 'd', 'e'])
      assert.equal(seen, most)
    })

  it('never has equal layers, nor two that are encoded, under way at once', async () => {
    const encoded = (title: string): Layer => ({title, hasContent: true, entries: () => assert.fail('nobody reads it')})
    const layers = [storedLayer('a', 'x'), storedLayer('b', 'x'), encoded('c'), encoded('d'), storedLayer('e', 'x')]
    const running = new Set<string>()
    await writeLayers(
      layers,
      async ({title}) => {
        for (const pair of ['ab', 'ae', 'be', 'cd']) {
          assert.ok(!pair.includes(title) || !pair.split(/(?=.$)/).some((other) => running.has(other)), pair)
        }
        running.add(title)
        await turns(3)
        running.delete(title)
      },
      {concurrency: 5},
    )
  })

  it('stops the rest when one fails, waits for their end, and tells of the first', async () => {
    let ended = 0
    const begun: string[] = []
    const writing = writeLayers(
      ['a', 'b', 'c', 'd'].map((title) => storedLayer(title)),
      async ({title}, {signal}) => {
        begun.push(title)
        if (title === 'b') throw new Error('b fails')
        await turns(5)
        ended++
        signal?.throwIfAborted()
      },
      {concurrency: 2},
    )
    await assert.rejects(writing, /b fails/)
    assert.deepEqual([begun, ended], [['a', 'b'], 1])
  })
})

import assert from 'node:assert/strict'
import {Handoff} from '../../../src/formats/layer-blob/handoff.js'

const bytes = (text: string) => Buffer.from(text)

describe('chunks that are lent to a second reader', () => {
  it('come to it one by one, and each push ends when the next is asked for', async () => {
    const handoff = new Handoff()
    const log: string[] = []
    const reading = (async () => {
      for await (const chunk of handoff) {
        log.push(`read ${Buffer.from(chunk).toString()}`)
        await new Promise((resolve) => setImmediate(resolve))
        log.push(`done ${Buffer.from(chunk).toString()}`)
      }
      log.push('end')
    })()
    for (const text of ['a', 'b', 'c']) {
      await handoff.push(bytes(text))
      log.push(`pushed ${text}`)
    }
    handoff.end()
    await reading
    const parts = ['a', 'b', 'c'].flatMap((text) => [`read ${text}`, `done ${text}`, `pushed ${text}`])
    assert.deepEqual(log, [...parts, 'end'])
  })

  it('wait for a reader that comes later', async () => {
    const handoff = new Handoff()
    const pushing = handoff.push(bytes('a')).then(() => {
      handoff.end()
    })
    const seen: string[] = []
    for await (const chunk of handoff) seen.push(Buffer.from(chunk).toString())
    await pushing
    assert.deepEqual(seen, ['a'])
  })

  it('may be none', async () => {
    const handoff = new Handoff()
    const reading = (async () => {
      for await (const _chunk of handoff) assert.fail('there is none')
    })()
    await new Promise((resolve) => setImmediate(resolve))
    handoff.end()
    await reading
    const ended = new Handoff()
    ended.end()
    for await (const _chunk of ended) assert.fail('there is none')
  })

  it('no longer hold the writer up when the reader leaves', async () => {
    const handoff = new Handoff()
    const reading = (async () => {
      for await (const _chunk of handoff) return
    })()
    await handoff.push(bytes('a'))
    await reading
    await handoff.push(bytes('b'))
    await handoff.push(bytes('c'))
  })

  it('no longer hold the writer up when the reader fails', async () => {
    const handoff = new Handoff()
    const reading = (async () => {
      for await (const _chunk of handoff) throw new Error('the reader fails')
    })()
    const failed = assert.rejects(reading, /the reader fails/)
    await handoff.push(bytes('a'))
    await failed
    await handoff.push(bytes('b'))
  })
})

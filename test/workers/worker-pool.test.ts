import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {pathToFileURL} from 'node:url'
import path from 'node:path'
import {packBlock} from '../../src/codecs/appx/pack-blocks.js'
import {PACK_BLOCKS} from '../../src/codecs/appx/pack-task.js'
import {
  EnvironmentError,
  findSystemCode,
  InputError,
  InternalError,
  LossError,
  TransshipError,
  UnsupportedError,
  UsageError,
} from '../../src/model/errors.js'
import {packError, unpackError} from '../../src/workers/packed-error.js'
import {taskName} from '../../src/workers/task.js'
import {WorkerPool} from '../../src/workers/worker-pool.js'
import {PROJECT} from '../helpers/snapshot.js'

const SIZES = [65_536, 65_536, 3000, 1, 65_536]

function inputOf(seed: number) {
  const bytes = new Uint8Array(SIZES.reduce((sum, size) => sum + size, 0))
  for (let at = 0; at < bytes.byteLength; at++) bytes[at] = (at * seed) >>> 5
  return {bytes, sizes: SIZES, level: 6}
}

describe('the pool of worker threads', () => {
  let pool: WorkerPool
  before(() => {
    pool = new WorkerPool(2)
  })
  after(() => pool.close())

  it('gives what the task gives on this thread, for more calls than there are threads', async () => {
    const seeds = Array.from({length: 12}, (_, index) => index + 1)
    const results = await Promise.all(
      seeds.map((seed) => {
        const input = inputOf(seed)
        return pool.run(PACK_BLOCKS, input, {transfer: [input.bytes.buffer]})
      }),
    )
    for (const [index, {bytes, packed, hashes}] of results.entries()) {
      const {bytes: plain} = inputOf(seeds[index]!)
      assert.deepEqual(Buffer.from(bytes), Buffer.from(plain))
      assert.equal(hashes.length, SIZES.length)
      let at = 0
      for (const [block, size] of SIZES.entries()) {
        const want = await packBlock(plain.subarray(at, (at += size)), 6)
        assert.deepEqual(Buffer.from(packed[block]!), Buffer.from(want))
      }
    }
  })

  it('moves the buffers that it is told to move', async () => {
    const input = inputOf(3)
    const call = pool.run(PACK_BLOCKS, input, {transfer: [input.bytes.buffer]})
    assert.equal(input.bytes.byteLength, 0)
    assert.ok((await call).bytes.byteLength > 0)
  })

  it('fails a call whose task fails, and goes on', async () => {
    const input = {...inputOf(1), level: 99}
    await assert.rejects(pool.run(PACK_BLOCKS, input), {code: 'ERR_OUT_OF_RANGE'})
    await assert.rejects(pool.run(taskName<number, number>('no-such-task'), 1), (error) => {
      assert.ok(error instanceof InternalError)
      return error.code === 'INTERNAL'
    })
    assert.equal((await pool.run(PACK_BLOCKS, inputOf(1))).packed.length, SIZES.length)
  })

  it('fails a call that cannot be sent, and goes on', async () => {
    const broken = {...inputOf(1), more: () => 1}
    await assert.rejects(pool.run(PACK_BLOCKS, broken), {name: 'DataCloneError'})
    assert.equal((await pool.run(PACK_BLOCKS, inputOf(1))).packed.length, SIZES.length)
  })

  it('leaves waiting calls out when they are cancelled, and hears no more of those under way', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const calls = Array.from({length: 20}, () => pool.run(PACK_BLOCKS, inputOf(5), {signal: stop.signal}))
    stop.abort(reason)
    for (const result of await Promise.allSettled(calls))
      assert.equal(result.status === 'rejected' && result.reason, reason)
    await assert.rejects(pool.run(PACK_BLOCKS, inputOf(5), {signal: stop.signal}), reason)
    assert.equal((await pool.run(PACK_BLOCKS, inputOf(1))).packed.length, SIZES.length)
  })

  it('fails what is under way when a thread ends', async () => {
    const own = new WorkerPool(1)
    const calls = Array.from({length: 2}, () => own.run(PACK_BLOCKS, inputOf(7)))
    const settled = Promise.allSettled(calls)
    await own.close()
    for (const result of await settled)
      assert.equal(result.status === 'rejected' && (result.reason as TransshipError).code, 'INTERNAL')
  })

  it('keeps no process running', () => {
    const module = (file: string) => pathToFileURL(path.join(PROJECT, 'dist', 'src', file)).href
    const script = `
      import {workers} from '${module('workers/worker-pool.js')}'
      import {PACK_BLOCKS} from '${module('codecs/appx/pack-task.js')}'
      const {hashes} = await workers().run(PACK_BLOCKS, {bytes: new Uint8Array(9), sizes: [9], level: 6})
      console.log(hashes.length)`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {timeout: 20_000})
    assert.equal(output.toString(), '1\n')
  })
})

describe('an error between threads', () => {
  const cause = Object.assign(new Error('no space'), {code: 'ENOSPC'})
  const details = {what: 'What.', why: 'Why.', suggestions: ['Do this.'], at: {path: 'a/b', offset: 7}, cause}
  for (const Class of [UsageError, InputError, UnsupportedError, LossError, EnvironmentError, InternalError])
    it(`stays a ${Class.name}`, () => {
      const error = new Class('NO_SPACE', details)
      const back = unpackError(structuredClone(packError(error)))
      assert.ok(back instanceof Class)
      for (const key of ['name', 'message', 'code', 'what', 'why', 'suggestions', 'at', 'exitCode'] as const)
        assert.deepEqual(back[key], error[key], key)
      assert.equal(findSystemCode(back.cause), 'ENOSPC')
    })

  it('keeps its message and the code of the system', () => {
    const back = unpackError(structuredClone(packError(cause)))
    assert.equal(back.message, 'no space')
    assert.equal(findSystemCode(back), 'ENOSPC')
    assert.equal(unpackError(structuredClone(packError('thrown text'))).message, 'thrown text')
  })
})

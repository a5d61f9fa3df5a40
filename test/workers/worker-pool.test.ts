import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {pathToFileURL} from 'node:url'
import path from 'node:path'
import {DECODE_CHUNKS, decodeChunks, type DecodeChunksInput} from '../../src/codecs/wim/decode-task.js'
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

const SIZES = [32_768, 32_768, 3000, 2, 32_768]

function plainOf(seed: number): Buffer {
  const bytes = Buffer.alloc(SIZES.reduce((sum, size) => sum + size, 0))
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * seed) >>> 5
  return bytes
}

/** A chunk of XPRESS in which each byte has a code of eight bits, itself: 512 lengths of four bits, and words of 16 bits. */
function packChunk(plain: Buffer): Buffer {
  const codes = Buffer.from(plain)
  return Buffer.concat([Buffer.alloc(128, 0x88), Buffer.alloc(128), codes.length % 2 === 0 ? codes.swap16() : codes])
}

function inputOf(seed: number): DecodeChunksInput {
  const plain = plainOf(seed)
  let at = 0
  const packed = SIZES.map((size) => packChunk(plain.subarray(at, (at += size))))
  const chunks = packed.map(({length}, index) => ({length, size: SIZES[index]!}))
  return {packed: Uint8Array.from(Buffer.concat(packed)), chunks, compression: 'xpress', chunkSize: 32_768}
}

const bufferOf = ({packed}: DecodeChunksInput) => packed.buffer as ArrayBuffer

describe('the pool of worker threads', () => {
  let pool: WorkerPool
  before(() => {
    pool = new WorkerPool(2)
  })
  after(() => pool.close())

  it('goes on after its idle threads were ended, and ends none that works', async () => {
    const one = inputOf(1)
    const working = pool.run(DECODE_CHUNKS, one, {transfer: [bufferOf(one)]})
    pool.endIdle()
    await working
    for (let round = 0; round < 3; round++) {
      pool.endIdle()
      const results = await Promise.all(
        [1, 2, 3].map((seed) => {
          const input = inputOf(seed)
          return pool.run(DECODE_CHUNKS, input, {transfer: [bufferOf(input)]})
        }),
      )
      for (const [index, chunks] of results.entries())
        assert.deepEqual(Buffer.concat(chunks), plainOf(index + 1), String(index))
    }
  })

  it('gives what the task gives on this thread, for more calls than there are threads', async () => {
    const seeds = Array.from({length: 12}, (_, index) => index + 1)
    const results = await Promise.all(
      seeds.map((seed) => {
        const input = inputOf(seed)
        return pool.run(DECODE_CHUNKS, input, {transfer: [bufferOf(input)]})
      }),
    )
    for (const [index, chunks] of results.entries()) {
      assert.deepEqual(
        chunks.map(({byteLength}) => byteLength),
        SIZES,
      )
      assert.ok(Buffer.concat(chunks).equals(plainOf(seeds[index]!)))
      assert.deepEqual(chunks, decodeChunks(inputOf(seeds[index]!)).output)
    }
  })

  it('moves the buffers that it is told to move', async () => {
    const input = inputOf(3)
    const call = pool.run(DECODE_CHUNKS, input, {transfer: [bufferOf(input)]})
    assert.equal(input.packed.byteLength, 0)
    assert.equal((await call).length, SIZES.length)
  })

  it('fails a call whose task fails, and goes on', async () => {
    const input = {...inputOf(1), packed: new Uint8Array(300), chunks: [{length: 300, size: 1000}]}
    await assert.rejects(pool.run(DECODE_CHUNKS, input), {name: 'InputError', code: 'ARCHIVE_CORRUPT'})
    await assert.rejects(pool.run(taskName<number, number>('no-such-task'), 1), (error) => {
      assert.ok(error instanceof InternalError)
      return error.code === 'INTERNAL'
    })
    assert.equal((await pool.run(DECODE_CHUNKS, inputOf(1))).length, SIZES.length)
  })

  it('fails a call that cannot be sent, and goes on', async () => {
    const broken = {...inputOf(1), more: () => 1}
    await assert.rejects(pool.run(DECODE_CHUNKS, broken), {name: 'DataCloneError'})
    assert.equal((await pool.run(DECODE_CHUNKS, inputOf(1))).length, SIZES.length)
  })

  it('leaves waiting calls out when they are cancelled, and hears no more of those under way', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const calls = Array.from({length: 20}, () => pool.run(DECODE_CHUNKS, inputOf(5), {signal: stop.signal}))
    stop.abort(reason)
    for (const result of await Promise.allSettled(calls))
      assert.equal(result.status === 'rejected' && result.reason, reason)
    await assert.rejects(pool.run(DECODE_CHUNKS, inputOf(5), {signal: stop.signal}), reason)
    assert.equal((await pool.run(DECODE_CHUNKS, inputOf(1))).length, SIZES.length)
  })

  it('fails what is under way when a thread ends', async () => {
    const own = new WorkerPool(1)
    const calls = Array.from({length: 2}, () => own.run(DECODE_CHUNKS, inputOf(7)))
    const settled = Promise.allSettled(calls)
    await own.close()
    for (const result of await settled)
      assert.equal(result.status === 'rejected' && (result.reason as TransshipError).code, 'INTERNAL')
  })

  it('keeps no process running', () => {
    const module = (file: string) => pathToFileURL(path.join(PROJECT, 'dist', 'src', file)).href
    const script = `
      import {workers} from '${module('workers/worker-pool.js')}'
      import {DECODE_CHUNKS} from '${module('codecs/wim/decode-task.js')}'
      const chunks = [{length: 9, size: 9}]
      const input = {packed: new Uint8Array(9), chunks, compression: 'none', chunkSize: 9}
      console.log((await workers().run(DECODE_CHUNKS, input)).length)`
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

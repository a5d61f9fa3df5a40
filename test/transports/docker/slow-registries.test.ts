import assert from 'node:assert/strict'
import {createServer, type RequestListener, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {list} from '../../../src/index.js'
import {TransshipError} from '../../../src/model/errors.js'
import {Pace} from '../../../src/transports/docker/pace.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

async function refusal(running: Promise<unknown>): Promise<TransshipError> {
  try {
    await running
  } catch (error) {
    assert.ok(error instanceof TransshipError, String(error))
    return error
  }
  throw new Error('nothing was refused')
}

describe('registries that are slow, or lead elsewhere', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const servers: Server[] = []

  async function serving(listener: RequestListener): Promise<number> {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
  })

  for (const [title, listener] of [
    [
      'drips',
      (request, response) => {
        if (request.url === '/v2/') {
          response.end()
          return
        }
        response.writeHead(200, {'content-type': 'application/json'})
        const timer = setInterval(() => response.write(' '), 50)
        response.on('close', () => {
          clearInterval(timer)
        })
      },
    ],
    [
      'is silent in the middle of an answer',
      (request, response) => {
        if (request.url === '/v2/') response.end()
        else response.writeHead(200, {'content-type': 'application/json'}).write('{')
      },
    ],
    [
      'never begins to answer',
      (request, response) => {
        if (request.url === '/v2/') response.end()
      },
    ],
  ] as const satisfies readonly (readonly [string, RequestListener])[])
    it(`end by --max-request-time: one that ${title}`, async () => {
      const port = await serving(listener)
      const error = await refusal(list(`docker://127.0.0.1:${port}/a/b`, {maxRequestSeconds: 1}))
      assert.equal(error.code, 'TIMED_OUT', error.message)
      assert.ok(error.suggestions.join(' ').includes('--max-request-time'), error.message)
    })

  it('end by --least-rate, and only by what was waited for', async () => {
    let now = 0
    const clock = performance.now.bind(performance)
    performance.now = () => now
    try {
      const drip = async function* (bytes: number) {
        for (let left = 10; left > 0; left--) {
          now += 10_000
          yield await Promise.resolve(Buffer.alloc(bytes))
        }
      }
      const read = async (pace: Pace, bytes: number, ownMs = 0) => {
        for await (const _chunk of pace.paced(drip(bytes))) now += ownMs
      }
      const slow = await refusal(read(new Pace('slow.example', {leastBytesPerSecond: 100}), 999))
      assert.equal(slow.code, 'TIMED_OUT')
      assert.match(slow.suggestions.join(' '), /--least-rate/)
      await read(new Pace('fast.example', {leastBytesPerSecond: 100}), 1001)
      await read(new Pace('waiting.example', {leastBytesPerSecond: 100}), 1001, 1_000_000)
      await read(new Pace('any.example', {leastBytesPerSecond: 0}), 1)
    } finally {
      performance.now = clock
    }
  })

  for (const [title, realm] of [
    ['a link-local address', 'http://169.254.169.254/token'],
    ['a private address', 'https://10.255.255.1/token'],
    ['another host without TLS', 'http://203.0.113.7/token'],
  ] as const)
    it(`are given no password when they name a token server at ${title}`, async () => {
      const port = await serving((_request, response) => {
        response.writeHead(401, {'www-authenticate': `Bearer realm="${realm}",service="s"`}).end()
      })
      const config = path.join(folder.path, 'docker')
      mkdirSync(config, {recursive: true})
      const auth = Buffer.from('me:hunter2').toString('base64')
      writeFileSync(path.join(config, 'config.json'), JSON.stringify({auths: {[`127.0.0.1:${port}`]: {auth}}}))
      const options = {dockerConfig: config, tlsVerify: false}
      const error = await refusal(list(`docker://127.0.0.1:${port}/a/b`, options))
      assert.equal(error.code, 'UNAUTHORIZED', error.message)
      assert.ok(error.message.includes(new URL(realm).host), error.message)
    })
})

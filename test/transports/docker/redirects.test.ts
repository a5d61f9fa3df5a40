import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import type {IncomingMessage} from 'node:http'
import path from 'node:path'
import {convert, verify} from '../../../src/index.js'
import {TransshipError} from '../../../src/model/errors.js'
import {classicMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {startProxy, startRegistry, type TestServer} from '../../helpers/distribution.js'
import {startMemoryRegistry, type Meddle} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool} from '../../helpers/tools.js'

const AUTH = Buffer.from('me:hunter2').toString('base64')

interface Asked {
  readonly pathname: string
  readonly search: string
  readonly own: string
  readonly other: string
}

/** Ways to spell the same address; each leads to where `moved=1` is taken for a signature. */
const FORMS: readonly (readonly [title: string, location: (asked: Asked) => string])[] = [
  ['an absolute address of its own', ({own, pathname, search}) => `http://${own}${pathname}${search}`],
  ['an address without scheme', ({own, pathname, search}) => `//${own}${pathname}${search}`],
  ['a path', ({pathname, search}) => `${pathname}${search}`],
  ['a relative path', ({pathname, search}) => `./${pathname.slice(pathname.lastIndexOf('/') + 1)}${search}`],
  ['another host', ({other, pathname, search}) => `http://${other}${pathname}${search}`],
  ['another host without scheme', ({other, pathname, search}) => `//${other}${pathname}${search}`],
]

/** Requests that the registry takes without a password: signed ones, and those that come from its own gateway. */
function isTrusted(request: IncomingMessage): boolean {
  return (request.url ?? '').includes('moved=1') || request.headers['x-gateway'] === 'own'
}

describe('redirects of an image registry', () => {
  const folder = temporaryFolder()
  const running: {stop(): Promise<void>}[] = []
  let parts: Parts
  let source = ''
  let small = ''
  let config = ''
  let made = 0

  before(async () => {
    // More than one chunk, so that all requests of an upload are made.
    parts = partsOf([await tarOf([['etc/big', 'x'.repeat(9 * 2 ** 20)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
    small = `docker-archive:${path.join(folder.path, 'small.tar')}`
    writeFileSync(
      small.slice(15),
      await tarOf(classicMembers(partsOf([await tarOf([['etc/os', 'x']])], {os: 'linux'}))),
    )
    config = path.join(folder.path, 'docker')
    mkdirSync(config)
  })

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop()
  })

  /** A registry that asks for a password, and sends the chosen requests elsewhere; `other` passes what it gets on to it. */
  async function started(method: string, status: number, location: (asked: Asked) => string) {
    let [own, other] = ['', '']
    let redirected = 0
    const meddle: Meddle = (request, response) => {
      const {pathname, searchParams} = new URL(request.url ?? '', 'http://x')
      const answer = (code: number, headers: Readonly<Record<string, string>>) => {
        request.resume().on('end', () => response.writeHead(code, headers).end())
        return true
      }
      if (isTrusted(request)) return false
      if (request.headers.authorization !== `Basic ${AUTH}`) return answer(401, {'www-authenticate': 'Basic realm="r"'})
      if (request.method !== method || !pathname.includes('/blobs/')) return false
      redirected++
      searchParams.append('moved', '1')
      return answer(status, {location: location({pathname, search: `?${searchParams.toString()}`, own, other})})
    }
    const registry = await startMemoryRegistry(meddle)
    running.push(registry)
    const proxy: TestServer = await startProxy(registry.host, (request) => {
      request.headers['x-gateway'] = 'own'
      return false
    })
    running.push(proxy)
    ;[own, other] = [registry.host, proxy.host]
    writeFileSync(path.join(config, 'config.json'), JSON.stringify({auths: {[own]: {auth: AUTH}}}))
    return {registry, proxy, redirected: () => redirected}
  }

  for (const method of ['POST', 'PATCH', 'PUT'])
    for (const status of [307, 308])
      for (const [title, location] of FORMS)
        it(`are followed with the body of a ${method}, by ${status} to ${title}, and only there with credentials`, async () => {
          const {registry, proxy, redirected} = await started(method, status, location)
          const target = `docker://${registry.host}/team/app:1`
          await convert(source, target, {dockerConfig: config, compression: 'none'})
          assert.ok(redirected() > 0)
          for (const diffId of parts.diffIds) assert.equal(registry.blobs.get(diffId)?.length, parts.layers[0]?.length)
          assert.ok(registry.blobs.has(parts.imageId))
          assert.equal(proxy.seen.length > 0, title.startsWith('another'))
          for (const {authorization} of proxy.seen) assert.equal(authorization, undefined)
        })

  for (const method of ['HEAD', 'GET'])
    for (const status of [301, 302, 303, 307, 308])
      for (const [title, location] of FORMS)
        it(`are followed when a blob is asked for by ${method}, by ${status} to ${title}`, async () => {
          const {registry, proxy, redirected} = await started(method, status, location)
          const target = `docker://${registry.host}/team/app:1`
          await convert(small, target, {dockerConfig: config, compression: 'none'})
          assert.deepEqual((await verify(target, {dockerConfig: config})).faults, [])
          assert.ok(redirected() > 0)
          for (const {authorization} of proxy.seen) assert.equal(authorization, undefined)
        })

  for (const [title, status, location] of [
    ['would make a POST a GET', 302, FORMS[0]?.[1]],
    ['would make a POST a GET for good', 301, FORMS[4]?.[1]],
    ['asks for a GET', 303, FORMS[0]?.[1]],
    ['goes round for ever', 307, ({pathname, own}) => `http://${own}${pathname}`],
  ] as const satisfies readonly (readonly [string, number, ((asked: Asked) => string) | undefined])[])
    it(`are refused by name where one ${title}`, async () => {
      const {registry} = await started('POST', status, location ?? (() => ''))
      const error = await convert(source, `docker://${registry.host}/team/app:1`, {dockerConfig: config}).then(
        () => assert.fail('it was taken'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof TransshipError)
      assert.equal(error.code, 'NETWORK_FAILED')
      assert.match(
        error.why ?? '',
        new RegExp(`^It answered ${status} and redirects to http://127\\.0\\.0\\.1:\\d+, which`),
      )
    })

  for (const relativeUrls of [false, true])
    it(`lead an upload to Debian's docker-registry, whose locations are ${relativeUrls ? 'relative' : 'absolute'}`, async function () {
      requireTool(this, 'docker-registry')
      const real = await startRegistry(path.join(folder.path, `real-${made++}`), {relativeUrls})
      running.push(real)
      // Only the beginning is asked of the front, as where a gateway hands uploads over to another machine.
      const front = await startProxy(real.host, (request, response) => {
        if (request.method !== 'POST') return false
        const location = `http://${real.host}${request.url ?? ''}`
        request.resume().on('end', () => response.writeHead(307, {location}).end())
        return true
      })
      running.push(front)
      await convert(source, `docker://${front.host}/team/app:1`, {compression: 'none'})
      assert.ok(front.seen.every(({method}) => method !== 'PATCH'))
      const back = `oci:${path.join(folder.path, `back-${made++}`)}`
      const {artifacts} = await convert(`docker://${real.host}/team/app:1`, back)
      assert.equal(artifacts[0]?.kind === 'image' ? artifacts[0].imageId : '', parts.imageId)
      assert.equal(parts.imageId, `sha256:${sha256(parts.config)}`)
    })
})

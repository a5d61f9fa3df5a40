import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {convert, inspect} from '../../../src/index.js'
import {clientConfigText} from '../../../src/codecs/json/client-config.js'
import {findCurrentContext} from '../../../src/engine-api/docker-context.js'
import {findChallenge} from '../../../src/transports/docker/challenge.js'
import {findCredentials, findInAuthFile} from '../../../src/transports/docker/credentials.js'
import {parseTokenAnswer} from '../../../src/transports/docker/token.js'
import {classicMembers, hybridMembers, partsOf, tarOf, type Parts} from '../../helpers/archives.js'
import {startServer} from '../../helpers/distribution.js'
import {startMemoryRegistry, type Meddle, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const BEARER = {kind: 'bearer', realm: 'https://auth.example/token', service: 's'} as const
const REALM = 'Bearer realm="https://auth.example/token",service="s"'

describe('what an image registry asks for', () => {
  for (const [header, expected, note] of [
    [REALM, BEARER, 'bearer alone'],
    ['Basic realm="r"', {kind: 'basic'}, 'basic alone'],
    ['Basic', {kind: 'basic'}, 'basic without realm'],
    [`${REALM}, Basic realm="r"`, BEARER, 'both, and the second realm is the other scheme’s'],
    [`Basic realm="r", ${REALM}`, BEARER, 'both the other way round'],
    [`Basic, ${REALM}`, BEARER, 'both, one bare'],
    [`Negotiate, NTLM, ${REALM}`, BEARER, 'schemes of Windows in front'],
    [`Negotiate YII==, Basic realm="a, b=c", ${REALM}`, BEARER, 'commas in quotes'],
    [`${REALM},scope="repository:a:pull,push"`, {...BEARER, scope: 'repository:a:pull,push'}, 'a comma in the scope'],
    [
      'bearer REALM = "https://auth.example/token" , Service=s',
      BEARER,
      'other case, spaces around, a value without quotes',
    ],
    [
      'Bearer realm="https://auth.example/token",scope=repository:a:pull,push,service="s"',
      {...BEARER, scope: 'repository:a:pull'},
      'a scope without quotes is cut at its comma, and what follows still counts',
    ],
    ['Bearer realm="a\\"b"', {kind: 'bearer', realm: 'a"b'}, 'an escaped quote'],
    ['Bearer error="x", Basic realm="r"', {kind: 'basic'}, 'a bearer that names no server'],
    ['Bearer realm="", Basic realm="r"', {kind: 'basic'}, 'a bearer with an empty server'],
    ['Digest realm="Bearer realm=x", nonce="1"', undefined, 'the name of a scheme in quotes is none'],
    ['', undefined, 'nothing'],
    [undefined, undefined, 'no header'],
  ] as const)
    it(`is told: ${note}`, () => {
      assert.deepEqual(findChallenge(header), expected)
    })
})

describe('the answer of a token server', () => {
  for (const [answer, expected, note] of [
    [{token: 't'}, {token: 't', lifetime: 60}, 'nothing said of time'],
    [{token: 't', access_token: null}, {token: 't', lifetime: 60}, 'null beside a token'],
    [{token: null, access_token: 't'}, {token: 't', lifetime: 60}, 'null the other way round'],
    [{token: '', access_token: 't'}, {token: 't', lifetime: 60}, 'an empty token'],
    [{token: 7, access_token: 't'}, {token: 't', lifetime: 60}, 'a number for a token'],
    [{token: 't', expires_in: null}, {token: 't', lifetime: 60}, 'null for the time'],
    [{token: 't', expires_in: '300'}, {token: 't', lifetime: 300}, 'the time as text'],
    [{token: 't', expires_in: 'soon'}, {token: 't', lifetime: 60}, 'no number'],
    [{token: 't', expires_in: ''}, {token: 't', lifetime: 60}, 'empty text'],
    [{token: 't', expires_in: 0}, {token: 't', lifetime: 60}, 'no time at all'],
    [{token: 't', expires_in: -1}, {token: 't', lifetime: 60}, 'less than none'],
    [{token: 't', expires_in: 12.5}, {token: 't', lifetime: 12.5}, 'a fraction'],
    [{token: 't', expires_in: {}}, {token: 't', lifetime: 60}, 'an object'],
    [{token: 't', refresh_token: null, issued_at: null}, {token: 't', lifetime: 60}, 'null in what is not used'],
    [{token: null, access_token: null}, undefined, 'null for both'],
    [{token: 't\r\nx: y'}, undefined, 'a token that would break the header'],
    [{}, undefined, 'nothing at all'],
  ] as const)
    it(`is taken with ${note}`, () => {
      assert.deepEqual(parseTokenAnswer(Buffer.from(JSON.stringify(answer))), expected)
    })
})

describe("Docker's configuration", () => {
  const folder = temporaryFolder()
  const auth = Buffer.from('me:pass').toString('base64')
  const user = {kind: 'password', user: 'me', password: 'pass'}

  for (const [text, expected, note] of [
    ['', undefined, 'an empty file'],
    [' \r\n\t', undefined, 'nothing but spaces'],
    ['\ufeff', undefined, 'nothing but a byte order mark'],
    ['null', undefined, 'null'],
    ['{}', undefined, 'an empty object'],
    ['{"auths":null,"credHelpers":null,"credsStore":null,"currentContext":null}', undefined, 'null for all'],
    ['{"auths":{"h":null}}', undefined, 'null for a host'],
    ['{"auths":{"h":{}}}', undefined, 'nothing for a host'],
    [`{"auths":{"h":{"auth":"${auth}","identitytoken":null}}}`, user, 'null beside a password'],
    [`{"auths":{"h":{"auth":null,"username":"me","password":"pass"}}}`, user, 'a password in plain words'],
    [`{"credHelpers":{"h":null},"credsStore":"","auths":{"h":{"auth":"${auth}"}}}`, user, 'null for a helper'],
    [`\ufeff{"auths":{"h":{"auth":"${auth}"}}}`, user, 'a byte order mark in front'],
  ] as const)
    it(`is read: ${note}`, async () => {
      const place = path.join(folder.path, `c${Buffer.from(note).toString('hex').slice(0, 40)}`)
      mkdirSync(place, {recursive: true})
      const file = path.join(place, 'config.json')
      writeFileSync(file, text)
      assert.deepEqual(await findCredentials('h', place), expected)
      assert.deepEqual(await findInAuthFile({host: 'h', repository: 'a/b'}, file), expected)
      assert.equal(await findCurrentContext(place), undefined)
      assert.doesNotThrow(() => JSON.parse(clientConfigText(text)) as unknown)
    })

  it('is refused when it is damaged, without showing what is in it', async () => {
    writeFileSync(path.join(folder.path, 'config.json'), '{"auths": secret')
    await assert.rejects(
      findCredentials('h', folder.path),
      (error) => (error as {code: string}).code === 'METADATA_INVALID' && !JSON.stringify(error).includes('secret'),
    )
  })
})

describe('odd answers of an image registry', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let source = ''
  let made = 0

  before(async () => {
    parts = partsOf([await tarOf([['etc/os', 'x'.repeat(5000)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  for (const [title, value] of [
    ['empty', ''],
    ['of spaces', '  '],
  ] as const)
    it(`are taken with a Docker-Content-Digest that is ${title}, both ways`, async () => {
      const manifests: MemoryRegistry['manifests'] = new Map()
      const empty: Meddle = (request, response) => {
        if (!(request.url ?? '').includes('/manifests/')) return false
        const bytes: Buffer[] = []
        request.on('data', (chunk: Buffer) => bytes.push(chunk))
        request.on('end', () => {
          const key = 'app:1'
          const type = request.headers['content-type'] ?? ''
          if (request.method === 'PUT') manifests.set(key, {type, bytes: Buffer.concat(bytes)})
          const manifest = manifests.get(key)
          const status = request.method === 'PUT' ? 201 : manifest === undefined ? 404 : 200
          response.writeHead(status, {
            'docker-content-digest': value,
            ...(status === 200 && manifest !== undefined ? {'content-type': manifest.type} : {}),
          })
          response.end(status === 200 ? manifest?.bytes : undefined)
        })
        return true
      }
      const registry = await startMemoryRegistry(empty)
      try {
        await convert(source, `docker://${registry.host}/app:1`)
        assert.equal((await inspect(`docker://${registry.host}/app:1`)).imageId, parts.imageId)
      } finally {
        await registry.stop()
      }
    })

  for (const status of [400, 401, 403, 404, 405, 429, 500, 501, 503, 'cut'] as const)
    it(`fall back to the upload when a mount is answered with ${status}`, async () => {
      let [mounts, uploads] = [0, 0]
      const registry = await startMemoryRegistry((request, response) => {
        // The registry of the tests has one shelf for all repositories; the second begins empty.
        if (request.method === 'HEAD' && (request.url ?? '').startsWith('/v2/second/blobs/') && uploads === 0) {
          response.writeHead(404).end()
          return true
        }
        if (request.method === 'PUT' && (request.url ?? '').startsWith('/v2/second/blobs/')) uploads++
        if (request.method !== 'POST' || !(request.url ?? '').includes('mount=')) return false
        mounts++
        if (status === 'cut') request.socket.destroy()
        else request.resume().on('end', () => response.writeHead(status, {'retry-after': '600'}).end())
        return true
      })
      try {
        const archive = path.join(folder.path, `gz-${made++}.tar`)
        const stored = {layers: parts.layers.map((layer) => gzipSync(layer)), suffix: '+gzip'}
        writeFileSync(archive, await tarOf(hybridMembers(parts, {stored, withManifestJson: false})))
        await convert(`oci-archive:${archive}`, `docker://${registry.host}/first:1`)
        // Only what another repository has is asked to be mounted.
        const report = await convert(`docker://${registry.host}/first:1`, `docker://${registry.host}/second:1`)
        assert.equal(report.artifacts.length, 1)
        assert.deepEqual([mounts, uploads > 0], [1, true])
        assert.equal((await inspect(`docker://${registry.host}/second:1`)).imageId, parts.imageId)
      } finally {
        await registry.stop()
      }
    }).timeout(60_000)

  for (const order of ['Bearer first', 'Basic first'] as const)
    for (const lines of [1, 2])
      it(`are taken where Basic and Bearer are offered together in ${lines} headers, ${order}`, async () => {
        const tokens = await startServer((request, response) => {
          const isUser = request.headers.authorization === `Basic ${Buffer.from('me:pass').toString('base64')}`
          const answer = {token: 'tok', access_token: null, expires_in: null}
          request.resume().on('end', () => response.writeHead(isUser ? 200 : 401).end(JSON.stringify(answer)))
        })
        const registry = await startMemoryRegistry((request, response) => {
          if (request.headers.authorization === 'Bearer tok') return false
          const offers = [`Bearer realm="http://${tokens.host}/token",service="s"`, 'Basic realm="r"']
          if (order === 'Basic first') offers.reverse()
          const headers = lines === 2 ? offers : [offers.join(', ')]
          request.resume().on('end', () => response.writeHead(401, {'www-authenticate': headers}).end())
          return true
        })
        try {
          const dockerConfig = path.join(folder.path, `docker-${made++}`)
          mkdirSync(dockerConfig)
          const auths = {[registry.host]: {auth: Buffer.from('me:pass').toString('base64')}}
          writeFileSync(path.join(dockerConfig, 'config.json'), JSON.stringify({auths}))
          await convert(source, `docker://${registry.host}/app:1`, {dockerConfig})
          assert.ok(registry.blobs.has(parts.imageId))
        } finally {
          await registry.stop()
          await tokens.stop()
        }
      })
})

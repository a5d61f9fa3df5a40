import assert from 'node:assert/strict'
import {randomBytes} from 'node:crypto'
import {copyFileSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {inspect} from 'node:util'
import {convert, verify, type ConvertOptions} from '../../../src/index.js'
import {classicMembers, hybridMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {
  freePort,
  makeCertificate,
  startRegistry,
  startServer,
  type RunningRegistry,
} from '../../helpers/distribution.js'
import {startForwardProxy, type ForwardProxy, type ForwardProxyOptions} from '../../helpers/forward-proxy.js'
import {startMemoryRegistry} from '../../helpers/memory-registry.js'
import {startRedis} from '../../helpers/redis-server.js'
import {runCli} from '../../helpers/run-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {testsAtOnce} from '../../helpers/tests-at-once.js'
import {requireTool} from '../../helpers/tools.js'

const LAYER_BYTES = 3 * 2 ** 20
const PASSWORD = 'pr0xy-s3cret'
const BASIC = `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`

describe('proxies on the way to image registries', () => {
  const folder = temporaryFolder()
  const running: {stop(): Promise<void>}[] = []
  let parts: Parts
  let source = ''
  let made = 0

  before(async () => {
    parts = partsOf([await tarOf([['noise', randomBytes(LAYER_BYTES)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop()
  })

  async function started<S extends {stop(): Promise<void>}>(starting: Promise<S>): Promise<S> {
    const each = await starting
    running.push(each)
    return each
  }

  const scratch = () => path.join(folder.path, `made-${made++}`)
  const proxyWith = (options?: ForwardProxyOptions): Promise<ForwardProxy> => started(startForwardProxy(options))

  /** What is written there can be read again, whole. */
  async function assertThereAndBack(target: string, options: ConvertOptions): Promise<void> {
    await convert(source, target, options)
    const pulled = `oci:${scratch()}`
    assert.equal((await convert(target, pulled, options)).artifacts[0]?.imageId, parts.imageId)
    assert.deepEqual((await verify(pulled)).faults, [])
  }

  /** A registry with TLS whose name only the proxy knows, and the folder with its certificate and that of its client. */
  async function secured(): Promise<{registry: RunningRegistry; name: string; certsFolder: string}> {
    const place = scratch()
    mkdirSync(place)
    const certificate = makeCertificate(place, 'DNS:registry.test,IP:0.0.0.0')
    const registry = await started(startRegistry(place, {tls: certificate, clientCa: certificate.cert}))
    const name = registry.host.replace('127.0.0.1', 'registry.test')
    const certsFolder = path.join(place, 'certs.d')
    for (const host of [name, registry.host.replace('127.0.0.1', '0.0.0.0')]) {
      const own = path.join(certsFolder, host)
      mkdirSync(own, {recursive: true})
      copyFileSync(certificate.cert, path.join(own, 'ca.crt'))
      copyFileSync(certificate.cert, path.join(own, 'client.cert'))
      copyFileSync(certificate.key, path.join(own, 'client.key'))
    }
    return {registry, name, certsFolder}
  }

  it('carry TLS through, with the certificates that are kept for the registry and its client', async function () {
    requireTool(this, 'docker-registry')
    requireTool(this, 'openssl')
    const {name, certsFolder} = await secured()
    const proxy = await proxyWith()
    const proxies = {https: proxy.origin}
    await assertThereAndBack(`docker://${name}/app:1`, {proxies, certsFolder})
    assert.deepEqual(new Set(proxy.asked), new Set([`CONNECT ${name}`]))
    assert.ok(proxy.bytes() > 2 * LAYER_BYTES)
    // Without the certificates, nothing is spoken inside of the tunnel.
    await assert.rejects(convert(source, `docker://${name}/app:2`, {proxies, certsFolder: folder.path}), {
      code: 'NETWORK_FAILED',
      message: /certificate of registry\.test:\d+ is not trusted/,
    })
  })

  it('carry TLS through that is not checked where the user waives it', async function () {
    requireTool(this, 'docker-registry')
    requireTool(this, 'openssl')
    const place = scratch()
    mkdirSync(place)
    const registry = await started(startRegistry(place, {tls: makeCertificate(place)}))
    const proxy = await proxyWith()
    const target = `docker://${registry.host.replace('127.0.0.1', 'registry.test')}/app:1`
    await assertThereAndBack(target, {proxies: {https: proxy.origin}, tlsVerify: false})
    assert.ok(proxy.bytes() > 2 * LAYER_BYTES)
  })

  it('are passed by for hosts that are excepted, and never used for this machine', async function () {
    requireTool(this, 'docker-registry')
    requireTool(this, 'openssl')
    if (process.platform === 'win32') this.skip()
    const {registry, certsFolder} = await secured()
    const proxy = await proxyWith()
    // An address that is none of loopback, and leads here all the same.
    const target = registry.host.replace('127.0.0.1', '0.0.0.0')
    for (const exceptions of [target, '0.0.0.0', 'a.test,0.0.0.0/8', '*']) {
      await assertThereAndBack(`docker://${target}/app:1`, {proxies: {https: proxy.origin, exceptions}, certsFolder})
    }
    assert.deepEqual(proxy.asked, [])
    await assertThereAndBack(`docker://${target}/app:1`, {
      proxies: {https: proxy.origin, exceptions: 'a.test'},
      certsFolder,
    })
    assert.ok(proxy.asked.length > 0)
    const asked = proxy.asked.length
    const near = await started(startMemoryRegistry())
    await assertThereAndBack(`docker://${near.host}/app:1`, {proxies: {https: proxy.origin, http: proxy.origin}})
    assert.equal(proxy.asked.length, asked)
  })

  it('are spoken to by TLS themselves, with the certificate that is kept for them', async function () {
    requireTool(this, 'docker-registry')
    requireTool(this, 'openssl')
    const {name, certsFolder} = await secured()
    const place = scratch()
    mkdirSync(place)
    const certificate = makeCertificate(place)
    const proxy = await proxyWith({tls: certificate, authorization: BASIC})
    const proxies = {https: proxy.origin.replace('://', `://me:${PASSWORD}@`)}
    const options = {proxies, certsFolder}
    await assert.rejects(convert(source, `docker://${name}/app:1`, options), {
      code: 'NETWORK_FAILED',
      message: /The certificate of the proxy https:\/\/127\.0\.0\.1:\d+ is not trusted/,
    })
    // It is given a password: what is waived for registries is not waived for it.
    await assert.rejects(convert(source, `docker://${name}/app:1`, {proxies, tlsVerify: false}), /of the proxy/)
    assert.deepEqual(proxy.asked, [])
    const own = path.join(certsFolder, new URL(proxy.origin).host)
    mkdirSync(own)
    copyFileSync(certificate.cert, path.join(own, 'ca.crt'))
    await assertThereAndBack(`docker://${name}/app:1`, options)
    assert.ok(proxy.bytes() > 2 * LAYER_BYTES)
  })

  it('pass on what has no TLS: the registry, its token server, redirects and foreign layers', async () => {
    const blobs = new Map<string, Buffer>()
    const elsewhere = await started(
      startServer((request, response) => {
        const bytes = blobs.get(/sha256:[0-9a-f]+/.exec(request.url ?? '')?.[0] ?? '')
        response.writeHead(bytes === undefined ? 404 : 200, {'content-length': bytes?.length ?? 0}).end(bytes)
      }),
    )
    const tokens = await started(
      startServer((request, response) =>
        request.resume().on('end', () => response.end(JSON.stringify({token: 't0ken'}))),
      ),
    )
    const named = ({host}: {host: string}, name: string) => host.replace('127.0.0.1', `${name}.test`)
    let isRedirecting = false
    const registry = await started(
      startMemoryRegistry((request, response) => {
        if (request.headers.authorization !== 'Bearer t0ken') {
          const realm = `Bearer realm="http://${named(tokens, 'tokens')}/token",service="s"`
          request.resume().on('end', () => response.writeHead(401, {'www-authenticate': realm}).end())
          return true
        }
        if (!isRedirecting || request.method !== 'GET' || !(request.url ?? '').includes('/blobs/sha256')) return false
        const location = `http://${named(elsewhere, 'storage')}${request.url ?? ''}`
        request.resume().on('end', () => response.writeHead(307, {location}).end())
        return true
      }),
    )
    const proxy = await proxyWith({authorization: BASIC})
    const address = proxy.origin.replace('://', `://me:${PASSWORD}@`)
    const options = {tlsVerify: false, proxies: {https: address, http: address}}
    const target = `docker://${named(registry, 'registry')}/app:1`
    await assertThereAndBack(target, options)
    isRedirecting = true
    for (const [digest, bytes] of registry.blobs) blobs.set(digest, bytes)
    const pulled = `oci:${scratch()}`
    await convert(target, pulled, options)
    assert.deepEqual((await verify(pulled)).faults, [])

    const archive = path.join(folder.path, 'foreign.tar')
    writeFileSync(archive, await tarOf(hybridMembers(parts, {withManifestJson: false})))
    isRedirecting = false
    const foreign = target.replace('/app:1', '/foreign:1')
    await convert(`oci-archive:${archive}`, foreign, options)
    const layer = parts.diffIds[0] ?? ''
    const held = registry.manifests.get('foreign:1')
    const text = (held?.bytes.toString('utf8') ?? '').replace(
      'layer.v1.tar"',
      `layer.nondistributable.v1.tar","urls":["http://${named(elsewhere, 'foreign')}/${layer}"]`,
    )
    const manifest = {type: held?.type ?? '', bytes: Buffer.from(text)}
    for (const key of ['foreign:1', `foreign@sha256:${sha256(text)}`]) registry.manifests.set(key, manifest)
    registry.blobs.delete(layer)
    const again = `oci:${scratch()}`
    await convert(foreign, again, options)
    assert.deepEqual((await verify(again)).faults, [])

    for (const name of ['registry', 'tokens', 'storage', 'foreign']) {
      assert.ok(
        proxy.asked.some((each) => each.startsWith(`GET http://${name}.test:`)),
        name,
      )
    }
    assert.deepEqual(new Set(proxy.authorizations), new Set([BASIC]))
    const seen = JSON.stringify([registry.seen, tokens.seen, elsewhere.seen])
    for (const secret of [PASSWORD, BASIC.slice(6), 'proxy-authorization']) assert.ok(!seen.includes(secret), secret)
  }).timeout(60_000)

  describe('that fail are', () => {
    // They wait between attempts.
    const atOnce = testsAtOnce(8)
    const servers: {stop(): Promise<void>}[] = []

    after(async () => {
      for (const each of servers) await each.stop()
    })

    /** Not stopped after each test: others are still at work. */
    async function kept<S extends {stop(): Promise<void>}>(starting: Promise<S>): Promise<S> {
      const each = await starting
      servers.push(each)
      return each
    }

    for (const {title, options, code, exit, message, note} of [
      {
        title: 'wants a user',
        options: {authorization: BASIC},
        code: 'UNAUTHORIZED',
        exit: 4,
        message: /The proxy http:\/\/127\.0\.0\.1:\d+ rejected the user or password\..*407/,
        note: 'and the one in its address is not it',
      },
      {
        title: 'speaks Negotiate only',
        options: {authorization: 'Negotiate abc', asks: 'Negotiate, NTLM'},
        code: 'UNAUTHORIZED',
        exit: 4,
        message: /accepts only Negotiate, NTLM/,
        note: 'as those of Windows domains',
      },
      {
        title: 'answers 502',
        options: {answers: 502},
        code: 'NETWORK_FAILED',
        exit: 4,
        message: /The proxy http:\/\/127\.0\.0\.1:\d+ does not connect to registry\.test:5000\..*502/,
        note: 'the host behind it does not answer',
      },
      {
        title: 'answers 503',
        options: {answers: 503},
        code: 'NETWORK_FAILED',
        exit: 4,
        message: /does not connect to registry\.test:5000\..*503/,
        note: 'the name is not known there',
      },
      {
        title: 'answers 403',
        options: {answers: 403},
        code: 'NETWORK_FAILED',
        exit: 4,
        message: /does not connect to registry\.test:5000\..*403/,
        note: 'the port is forbidden',
      },
      {
        title: 'hangs up',
        options: {answers: 'nothing'},
        code: 'NETWORK_FAILED',
        exit: 4,
        message: /cannot reach the proxy http:\/\/127\.0\.0\.1:\d+\./,
        note: 'it is asked a few times, not for ever',
      },
    ] as const)
      atOnce(`named when one ${title}, without what is in their address: ${note}`, async () => {
        const proxy = await kept(startForwardProxy(options))
        const address = proxy.origin.replace('://', `://you:${PASSWORD}@`)
        await assert.rejects(
          convert('docker://registry.test:5000/app:1', `oci:${scratch()}`, {proxies: {https: address}}),
          (error: Error & {code?: string; exitCode?: number}) => {
            assert.deepEqual([error.code, error.exitCode], [code, exit])
            assert.match(error.message, message)
            const shown = inspect(error, {depth: 20, showHidden: true})
            for (const secret of [PASSWORD, Buffer.from(`you:${PASSWORD}`).toString('base64')]) {
              assert.ok(!shown.includes(secret), shown)
            }
            return true
          },
        )
        assert.ok(proxy.asked.length >= 1 && proxy.asked.length <= 6, String(proxy.asked.length))
      }).timeout(60_000)

    atOnce('asked a few times for where a blob is redirected to, not a few times as often as the blob is', async () => {
      const storage = 'storage.test:443'
      const registry = await kept(
        startMemoryRegistry((request, response) => {
          if (request.method !== 'GET' || !(request.url ?? '').includes('/blobs/sha256')) return false
          response.writeHead(307, {location: `https://${storage}${request.url ?? ''}`}).end()
          return true
        }),
      )
      await convert(source, `docker://${registry.host}/app:1`)
      const proxy = await kept(startForwardProxy({answers: 503, answersOf: storage}))
      const proxies = {https: proxy.origin}
      await assert.rejects(convert(`docker://${registry.host}/app:1`, `oci:${scratch()}`, {proxies}), {
        code: 'NETWORK_FAILED',
        message: /does not connect to storage\.test:443/,
      })
      assert.ok(proxy.asked.length > 1 && proxy.asked.length <= 6, String(proxy.asked.length))
    }).timeout(60_000)

    atOnce('named when nobody listens there', async () => {
      const proxies = {https: `http://you:${PASSWORD}@127.0.0.1:${await freePort()}`}
      await assert.rejects(convert('docker://registry.test:5000/app:1', `oci:${scratch()}`, {proxies}), {
        code: 'NETWORK_FAILED',
        exitCode: 4,
        message: /cannot reach the proxy http:\/\/127\.0\.0\.1:\d+\. The network reported ECONNREFUSED\./,
      })
    }).timeout(60_000)
  })

  it('are taken from the environment by every command that reaches a registry, and by no other', async function () {
    requireTool(this, 'docker-registry')
    requireTool(this, 'openssl')
    const {name, certsFolder} = await secured()
    const proxy = await proxyWith({authorization: BASIC})
    const address = proxy.origin.replace('://', `://me:${PASSWORD}@`)
    const target = `docker://${name}/app:1`
    const certs = ['--certs-dir', certsFolder]
    for (const {args, isProxied} of [
      {args: ['convert', source, target, ...certs], isProxied: true},
      {args: ['list', target, ...certs], isProxied: true},
      {args: ['inspect', target, ...certs], isProxied: true},
      {args: ['verify', target, ...certs], isProxied: true},
      {args: ['doctor'], isProxied: false},
      {args: ['inspect', source], isProxied: false},
    ]) {
      const before = proxy.asked.length
      const result = await runCli([...args, '--verbose'], {
        env: {HTTPS_PROXY: 'http://127.0.0.1:1', https_proxy: address},
      })
      const said = result.stderr + result.stdout.toString('utf8')
      assert.equal(result.code, 0, said)
      assert.equal(proxy.asked.length > before, isProxied, args[0])
      assert.ok(!said.includes(PASSWORD), said)
      if (args[0] === 'doctor') assert.match(said, /proxy +ok +http:\/\/127\.0\.0\.1:\d+ for https/)
    }
    const env = {NO_PROXY: 'registry.test', https_proxy: address}
    const passed = proxy.asked.length
    const direct = await runCli(['list', target, ...certs], {env})
    assert.equal(direct.code, 4, direct.stderr)
    assert.equal(proxy.asked.length, passed)
  }).timeout(120_000)

  it('are taken from the environment by batches, and by each worker from its own', async function () {
    const redis = await startRedis(this)
    running.push({stop: () => redis.close()})
    const registry = await started(startMemoryRegistry())
    const proxy = await proxyWith({authorization: BASIC})
    const address = proxy.origin.replace('://', `://me:${PASSWORD}@`)
    const env = {http_proxy: address, https_proxy: address}
    const target = `docker://${registry.host.replace('127.0.0.1', 'registry.test')}/app:1`
    await convert(source, target, {tlsVerify: false, proxies: {http: address, https: address}})
    for (const [title, runs] of [
      ['local', [['batch', 'PLAN', '--verbose']]],
      [
        'queued',
        [
          ['batch', 'PLAN', '--queue', redis.url, '--detach', '--verbose'],
          ['batch', 'worker', '--queue', redis.url, '--until-empty', '--verbose'],
        ],
      ],
    ] as const) {
      const own = scratch()
      mkdirSync(own)
      const plan = path.join(own, 'plan.json')
      const item = {source: target, destination: 'oci:pulled:1', options: {'tls-verify': false}}
      writeFileSync(plan, JSON.stringify({items: [item]}))
      for (const args of runs) {
        const before = proxy.asked.length
        const result = await runCli(
          args.map((text) => (text === 'PLAN' ? plan : text)),
          {env},
        )
        const said = result.stderr + result.stdout.toString('utf8')
        assert.equal(result.code, 0, said)
        assert.ok(proxy.asked.length > before, title)
        assert.ok(!said.includes(PASSWORD), said)
      }
      assert.deepEqual((await verify(`oci:${path.join(own, 'pulled')}`)).faults, [])
    }
    assert.deepEqual(new Set(proxy.authorizations), new Set([BASIC]))
  }).timeout(120_000)
})

import assert from 'node:assert/strict'
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {inspect as show} from 'node:util'
import {convert, inspect, verify} from '../../../src/index.js'
import {classicMembers, hybridMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {startServer, type TestServer} from '../../helpers/distribution.js'
import {startForwardProxy} from '../../helpers/forward-proxy.js'
import {startMemoryRegistry, type MemoryRegistry, type Meddle} from '../../helpers/memory-registry.js'
import {runCli} from '../../helpers/run-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {findTool} from '../../helpers/tools.js'

/** What must be seen nowhere but where it belongs, in every form that it travels in. */
const SECRETS = {
  password: 'hunter2-hunter2',
  token: 'tok3n-of-the-registry',
  identity: 'r3fresh-me',
  other: 'p4ss-of-b',
}

function basicOf(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64')
}

const NEVER = [
  ...Object.values(SECRETS),
  basicOf('me', SECRETS.password),
  basicOf('you', SECRETS.other),
  encodeURIComponent(basicOf('me', SECRETS.password)),
]

function assertNoneIn(text: string, what: string): void {
  for (const secret of NEVER) assert.ok(!text.includes(secret), `${what} shows ${secret}: ${text.slice(0, 2000)}`)
}

describe('credentials of image registries', () => {
  const folder = temporaryFolder()
  const running: TestServer[] = []
  let parts: Parts
  let source = ''
  let made = 0

  before(async () => {
    parts = partsOf([await tarOf([['etc/os', 'x'.repeat(5000)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop()
  })

  async function started<S extends TestServer>(starting: Promise<S>): Promise<S> {
    const server = await starting
    running.push(server)
    return server
  }

  const scratch = () => path.join(folder.path, `made-${made++}`)

  /** A folder with a config.json as Docker writes it. */
  function configWith(auths: Readonly<Record<string, object>>, more: object = {}): string {
    const place = scratch()
    mkdirSync(place)
    writeFileSync(path.join(place, 'config.json'), JSON.stringify({auths, ...more}))
    return place
  }

  const me = {auth: basicOf('me', SECRETS.password)}
  const you = {auth: basicOf('you', SECRETS.other)}

  /** Refuses whoever does not send the header; gives what else there is to do to `next`. */
  function guarded(challenge: string, authorization: string, next: Meddle = () => false): Meddle {
    return (request, response) => {
      if (request.headers.authorization === authorization) return next(request, response)
      request.resume().on('end', () => response.writeHead(401, {'www-authenticate': challenge}).end())
      return true
    }
  }

  /** A registry behind a token server of its own. */
  async function withToken(next?: Meddle): Promise<{registry: MemoryRegistry; tokens: TestServer}> {
    const tokens = await started(
      startServer((request, response) => {
        const isUser = request.headers.authorization === `Basic ${me.auth}` || request.method === 'POST'
        request.resume().on('end', () => {
          response.writeHead(isUser ? 200 : 401).end(JSON.stringify({token: SECRETS.token, expires_in: 600}))
        })
      }),
    )
    const challenge = `Bearer realm="http://${tokens.host}/token",service="s"`
    const registry = await started(startMemoryRegistry(guarded(challenge, `Bearer ${SECRETS.token}`, next)))
    return {registry, tokens}
  }

  /** Another host, which asks for credentials wherever it can; none may arrive, nor at the server it names. */
  async function thief(answer: Meddle): Promise<{host: string; seen: () => string; asked: () => number}> {
    const evil = await started(
      startServer((request, response) => {
        request.resume().on('end', () => response.end(JSON.stringify({token: 'x'})))
      }),
    )
    const server = await started(
      startServer((request, response) => {
        void Promise.resolve(answer(request, response)).then((isAnswered) => {
          if (isAnswered) return
          const realm = `Bearer realm="http://${evil.host}/token",service="s"`
          request
            .resume()
            .on('end', () => response.writeHead(401, {'www-authenticate': realm, 'set-cookie': 'a=b'}).end())
        })
      }),
    )
    return {
      host: server.host,
      seen: () => JSON.stringify([server.seen, evil.seen]),
      asked: () => server.seen.length,
    }
  }

  for (const [title, authOf] of [
    ['a password', () => me],
    ['an identity token', () => ({identitytoken: SECRETS.identity})],
    ['a registry token', () => ({registrytoken: SECRETS.token})],
  ] as const)
    it(`reach no host that a blob is redirected to, with ${title}, though that host has some of its own`, async () => {
      const blobs = new Map<string, Buffer>()
      const storage = await thief((request, response) => {
        const bytes = blobs.get(/sha256:[0-9a-f]+/.exec(request.url ?? '')?.[0] ?? '')
        if (bytes === undefined) return false
        response.writeHead(200, {'set-cookie': 'session=1', 'content-length': bytes.length})
        response.end(request.method === 'HEAD' ? undefined : bytes)
        return true
      })
      const {registry} = await withToken((request, response) => {
        if (request.method !== 'GET' || !(request.url ?? '').includes('/blobs/sha256')) return false
        response.writeHead(307, {location: `http://${storage.host}${request.url ?? ''}?signature=s`}).end()
        return true
      })
      const dockerConfig = configWith({[registry.host]: authOf(), [storage.host]: you})
      await convert(source, `docker://${registry.host}/app:1`, {dockerConfig})
      for (const [digest, bytes] of registry.blobs) blobs.set(digest, bytes)
      const target = `oci:${scratch()}`
      const report = await convert(`docker://${registry.host}/app:1`, target, {dockerConfig})
      assert.equal(report.artifacts[0]?.imageId, parts.imageId)
      assert.deepEqual((await verify(target)).faults, [])
      assert.ok(storage.asked() >= 2)
      assertNoneIn(storage.seen(), 'the other host')
      assert.doesNotMatch(storage.seen(), /authorization":"|cookie":"/)
      assertNoneIn(JSON.stringify(report), 'the report')
    })

  it('reach no host that a redirect leads to and that asks for them: the pull fails', async () => {
    const storage = await thief(() => false)
    const {registry} = await withToken((request, response) => {
      if (request.method !== 'GET' || !(request.url ?? '').includes('/blobs/sha256')) return false
      response.writeHead(307, {location: `http://${storage.host}/blob`}).end()
      return true
    })
    const dockerConfig = configWith({[registry.host]: me})
    await convert(source, `docker://${registry.host}/app:1`, {dockerConfig})
    await assert.rejects(convert(`docker://${registry.host}/app:1`, `oci:${scratch()}`, {dockerConfig}), (error) => {
      assertNoneIn(show(error, {depth: 20, showHidden: true}), 'the error')
      return true
    })
    assert.ok(storage.asked() > 0)
    assertNoneIn(storage.seen(), 'the other host')
    assert.doesNotMatch(storage.seen(), /"\/token/)
  })

  it('reach no host that uploads are sent to', async () => {
    const behind = await started(startMemoryRegistry())
    const storage = await thief(async (request, response) => {
      const answer = await fetch(`http://${behind.host}${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: Object.fromEntries(
          ['content-type', 'content-range'].flatMap((name) => {
            const value = request.headers[name]
            return typeof value === 'string' ? [[name, value]] : []
          }),
        ),
        ...(request.method === 'GET' ? {} : {body: request, duplex: 'half'}),
      })
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end()
      return true
    })
    const {registry} = await withToken(async (request, response) => {
      if (request.method === 'HEAD') return false
      if (request.method !== 'POST') return false
      const answer = await fetch(`http://${behind.host}${request.url ?? ''}`, {method: 'POST'})
      response.writeHead(202, {location: `http://${storage.host}${answer.headers.get('location') ?? ''}`}).end()
      return true
    })
    const dockerConfig = configWith({[registry.host]: me, [storage.host]: you})
    await convert(source, `docker://${registry.host}/app:1`, {dockerConfig})
    assert.deepEqual(new Set(behind.blobs.keys()), new Set([parts.imageId, ...parts.diffIds]))
    assert.ok(storage.asked() >= 2)
    assertNoneIn(storage.seen(), 'the other host')
    assert.doesNotMatch(storage.seen(), /authorization":"/)
  })

  it('of two registries reach each its own, from one straight to the other', async () => {
    const first = await started(startMemoryRegistry(guarded('Basic realm="a"', `Basic ${me.auth}`)))
    const second = await started(startMemoryRegistry(guarded('Basic realm="b"', `Basic ${you.auth}`)))
    const dockerConfig = configWith({[first.host]: me, [second.host]: you})
    await convert(source, `docker://${first.host}/app:1`, {dockerConfig})
    const report = await convert(`docker://${first.host}/app:1`, `docker://${second.host}/app:1`, {dockerConfig})
    assert.equal(report.artifacts[0]?.imageId, parts.imageId)
    assert.ok(!JSON.stringify(first.seen).includes(you.auth))
    assert.ok(!JSON.stringify(second.seen).includes(me.auth))
    assert.ok(JSON.stringify(second.seen).includes(you.auth))
  })

  it('are not sent for foreign layers, whose content is checked all the same', async () => {
    const layer = parts.layers[0] ?? Buffer.alloc(0)
    let served = layer
    const elsewhere = await thief((request, response) => {
      if (!(request.url ?? '').startsWith('/base')) return false
      response.writeHead(200, {'content-length': served.length}).end(served)
      return true
    })
    const {registry} = await withToken()
    const foreign = await tarOf(hybridMembers(parts, {withManifestJson: false}))
    const archive = path.join(folder.path, 'foreign.tar')
    writeFileSync(archive, foreign)
    const dockerConfig = configWith({[registry.host]: me, [elsewhere.host]: you})
    const reference = `docker://${registry.host}/app:1`
    await convert(`oci-archive:${archive}`, reference, {dockerConfig})
    const [held] = registry.manifests.values()
    const text = (held?.bytes.toString('utf8') ?? '').replace(
      /"mediaType":"application\/vnd.oci.image.layer.v1.tar"/,
      `"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","urls":["http://${elsewhere.host}/base"]`,
    )
    replaceManifest(registry, text)
    registry.blobs.delete(parts.diffIds[0] ?? '')
    const target = `oci:${scratch()}`
    await convert(reference, target, {dockerConfig})
    assert.equal((await inspect(target)).imageId, parts.imageId)
    assert.deepEqual((await verify(target)).faults, [])
    served = Buffer.from(layer)
    served.writeUInt8(1, 600)
    await assert.rejects(convert(reference, `oci:${scratch()}`, {dockerConfig}), {code: 'DIGEST_MISMATCH'})
    assert.ok(elsewhere.asked() > 0)
    assertNoneIn(elsewhere.seen(), 'the other host')
    assert.doesNotMatch(elsewhere.seen(), /authorization":"/)
  })

  function replaceManifest({manifests}: MemoryRegistry, text: string): void {
    const [held] = manifests.values()
    manifests.clear()
    const manifest = {type: held?.type ?? '', bytes: Buffer.from(text)}
    for (const key of ['app:1', `app@sha256:${sha256(text)}`]) manifests.set(key, manifest)
  }

  for (const [title, url] of [
    ['without TLS on another machine', 'http://192.0.2.1/layer'],
    ['with a password in the address', 'http://a:b@127.0.0.1:1/layer'],
    ['of a file', 'file:///etc/passwd'],
  ] as const)
    it(`are asked of nobody for a foreign layer ${title}: it is not fetched`, async () => {
      const registry = await started(startMemoryRegistry())
      const archive = path.join(folder.path, `foreign-${made++}.tar`)
      writeFileSync(archive, await tarOf(hybridMembers(parts)))
      const reference = `docker://${registry.host}/app:1`
      await convert(`docker-archive:${archive}`, reference)
      const [held] = registry.manifests.values()
      const text = (held?.bytes.toString('utf8') ?? '').replace(
        'layer.v1.tar"',
        `layer.nondistributable.v1.tar","urls":["${url}"]`,
      )
      replaceManifest(registry, text)
      registry.blobs.delete(parts.diffIds[0] ?? '')
      const {notes} = await convert(reference, `oci:${scratch()}`)
      assert.deepEqual(
        notes.map(({code}) => code).filter((code) => code === 'layer-not-held'),
        ['layer-not-held'],
      )
    }).timeout(10_000)

  it('are in no output of the command line, whatever a registry quotes: reports, messages, traces', async () => {
    const quoting: Meddle = (request, response) => {
      const quoted = [request.headers.authorization, ...Object.values(SECRETS)].join(' ')
      const errors = [{code: 'DENIED', message: `you sent ${quoted}`, detail: quoted}]
      request.resume().on('end', () => response.writeHead(403).end(JSON.stringify({errors})))
      return true
    }
    const {registry} = await withToken(quoting)
    const basic = await started(startMemoryRegistry(guarded('Basic realm="a"', `Basic ${me.auth}`, quoting)))
    const fine = await withToken()
    const only = (host: string, auth: object) => configWith({[host]: auth})
    const damaged = scratch()
    mkdirSync(damaged)
    writeFileSync(path.join(damaged, 'config.json'), `{"auths": {"${fine.registry.host}": {"auth": ${me.auth}}}}`)
    for (const [host, config, code] of [
      [registry.host, only(registry.host, me), 4],
      [registry.host, only(registry.host, {registrytoken: SECRETS.token}), 4],
      [basic.host, only(basic.host, me), 4],
      [fine.registry.host, only(fine.registry.host, you), 4],
      [fine.registry.host, only(fine.registry.host, {registrytoken: SECRETS.other}), 4],
      [fine.registry.host, damaged, 3],
      [fine.registry.host, only(fine.registry.host, me), 0],
    ] as const)
      for (const flags of [['--verbose'], ['--json', '--verbose']]) {
        const args = ['convert', source, `docker://${host}/app:1`, '--docker-config', config, ...flags]
        const result = await runCli(args)
        assert.equal(result.code, code, result.stderr + result.stdout.toString('utf8'))
        // What was never sent is not known to be a secret: a registry may say any word.
        const said = result.stderr + result.stdout.toString('utf8')
        for (const secret of secretsOf(config, host)) assert.ok(!said.includes(secret), `${secret}: ${said}`)
      }

    function secretsOf(config: string, host: string): readonly string[] {
      if (config === damaged || host === fine.registry.host) return NEVER
      if (host === basic.host) return [SECRETS.password, me.auth]
      return [SECRETS.token]
    }
  }).timeout(120_000)

  it('of a helper that does not speak JSON are not shown', async function () {
    if (process.platform === 'win32' || findTool('sh') === undefined) this.skip()
    const {registry} = await withToken()
    const bin = scratch()
    mkdirSync(bin)
    const helper = path.join(bin, 'docker-credential-plain')
    writeFileSync(helper, `#!/bin/sh\nread server\necho '${SECRETS.password}'\n`)
    chmodSync(helper, 0o755)
    const config = configWith({}, {credsStore: 'plain'})
    const args = [
      'convert',
      source,
      `docker://${registry.host}/app:1`,
      '--docker-config',
      config,
      '--json',
      '--verbose',
    ]
    const result = await runCli(args, {env: {PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`}})
    assert.equal(result.code, 3)
    assert.match(result.stdout.toString('utf8'), /docker-credential-plain/)
    assertNoneIn(result.stderr + result.stdout.toString('utf8'), 'the output')
  })

  it('of a proxy reach that proxy alone, and no output either, whatever is quoted of them', async () => {
    const pair = basicOf('me', SECRETS.password)
    const quoting: Meddle = (request, response) => {
      if (request.method === 'HEAD' || !(request.url ?? '').includes('/quoting/')) return false
      // As a proxy that answers in the place of the registry might.
      const errors = [{code: 'DENIED', message: `Basic ${pair} is ${SECRETS.password}`}]
      request.resume().on('end', () => response.writeHead(403).end(JSON.stringify({errors})))
      return true
    }
    const registry = await started(startMemoryRegistry(guarded('Basic realm="b"', `Basic ${you.auth}`, quoting)))
    const name = registry.host.replace('127.0.0.1', 'registry.test')
    const config = configWith({[name]: you})
    const proxy = await startForwardProxy({authorization: `Basic ${pair}`})
    try {
      const right = proxy.origin.replace('://', `://me:${SECRETS.password}@`)
      const wrong = proxy.origin.replace('://', `://you:${SECRETS.password}@`)
      for (const [address, repository, code, message] of [
        [right, 'app', 0, /registry\.test/],
        [right, 'quoting/app', 4, /DENIED Basic \*\*\* is \*\*\*/],
        [wrong, 'app', 4, /rejected the user or password/],
      ] as const)
        for (const flags of [[], ['--json']]) {
          const report = `${scratch()}.json`
          const args = ['convert', source, `docker://${name}/${repository}:1`, '--tls-verify=false', '--verbose']
          const result = await runCli([...args, '--docker-config', config, '--report', report, ...flags], {
            env: {HTTP_PROXY: address, HTTPS_PROXY: address},
          })
          const said = result.stderr + result.stdout.toString('utf8')
          assert.equal(result.code, code, said)
          assert.match(said, message)
          assertNoneIn(said + readFileSync(report, 'utf8'), 'the output')
        }
      assert.ok(registry.seen.length > 0)
      assert.ok(!JSON.stringify(registry.seen).includes(pair))
      assert.ok(!JSON.stringify(registry.seen).includes('proxy-authorization'))
      assert.ok(proxy.authorizations.includes(`Basic ${pair}`))
    } finally {
      await proxy.stop()
    }
  }).timeout(120_000)
})

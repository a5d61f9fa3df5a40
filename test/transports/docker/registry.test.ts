import assert from 'node:assert/strict'
import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {connect, createServer, type AddressInfo} from 'node:net'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert} from '../../../src/convert/convert.js'
import {docker} from '../../../src/transports/docker/docker.js'
import {oci} from '../../../src/transports/oci/oci.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {
  makeCertificate,
  startProxy,
  startRegistry,
  startServer,
  type RunningRegistry,
} from '../../helpers/distribution.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {findTool, requireTool, runTool, skipLoudly} from '../../helpers/tools.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS, BASIC])

for (const {text, path: place, selector} of [
  {text: '//app', path: '//app', selector: undefined},
  {text: '//app:1', path: '//app', selector: '1'},
  {text: '//[::1]:5000/a:1', path: '//[::1]:5000/a', selector: '1'},
  {text: '//[fe80::1]/a', path: '//[fe80::1]/a', selector: undefined},
  {text: '//host:65535/a', path: '//host:65535/a', selector: undefined},
  {text: '//host:5000/a/b', path: '//host:5000/a/b', selector: undefined},
  {text: '//host:5000/a/b:1.0', path: '//host:5000/a/b', selector: '1.0'},
  {text: `//host/a@sha256:${'0'.repeat(64)}`, path: '//host/a', selector: `@sha256:${'0'.repeat(64)}`},
])
  it(`parses docker:${text}`, () => {
    const reference = docker.parse(text)
    assert.deepEqual([reference.path, reference.selector], [place, selector])
    assert.equal(docker.format(reference), `docker:${text}`)
  })

for (const {text, note} of [
  {text: '//host:99999/a/b:1', note: 'no such port'},
  {text: '//host:65536/a', note: 'one too high'},
  {text: '//host:0/a:1', note: 'nothing can listen there'},
  {text: `//host:${'9'.repeat(400)}/a`, note: 'not even a number'},
  {text: '//host:http/a:1', note: 'a port has no name'},
  {text: '//host:/a:1', note: 'no port'},
  {text: '//host:50 00/a:1', note: 'a space'},
  {text: '//[::1]:99999/a:1', note: 'no such port behind an address'},
  {text: '//[::1:5000/a:1', note: 'a bracket that does not close'},
  {text: '//[::::]/a:1', note: 'no address'},
  {text: '//[1:2]/a', note: 'too short for an address'},
  {text: '//256.256.256.256/a', note: 'numbers that are no address'},
  {text: '//1.2.3.4.5/a', note: 'too many numbers'},
  {text: '//xn--a.test/a', note: 'no name in Punycode'},
])
  it(`refuses docker:${text.slice(0, 40)}: ${note}`, () => {
    assert.throws(() => docker.parse(text), {code: 'BAD_REFERENCE', exitCode: 2})
  })

it('refuses references that name no image in a registry', () => {
  for (const text of ['', '//', 'app', '//Host/UPPER', '//a:b:c', '//a@sha256:12', '//a b']) {
    assert.throws(() => docker.parse(text), {code: 'BAD_REFERENCE'}, text)
  }
})

describe('image registries', () => {
  const folder = temporaryFolder()
  let registry: RunningRegistry
  let source = ''
  let big = ''
  let made = 0

  before(async function () {
    requireTool(this, 'docker-registry')
    registry = await startRegistry(path.join(folder.path, 'registry'))
    source = `docker-archive:${path.join(folder.path, 'app.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(PARTS)))
    // Linux layers may hold anything, so they can be as large as a test needs them.
    const layer = await tarOf([['noise', randomBytes(20 * 2 ** 20)]])
    big = `docker-archive:${path.join(folder.path, 'big.tar')}`
    writeFileSync(big.slice(15), await tarOf(classicMembers(partsOf([layer], {os: 'linux'}), ['big:1'])))
  })

  after(async () => {
    await (registry as RunningRegistry | undefined)?.stop()
  })

  const fresh = () => `docker://${registry.host}/test/app-${made++}:1`
  const freshFolder = () => `oci:${path.join(folder.path, `pulled-${made++}`)}`

  async function imageIdOf(from: string, to: string, options = {}): Promise<string> {
    const [artifact] = (await convert(from, to, options)).artifacts
    assert.ok(artifact?.kind === 'image')
    return artifact.imageId ?? ''
  }

  for (const options of [{}, {compression: 'gzip'}, {compression: 'gzip', manifestFormat: 'docker'}] as const)
    it(`pushes with ${JSON.stringify(options)} and pulls the same again`, async () => {
      const target = fresh()
      assert.equal(await imageIdOf(source, target, options), PARTS.imageId)
      const pulled = freshFolder()
      assert.equal(await imageIdOf(target, pulled), PARTS.imageId)
      assert.deepEqual((await oci.verify(oci.parse(pulled.slice(4)), {})).faults, [])
      const reference = docker.parse(target.slice(7))
      assert.deepEqual((await docker.verify(reference, {})).faults, [])
      const [item] = await docker.list({transport: reference.transport, path: reference.path}, {})
      assert.equal(item?.reference, target)
      assert.equal(item.imageId, PARTS.imageId)
    })

  it('is pulled by skopeo, and pulls what skopeo pushes', async function () {
    requireTool(this, 'skopeo')
    const target = fresh()
    await convert(source, target, {compression: 'gzip'})
    const copied = path.join(folder.path, `skopeo-${made++}`)
    const windows = ['--override-os', 'windows']
    runTool('skopeo', ['copy', ...windows, '--src-tls-verify=false', target, `oci:${copied}:1`])
    const again = fresh()
    runTool('skopeo', ['copy', ...windows, '--dest-tls-verify=false', `oci:${copied}:1`, again])
    assert.equal(await imageIdOf(again, freshFolder()), PARTS.imageId)
  })

  it('reaches a registry at an address of IPv6', async function () {
    const [address, port] = registry.host.split(':')
    const front = createServer((socket) => {
      const onward = connect(Number(port), address ?? '')
      const end = () => {
        socket.destroy()
        onward.destroy()
      }
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const)
        from.on('error', end).pipe(to)
    })
    front.on('error', () => undefined).listen(0, '::1')
    await Promise.race([once(front, 'listening'), once(front, 'error')])
    if (!front.listening) skipLoudly(this, 'this machine has no IPv6')
    const target = `docker://[::1]:${(front.address() as AddressInfo).port}/test/six:1`
    assert.equal(await imageIdOf(source, target), PARTS.imageId)
    assert.equal(await imageIdOf(target, freshFolder()), PARTS.imageId)
    front.close()
  })

  it('sends nothing that is there, and mounts what another repository has', async () => {
    const first = fresh()
    await convert(big, first)
    const again = await convert(big, first)
    assert.equal(again.bytesWritten, 0)
    const proxy = await startProxy(registry.host, () => false)
    const [one, two] = [`docker://${proxy.host}/test/mount-a:1`, `docker://${proxy.host}/test/mount-b:1`]
    await convert(big, one)
    await convert(one, two)
    await proxy.stop()
    assert.ok(proxy.seen.some(({method, url}) => method === 'POST' && /mount-b.*mount=.*from=test%2Fmount-a/.test(url)))
    assert.ok(!proxy.seen.some(({method, url}) => method === 'PATCH' && url.includes('mount-b')))
  })

  for (const at of [1, 100_000, 9_000_000, 17_000_000])
    it(`takes up an upload again that was cut after ${at} bytes`, async () => {
      const proxy = await startProxy(registry.host, () => false, {afterUp: at % 8_388_608})
      const target = `docker://${proxy.host}/test/cut-up-${at}:1`
      const id = await imageIdOf(big, target)
      await proxy.stop()
      const direct = target.replace(proxy.host, registry.host)
      assert.deepEqual((await docker.verify(docker.parse(direct.slice(7)), {})).faults, [])
      assert.equal(await imageIdOf(direct, freshFolder()), id)
    })

  for (const at of [1, 300_000, 15_000_000])
    it(`takes up a download again that was cut after ${at} bytes`, async () => {
      const target = fresh()
      const id = await imageIdOf(big, target)
      const proxy = await startProxy(registry.host, () => false, {afterDown: at})
      const pulled = freshFolder()
      assert.equal(await imageIdOf(target.replace(registry.host, proxy.host), pulled), id)
      await proxy.stop()
      assert.deepEqual((await oci.verify(oci.parse(pulled.slice(4)), {})).faults, [])
    })

  for (const status of [429, 503])
    it(`comes back after ${status}`, async () => {
      let refusals = 0
      const proxy = await startProxy(registry.host, (request, response) => {
        if (refusals >= 3 || !(request.url ?? '').includes('blobs')) return false
        refusals++
        response.writeHead(status).end()
        return true
      })
      assert.equal(await imageIdOf(source, `docker://${proxy.host}/test/busy-${status}:1`), PARTS.imageId)
      await proxy.stop()
      assert.equal(refusals, 3)
    })

  it('tells what is missing, what is limited and what cannot be reached', async () => {
    await assert.rejects(convert(fresh(), freshFolder()), {code: 'NOT_FOUND'})
    await assert.rejects(convert('docker://127.0.0.1:1/a:1', freshFolder()), {code: 'NETWORK_FAILED'})
    const limited = await startServer((_, response) => {
      response
        .writeHead(429, {'retry-after': '0.01'})
        .end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')
    })
    await assert.rejects(convert(`docker://${limited.host}/a:1`, freshFolder()), /TOOMANYREQUESTS slow down/)
    await limited.stop()
  }).timeout(120_000)

  for (const [lie, code, change] of [
    ['another digest', 'DIGEST_MISMATCH', (body: Buffer) => Buffer.concat([body.subarray(0, -1), Buffer.from([1])])],
    ['more bytes', 'SIZE_MISMATCH', (body: Buffer) => Buffer.concat([body, Buffer.from([1])])],
  ] as const)
    it(`refuses a registry that gives ${lie} than it promised`, async () => {
      const target = fresh()
      await convert(source, target)
      const proxy = await startProxy(registry.host, (request, response) => {
        if (request.method !== 'GET' || !(request.url ?? '').includes('/blobs/')) return false
        void fetch(`http://${registry.host}${request.url ?? ''}`).then(async (answer) => {
          response.writeHead(200).end(change(Buffer.from(await answer.arrayBuffer())))
        })
        return true
      })
      await assert.rejects(convert(target.replace(registry.host, proxy.host), freshFolder()), {code})
      await proxy.stop()
    })

  it('authorises by token, renews it in the middle, and shows credentials to no other host', async () => {
    const target = fresh()
    const id = await imageIdOf(big, target)
    let tokens = 0
    const elsewhere = await startProxy(registry.host, () => false)
    const tokenServer = await startServer((request, response) => {
      const isUser = request.headers.authorization === `Basic ${Buffer.from('me:s3cret').toString('base64')}`
      response.writeHead(isUser ? 200 : 401).end(JSON.stringify({token: `token-${++tokens}`, expires_in: 1}))
    })
    let uses = 0
    const front = await startProxy(registry.host, (request, response) => {
      const realm = `Bearer realm="http://${tokenServer.host}/token",service="test"`
      // Each token is good for three requests, whatever was promised.
      if (request.headers.authorization !== `Bearer token-${tokens}` || ++uses % 3 === 0) {
        response.writeHead(401, {'www-authenticate': realm}).end()
        return true
      }
      if (request.method !== 'GET' || !(request.url ?? '').includes('/blobs/sha256')) return false
      response.writeHead(307, {location: `http://${elsewhere.host}${request.url ?? ''}`}).end()
      return true
    })
    const config = path.join(folder.path, 'docker-config')
    mkdirSync(config)
    const auths = {[front.host]: {auth: Buffer.from('me:s3cret').toString('base64')}}
    writeFileSync(path.join(config, 'config.json'), JSON.stringify({auths}))
    const options = {dockerConfig: config}
    assert.equal(await imageIdOf(target.replace(registry.host, front.host), freshFolder(), options), id)
    assert.equal(await imageIdOf(big, `docker://${front.host}/test/with-token:1`, options), id)
    assert.ok(tokens > 2)
    assert.ok(elsewhere.seen.length > 0)
    for (const {authorization} of elsewhere.seen) assert.equal(authorization, undefined)
    writeFileSync(path.join(config, 'config.json'), JSON.stringify({auths: {}}))
    await assert.rejects(convert(target.replace(registry.host, front.host), freshFolder(), options), (error: Error) => {
      assert.equal((error as Error & {code: string}).code, 'UNAUTHORIZED')
      assert.ok(!JSON.stringify([error.message, error.stack]).includes('s3cret'))
      return true
    })
    await Promise.all([front.stop(), tokenServer.stop(), elsewhere.stop()])
  })

  it('speaks TLS to a registry that asks for a password, and trusts no certificate unasked', async function () {
    requireTool(this, 'openssl')
    const place = path.join(folder.path, 'secured')
    mkdirSync(place)
    const htpasswd = path.join(place, 'htpasswd')
    // bcrypt of 's3cret'.
    writeFileSync(htpasswd, 'me:$2b$05$CCCCCCCCCCCCCCCCCCCCC.IXwnD5G8JVECI1ooRzRg43iy7mWcajC\n')
    const secured = await startRegistry(place, {tls: makeCertificate(place), htpasswd})
    const target = `docker://${secured.host}/test/app:1`
    const auth = Buffer.from('me:s3cret').toString('base64')
    writeFileSync(path.join(place, 'config.json'), JSON.stringify({auths: {[secured.host]: {auth}}}))
    const options = {tlsVerify: false, dockerConfig: place}
    try {
      await assert.rejects(convert(source, target, {dockerConfig: place}), {
        code: 'NETWORK_FAILED',
        message: /not trusted/,
      })
      await assert.rejects(convert(source, target, {tlsVerify: false, dockerConfig: folder.path}), {
        code: 'UNAUTHORIZED',
      })
      assert.equal(await imageIdOf(source, target, options), PARTS.imageId)
      assert.equal(await imageIdOf(target, freshFolder(), options), PARTS.imageId)
    } finally {
      await secured.stop()
    }
  })

  it('trusts the certificates that are kept for a registry, and shows it the one of its client', async function () {
    requireTool(this, 'openssl')
    const place = path.join(folder.path, 'certified')
    mkdirSync(place)
    const certificate = makeCertificate(place)
    const certified = await startRegistry(place, {tls: certificate, clientCa: certificate.cert})
    const certs = path.join(folder.path, 'certs.d')
    const own = path.join(certs, certified.host)
    mkdirSync(own, {recursive: true})
    const target = `docker://${certified.host}/test/app:1`
    const options = {certsFolder: certs, dockerConfig: place}
    try {
      copyFileSync(certificate.cert, path.join(own, 'ca.crt'))
      await assert.rejects(convert(source, target, options), {code: 'NETWORK_FAILED'})
      copyFileSync(certificate.cert, path.join(own, 'client.cert'))
      await assert.rejects(convert(source, target, options), {code: 'METADATA_INVALID', message: /client\.key/})
      copyFileSync(certificate.key, path.join(own, 'client.key'))
      assert.equal(await imageIdOf(source, target, options), PARTS.imageId)
      assert.equal(await imageIdOf(target, freshFolder(), options), PARTS.imageId)
    } finally {
      await certified.stop()
    }
  })

  it('takes the login that names most of a repository from a file of podman’s', async () => {
    const {findInAuthFile} = await import('../../../src/transports/docker/credentials.js')
    const file = path.join(folder.path, 'auth.json')
    const auth = (user: string) => ({auth: Buffer.from(`${user}:p`).toString('base64')})
    const keys = ['a.test', 'a.test/team', 'a.test/team/app', 'docker.io', 'http://old.test/v1/']
    writeFileSync(
      file,
      JSON.stringify({auths: Object.fromEntries(keys.map((key) => [key, auth(key.replaceAll(':', ''))]))}),
    )
    for (const [host, repository, user] of [
      ['a.test', 'team/app', 'a.test/team/app'],
      ['a.test', 'team/app/part', 'a.test/team/app'],
      ['a.test', 'team/other', 'a.test/team'],
      ['a.test', 'else', 'a.test'],
      ['docker.io', 'library/app', 'docker.io'],
      ['old.test', 'app', 'http//old.test/v1/'],
      ['b.test', 'team', undefined],
    ] as const) {
      const found = await findInAuthFile({host, repository}, file)
      assert.deepEqual(found, user === undefined ? undefined : {kind: 'password', user, password: 'p'})
    }
    assert.equal(await findInAuthFile({host: 'a.test', repository: 'x'}, `${file}.gone`), undefined)
  })

  it('asks credential helpers, and not a shell', async function () {
    if (process.platform === 'win32' || findTool('sh') === undefined) this.skip()
    const {findCredentials} = await import('../../../src/transports/docker/credentials.js')
    const bin = path.join(folder.path, 'bin')
    mkdirSync(bin)
    const helper = path.join(bin, 'docker-credential-test')
    const answer = (user: string) =>
      `#!/bin/sh\nread server\necho '{"ServerURL":"x","Username":"${user}","Secret":"s"}'\n`
    writeFileSync(helper, answer('me'))
    chmodSync(helper, 0o755)
    const before = process.env['PATH']
    process.env['PATH'] = `${bin}${path.delimiter}${before ?? ''}`
    try {
      const config = path.join(folder.path, 'helpers')
      mkdirSync(config)
      const write = (content: object) => {
        writeFileSync(path.join(config, 'config.json'), JSON.stringify(content))
      }
      write({
        credHelpers: {'a.test': 'test'},
        auths: {'b.test': {identitytoken: 't'}, 'https://index.docker.io/v1/': {auth: 'dTpwOnE='}},
      })
      assert.deepEqual(await findCredentials('a.test', config), {kind: 'password', user: 'me', password: 's'})
      assert.deepEqual(await findCredentials('b.test', config), {kind: 'identity-token', token: 't'})
      assert.deepEqual(await findCredentials('docker.io', config), {kind: 'password', user: 'u', password: 'p:q'})
      assert.equal(await findCredentials('c.test', config), undefined)
      writeFileSync(helper, answer('<token>'))
      write({credsStore: 'test'})
      assert.deepEqual(await findCredentials('a.test', config), {kind: 'identity-token', token: 's'})
      writeFileSync(helper, '#!/bin/sh\necho credentials not found in native keychain\nexit 1\n')
      assert.equal(await findCredentials('a.test', config), undefined)
      write({credsStore: 'x; rm'})
      await assert.rejects(findCredentials('a.test', config), {code: 'TOOL_MISSING'})
    } finally {
      process.env['PATH'] = before ?? ''
    }
  })
})

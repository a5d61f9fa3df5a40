import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {engineCandidates} from '../../src/engine-api/engine-candidates.js'
import {apiNumber, negotiateApi} from '../../src/engine-api/engine-version.js'
import {networkOptions} from '../../src/terminal/network-flags.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

async function writeContext(folder: string, name: string, docker: object, pem: Readonly<Record<string, string>> = {}) {
  const id = createHash('sha256').update(name).digest('hex')
  const meta = path.join(folder, 'contexts', 'meta', id)
  await mkdir(meta, {recursive: true})
  await writeFile(path.join(meta, 'meta.json'), JSON.stringify({Name: name, Metadata: {}, Endpoints: {docker}}))
  const tls = path.join(folder, 'contexts', 'tls', id, 'docker')
  if (Object.keys(pem).length > 0) await mkdir(tls, {recursive: true})
  for (const [file, text] of Object.entries(pem)) await writeFile(path.join(tls, `${file}.pem`), text)
}

describe('where an engine is looked for', () => {
  const folder = temporaryFolder()

  before(async () => {
    await writeContext(folder.path, 'far', {Host: 'tcp://far:2376'}, {ca: 'CA', cert: 'CERT', key: 'KEY'})
    await writeContext(folder.path, 'lax', {Host: 'tcp://lax', SkipTLSVerify: true})
    await writeContext(folder.path, 'behind', {Host: 'ssh://me@far'})
    await writeContext(folder.path, 'empty', {})
    await writeFile(path.join(folder.path, 'config.json'), JSON.stringify({auths: {}, currentContext: 'far'}))
  })

  const far = {kind: 'tcp', host: 'far', port: 2376, tls: {ca: 'CA', cert: 'CERT', key: 'KEY'}}

  it('takes the current context of Docker, with its certificates', async () => {
    assert.deepEqual(await engineCandidates({}, folder.path), [{name: 'docker', endpoint: far}])
  })

  it('takes what is given before a context, and a context that is given before the current one', async () => {
    const given = await engineCandidates({host: 'tcp://near', context: 'far'}, folder.path)
    assert.deepEqual(given, [{name: 'docker', endpoint: {kind: 'tcp', host: 'near', port: 2375}}])
    const lax = await engineCandidates({context: 'lax'}, folder.path)
    const tls = {rejectUnauthorized: false}
    assert.deepEqual(lax, [{name: 'docker', endpoint: {kind: 'tcp', host: 'lax', port: 2376, tls}}])
  })

  it('takes the default sockets, Docker before Podman, for the default context and without a configuration', async () => {
    const texts = async (...[places, config]: Parameters<typeof engineCandidates>) =>
      (await engineCandidates(places, config)).map(({name, endpoint}) => `${name} ${JSON.stringify(endpoint)}`)
    const found = await texts({context: 'default', runtimeFolder: '/run/user/1'}, folder.path)
    assert.deepEqual(await texts({runtimeFolder: '/run/user/1'}, path.join(folder.path, 'nothing')), found)
    if (process.platform === 'win32') return
    assert.deepEqual(
      found.map((line) => line.replace(/ .*"path":"(.*)"}/, ' $1')),
      [
        'docker /var/run/docker.sock',
        'docker /run/user/1/docker.sock',
        'podman /run/podman/podman.sock',
        'podman /run/user/1/podman/podman.sock',
      ],
    )
  })

  for (const [context, code] of [
    ['nothing', 'NOT_FOUND'],
    ['empty', 'NOT_FOUND'],
    ['behind', 'ENGINE_UNSUPPORTED'],
  ] as const)
    it(`refuses the context '${context}' with ${code}`, async () => {
      await assert.rejects(engineCandidates({context}, folder.path), {code})
    })

  it('refuses a configuration that is no JSON', async () => {
    await writeFile(path.join(folder.path, 'contexts', 'config.json'), '{')
    await assert.rejects(engineCandidates({}, path.join(folder.path, 'contexts')), {code: 'BAD_OPTION'})
  })
})

describe('flags and variables that say where the engine is', () => {
  const none = {
    'tls-verify': undefined,
    'docker-config': undefined,
    authfile: undefined,
    'certs-dir': undefined,
    engine: undefined,
    'engine-certs': undefined,
    'engine-context': undefined,
  }
  const rows: readonly {note: string; flags?: object; env: Record<string, string>; want: object}[] = [
    {note: 'nothing', env: {}, want: {}},
    {note: 'DOCKER_HOST', env: {DOCKER_HOST: 'tcp://a'}, want: {host: 'tcp://a'}},
    {note: 'an empty variable', env: {DOCKER_HOST: '', DOCKER_CONTEXT: ''}, want: {}},
    {
      note: 'DOCKER_HOST before DOCKER_CONTEXT',
      env: {DOCKER_HOST: 'tcp://a', DOCKER_CONTEXT: 'c'},
      want: {host: 'tcp://a'},
    },
    {note: 'DOCKER_CONTEXT', env: {DOCKER_CONTEXT: 'c'}, want: {context: 'c'}},
    {
      note: 'a flag before a variable',
      flags: {engine: 'tcp://b'},
      env: {DOCKER_HOST: 'tcp://a'},
      want: {host: 'tcp://b'},
    },
    {
      note: 'a context before DOCKER_HOST',
      flags: {'engine-context': 'c'},
      env: {DOCKER_HOST: 'tcp://a'},
      want: {context: 'c'},
    },
    {
      note: 'certificates where TLS is asked for',
      env: {DOCKER_HOST: 'tcp://a', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs'},
      want: {host: 'tcp://a', certificates: '/certs'},
    },
    {
      note: 'no certificates without',
      env: {DOCKER_HOST: 'tcp://a', DOCKER_CERT_PATH: '/certs'},
      want: {host: 'tcp://a'},
    },
    {
      note: 'certificates by flag',
      flags: {'engine-certs': '/mine'},
      env: {DOCKER_HOST: 'tcp://a', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs'},
      want: {host: 'tcp://a', certificates: '/mine'},
    },
    {
      note: 'the folder of rootless engines',
      env: {XDG_RUNTIME_DIR: '/run/user/1'},
      want: {runtimeFolder: '/run/user/1'},
    },
  ]
  for (const {note, flags, env, want} of rows)
    it(`takes ${note}`, () => {
      assert.deepEqual(networkOptions({...none, ...flags}, env).engine, want)
    })
})

describe('the version of the engine API', () => {
  const rows: readonly (readonly [newest: string | undefined, oldest: string | undefined, want: string | undefined])[] =
    [
      ['1.41', '1.12', '1.41'],
      ['1.52', '1.44', '1.48'],
      ['1.24', undefined, '1.24'],
      ['1.23', '1.12', undefined],
      ['1.60', '1.50', undefined],
      ['2.0', '2.0', undefined],
      [undefined, undefined, undefined],
      ['nonsense', undefined, undefined],
    ]
  for (const [ApiVersion, MinAPIVersion, want] of rows)
    it(`is ${want ?? 'refused'} where the engine speaks ${MinAPIVersion ?? '?'} to ${ApiVersion ?? '?'}`, () => {
      const version = {
        ...(ApiVersion === undefined ? {} : {ApiVersion}),
        ...(MinAPIVersion === undefined ? {} : {MinAPIVersion}),
      }
      if (want === undefined) assert.throws(() => negotiateApi(version, 'x'), {code: 'ENGINE_UNSUPPORTED', exitCode: 4})
      else assert.equal(negotiateApi(version, 'x'), want)
    })

  it('is compared by number, not by text', () => {
    assert.ok(apiNumber('1.9') < apiNumber('1.10'))
  })
})

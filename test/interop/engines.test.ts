import assert from 'node:assert/strict'
import {copyFileSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {convert, inspect, list, verify} from '../../src/index.js'
import type {NetworkOptions} from '../../src/model/transport.js'
import {classicMembers, hybridMembers, partsOf, tarOf, type Parts} from '../helpers/archives.js'
import {callBytes} from '../helpers/container-host.js'
import {freePort} from '../helpers/distribution.js'
import {startDockerd, startPodman, type EngineHost} from '../helpers/engine-host.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'

/** A small Linux image of two layers; the number makes it another one. */
async function linuxImage(number: number): Promise<Parts> {
  const base = await tarOf([
    ['etc/', ''],
    ['etc/os-release', 'ID=none'],
  ])
  const top = await tarOf([['etc/number', String(number)]])
  return partsOf([base, top], {os: 'linux', 'os.version': undefined, config: {Cmd: ['/bin/true']}})
}

async function idIn(host: EngineHost, name: string): Promise<string | undefined> {
  const answer = await callBytes(host.socket, 'GET', `/images/${name}/json`).catch(() => undefined)
  if (answer === undefined) return undefined
  return (JSON.parse(answer.toString('utf8')) as {Id: string}).Id.replace(/^(sha256:)?/, 'sha256:')
}

for (const [engine, start] of [
  ['dockerd', startDockerd],
  ['podman', startPodman],
] as const)
  describe(`docker-daemon: with a real ${engine}`, function () {
    this.timeout(120_000)
    const folder = temporaryFolder()
    let host: EngineHost
    let options: NetworkOptions
    let first: Parts
    let second: Parts
    const at = (name: string) => path.join(folder.path, name)
    const leftovers = () => readdirSync(at('temporary'))
    const {TMPDIR: usual} = process.env

    before(async function () {
      host = await start(this)
      // What is spooled goes where nothing else does.
      await mkdir(at('temporary'))
      process.env['TMPDIR'] = at('temporary')
      options = {engine: {host: host.url}}
      first = await linuxImage(1)
      second = await linuxImage(2)
      await writeFile(at('first.tar'), await tarOf(classicMembers(first, ['contoso/first:1'])))
      await writeFile(at('second.tar'), await tarOf(classicMembers(second, ['contoso/second:1'])))
    })

    after(async () => {
      if (usual === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = usual
      await host.close()
    })

    it('takes an image from an archive and gives it back into archives and layouts, its ID unchanged', async () => {
      const report = await convert(`docker-archive:${at('first.tar')}`, 'docker-daemon:', options)
      assert.deepEqual(
        report.artifacts.map((artifact) => [artifact.reference, artifact.kind === 'image' ? artifact.imageId : '']),
        [['docker-daemon:contoso/first:1', first.imageId]],
      )
      assert.deepEqual([report.exact, report.losses], [true, []])
      assert.equal(await idIn(host, 'docker.io/contoso/first:1'), first.imageId)
      const wanted = [first.imageId, ['contoso/first:1']]
      for (const target of [`docker-archive:${at('back.tar')}`, `oci:${at('back')}`, `oci-archive:${at('oci.tar')}`]) {
        await convert('docker-daemon:contoso/first:1', target, options)
        const {imageId, names} = await inspect(target)
        assert.deepEqual([imageId, names.map((name) => name.replace('docker.io/', ''))], wanted, target)
        assert.deepEqual((await verify(target)).faults, [])
      }
      assert.deepEqual(leftovers(), [])
    })

    it('lists, inspects and verifies what the engine has, by name and by id', async () => {
      const all = await runJson(['list', 'docker-daemon:', '--engine', host.url])
      await assertSchema('list', all.json)
      const {items} = await list('docker-daemon:', options)
      assert.deepEqual(
        items.map(({reference, names, imageId, platform, layers}) => ({reference, names, imageId, platform, layers})),
        [
          {
            reference: 'docker-daemon:contoso/first:1',
            names: ['contoso/first:1'],
            imageId: first.imageId,
            platform: {os: 'linux', architecture: 'amd64'},
            layers: 2,
          },
        ],
      )
      const hex = first.imageId.slice(7)
      const ways = ['contoso/first:1', `sha256:${hex}`, hex, hex.slice(0, 12)]
      for (const way of ways) {
        assert.equal((await inspect(`docker-daemon:${way}`, options)).imageId, first.imageId, way)
        const {faults, layers} = await verify(`docker-daemon:${way}`, options)
        assert.deepEqual([faults, layers.map(({diffId}) => diffId)], [[], first.diffIds], way)
        assert.equal((await list(`docker-daemon:${way}`, options)).items.length, 1, way)
      }
      assert.deepEqual((await verify('docker-daemon:', options)).faults, [])
      assert.deepEqual((await list('docker-daemon:contoso/first', options)).items, items)
      const files = await runCli(['files', 'docker-daemon:contoso/first:1', '--engine', host.url])
      // A Linux image has no Windows payload to show; what is refused is the layer, not the engine.
      assert.match(files.stderr, /Code: {2}(?:NAME_UNSAFE|PLATFORM_UNSUPPORTED)/)
    })

    it('sends nothing when the engine has the image, and gives it the names it lacks', async () => {
      const same = await convert(`docker-archive:${at('first.tar')}`, 'docker-daemon:', options)
      assert.equal(same.bytesWritten, 0)
      assert.deepEqual(
        same.notes.map(({code}) => code),
        ['image-present'],
      )
      const named = await convert(`docker-archive:${at('first.tar')}`, 'docker-daemon:contoso/other', options)
      assert.equal(named.bytesWritten, 0)
      assert.equal(await idIn(host, 'docker.io/contoso/other:latest'), first.imageId)
    })

    it('takes no name away from another image unless told to', async () => {
      const target = 'docker-daemon:contoso/first:1'
      const source = `docker-archive:${at('second.tar')}`
      await assert.rejects(convert(source, target, options), {code: 'DESTINATION_EXISTS', exitCode: 3})
      assert.equal(await idIn(host, 'docker.io/contoso/first:1'), first.imageId)
      assert.equal(await idIn(host, second.imageId), undefined)
      await convert(source, target, {...options, replace: true})
      assert.equal(await idIn(host, 'docker.io/contoso/first:1'), second.imageId)
      assert.equal(await idIn(host, 'docker.io/contoso/other:latest'), first.imageId)
    })

    it('passes compressed layers on as they are, and makes others on the way', async () => {
      const third = await linuxImage(3)
      await writeFile(at('third.tar'), await tarOf(hybridMembers(third, {compressed: true, tag: 'contoso/third:1'})))
      await convert(`docker-archive:${at('third.tar')}`, 'docker-daemon:', options)
      assert.equal(await idIn(host, 'docker.io/contoso/third:1'), third.imageId)
      const fourth = await linuxImage(4)
      await writeFile(at('fourth.tar'), await tarOf(classicMembers(fourth, ['contoso/fourth:1'])))
      await convert(`docker-archive:${at('fourth.tar')}`, 'docker-daemon:', {...options, compression: 'gzip'})
      assert.equal(await idIn(host, 'docker.io/contoso/fourth:1'), fourth.imageId)
      assert.deepEqual(leftovers(), [])
    })

    it('keeps nothing of an image whose layer is not what it says', async () => {
      const fifth = await linuxImage(5)
      const false_ = {...fifth, layers: [fifth.layers[0]!, await tarOf([['etc/number', '6']])]}
      await writeFile(at('false.tar'), await tarOf(classicMembers(false_, ['contoso/false:1'])))
      await assert.rejects(convert(`docker-archive:${at('false.tar')}`, 'docker-daemon:', options), {
        code: 'DIGEST_MISMATCH',
      })
      assert.equal(await idIn(host, 'docker.io/contoso/false:1'), undefined)
      assert.equal(await idIn(host, fifth.imageId), undefined)
    })

    it('names what there is when an image is not', async () => {
      await assert.rejects(inspect('docker-daemon:contoso/nothing:1', options), {code: 'NOT_FOUND', exitCode: 3})
      await assert.rejects(inspect(`docker-daemon:sha256:${'0'.repeat(64)}`, options), {code: 'NOT_FOUND'})
      await assert.rejects(inspect('docker-daemon:', options), {code: 'AMBIGUOUS_SELECTION', exitCode: 2})
      await assert.rejects(inspect('docker-daemon:contoso/first:1', {...options, platform: 'windows/amd64'}), {
        code: 'PLATFORM_UNSUPPORTED',
        message: /linux\/amd64/,
      })
    })

    if (engine === 'podman')
      it('keeps a Windows image, lists it and gives it back, its ID unchanged', async () => {
        const {imageId} = await inspect('docker-archive:samples/shop.tar')
        const target = 'docker-daemon:contoso/windows:1'
        const {artifacts} = await convert('docker-archive:samples/shop.tar', target, options)
        assert.deepEqual([artifacts[0]?.imageId, await idIn(host, 'docker.io/contoso/windows:1')], [imageId, imageId])
        const {items} = await list('docker-daemon:', options)
        const [there] = items.filter(({names}) => names.includes('contoso/windows:1'))
        assert.deepEqual([there?.imageId, there?.platform?.os], [imageId, 'windows'])
        assert.deepEqual((await verify(target, options)).faults, [])
        for (const back of [`docker-archive:${at('windows-back.tar')}`, `oci:${at('windows-back')}:1`]) {
          await convert(target, back, options)
          assert.equal((await inspect(back)).imageId, imageId)
        }
        const again = await convert('docker-archive:samples/shop.tar', target, options)
        assert.equal(again.bytesWritten, 0)
      })
    else
      it('refuses a Windows image before anything is sent', async () => {
        const windows = partsOf([await tarOf([['Files/', '']])])
        await writeFile(at('windows.tar'), await tarOf(classicMembers(windows, ['contoso/windows:1'])))
        const result = await runJson(['convert', `docker-archive:${at('windows.tar')}`, 'docker-daemon:'], {
          env: {DOCKER_HOST: host.url},
        })
        assert.equal(result.code, 4)
        assert.equal((result.json as {error: {code: string}}).error.code, 'WRONG_ENGINE_OS')
      })

    if (engine === 'dockerd')
      it('is understood by the tools of others: skopeo reads what was loaded', async function () {
        const {stdout} = {
          stdout: runTool(requireTool(this, 'skopeo'), [
            'inspect',
            '--raw',
            '--config',
            '--daemon-host',
            host.url,
            'docker-daemon:contoso/third:1',
          ]),
        }
        assert.deepEqual(
          (JSON.parse(stdout) as {rootfs: {diff_ids: string[]}}).rootfs.diff_ids,
          (await linuxImage(3)).diffIds,
        )
      })
  })

describe('docker-daemon: with a real dockerd over TLS', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  let host: EngineHost
  let url: string
  const at = (...parts: readonly string[]) => path.join(folder.path, ...parts)

  before(async function () {
    requireTool(this, 'openssl')
    requireTool(this, 'dockerd')
    makeAuthority(folder.path)
    url = `tcp://127.0.0.1:${await freePort()}`
    const server = at('server')
    host = await startDockerd(this, [
      `--host=${url}`,
      '--tlsverify',
      `--tlscacert=${server}/ca.pem`,
      `--tlscert=${server}/cert.pem`,
      `--tlskey=${server}/key.pem`,
    ])
    const image = await linuxImage(1)
    await writeFile(at('image.tar'), await tarOf(classicMembers(image, ['contoso/secured:1'])))
  })

  after(async () => {
    await host.close()
  })

  it('is spoken to with the certificates of a folder, both ways', async () => {
    const options = {engine: {host: url, certificates: at('client')}}
    const {artifacts} = await convert(`docker-archive:${at('image.tar')}`, 'docker-daemon:', options)
    assert.equal(await idIn(host, 'contoso/secured:1'), artifacts[0]?.kind === 'image' ? artifacts[0].imageId : '')
    assert.deepEqual((await verify('docker-daemon:contoso/secured:1', options)).faults, [])
  })

  it("is found by Docker's own variables, and by flags", async () => {
    const env = {DOCKER_HOST: url, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: at('client')}
    assert.match((await runCli(['list', 'docker-daemon:'], {env})).stdout.toString(), /contoso\/secured:1/)
    const flags = ['--engine', url, '--engine-certs', at('client')]
    assert.match((await runCli(['list', 'docker-daemon:', ...flags])).stdout.toString(), /contoso\/secured:1/)
  })

  it("is found by a context that Docker's client made", async function () {
    const docker = requireTool(this, 'docker')
    const config = at('config')
    const files = ['ca', 'cert', 'key'].map((name) => `${name}=${at('client')}/${name}.pem`).join(',')
    runTool(docker, ['--config', config, 'context', 'create', 'secured', '--docker', `host=${url},${files}`])
    const env = {DOCKER_CONFIG: config, DOCKER_HOST: '', DOCKER_CONTEXT: ''}
    const named = await runCli(['list', 'docker-daemon:', '--engine-context', 'secured'], {env})
    assert.match(named.stdout.toString(), /contoso\/secured:1/)
    const byVariable = await runCli(['list', 'docker-daemon:'], {env: {...env, DOCKER_CONTEXT: 'secured'}})
    assert.equal(byVariable.stdout.toString(), named.stdout.toString())
    runTool(docker, ['--config', config, 'context', 'use', 'secured'])
    const current = await runCli(['list', 'docker-daemon:'], {env})
    assert.equal(current.stdout.toString(), named.stdout.toString())
  })

  it('is refused with a certificate that the authority did not sign, and without one', async () => {
    const stranger = at('stranger')
    mkdirSync(stranger)
    copyFileSync(at('client', 'ca.pem'), path.join(stranger, 'ca.pem'))
    makeStranger(stranger)
    const code = 'ENGINE_UNAVAILABLE'
    await assert.rejects(list('docker-daemon:', {engine: {host: url, certificates: stranger}}), {code})
    mkdirSync(at('nothing'))
    await assert.rejects(list('docker-daemon:', {engine: {host: url, certificates: at('nothing')}}), {
      code,
      message: /certificate/,
    })
    await assert.rejects(list('docker-daemon:', {engine: {host: url}}), {exitCode: 4})
  })
})

/** An authority, and certificates of it for the engine and for its client, each in a folder as Docker keeps them. */
function makeAuthority(folder: string): void {
  const at = (...parts: readonly string[]) => path.join(folder, ...parts)
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = ['-keyout', at('authority.key'), '-out', at('authority.pem')]
  runTool('openssl', ['req', '-x509', ...ec, '-days', '2', '-subj', '/CN=authority', ...authority])
  for (const [name, usage] of [
    ['server', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth'],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    mkdirSync(at(name))
    copyFileSync(at('authority.pem'), at(name, 'ca.pem'))
    writeFileSync(at(name, 'usage'), usage)
    const request = ['-keyout', at(name, 'key.pem'), '-out', at(name, 'request')]
    runTool('openssl', ['req', '-new', ...ec, '-subj', `/CN=${name}`, ...request])
    const by = ['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial', '-days', '2']
    const files = ['-in', at(name, 'request'), '-extfile', at(name, 'usage'), '-out', at(name, 'cert.pem')]
    runTool('openssl', ['x509', '-req', ...by, ...files])
  }
}

/** A client's certificate that nobody has signed but itself. */
function makeStranger(folder: string): void {
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = ['-keyout', path.join(folder, 'key.pem'), '-out', path.join(folder, 'cert.pem')]
  runTool('openssl', ['req', '-x509', ...ec, '-subj', '/CN=stranger', ...files])
}

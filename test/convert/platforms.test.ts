import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {runBatch} from '../../src/batch/run-batch.js'
import {planFromSource} from '../../src/batch/plan-from-source.js'
import {convert, inspect, list, verify} from '../../src/index.js'
import {partsOf, tarOf, type Parts} from '../helpers/archives.js'
import {LayoutBuilder, OCI, tagged} from '../helpers/layouts.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Images of one index; `stated` is what the index says of them, where that is not what the configuration says. */
const IMAGES = [
  {key: 'linux', os: 'linux', architecture: 'amd64'},
  {key: 'arm', os: 'linux', architecture: 'arm64', stated: {os: 'linux', architecture: 'arm64', variant: 'v8'}},
  {key: '17763', os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.1'},
  {key: '20348', os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1', stated: {}},
] as const

type Key = (typeof IMAGES)[number]['key']

const ROWS: readonly {platform: string; keys: readonly Key[]}[] = [
  {platform: 'windows/amd64', keys: ['17763', '20348']},
  {platform: 'windows', keys: ['17763', '20348']},
  {platform: 'windows(10.0.20348)/amd64', keys: ['20348']},
  {platform: 'windows/amd64:10.0.17763', keys: ['17763']},
  {platform: 'linux', keys: ['linux', 'arm']},
  {platform: 'linux/arm64', keys: ['arm']},
  {platform: 'linux/arm64/v8', keys: ['arm']},
  {platform: 'windows/arm64', keys: []},
  {platform: 'windows(10.0.1)/amd64', keys: []},
  {platform: 'darwin/amd64', keys: []},
]

describe('--platform', () => {
  const folder = temporaryFolder()
  const parts = new Map<Key, Parts>()
  const sources: Record<string, string> = {}
  let registry: MemoryRegistry
  let made = 0

  const fresh = (end = '') => path.join(folder.path, `made-${made++}${end}`)
  const idsOf = (keys: readonly Key[]) => keys.map((key) => parts.get(key)!.imageId).sort()
  const listed = async (reference: string, platform?: string) =>
    (await list(reference, platform === undefined ? {} : {platform})).items.map(({imageId}) => imageId).sort()

  before(async () => {
    const builder = new LayoutBuilder()
    const entries: object[] = []
    for (const {key, os, architecture, ...more} of IMAGES) {
      const {stated, ...version} = {stated: undefined, ...more}
      const own = partsOf(
        [
          await tarOf([
            ['Files/', ''],
            [`Files/${key}.txt`, key],
          ]),
        ],
        {
          os,
          architecture,
          'os.version': undefined,
          ...version,
        },
      )
      parts.set(key, own)
      const platform = stated ?? {os, architecture, ...version}
      entries.push({...builder.image(own), ...(Object.keys(platform).length === 0 ? {} : {platform})})
    }
    entries.push(...attestations(builder))
    const index = builder.index(entries)
    builder.manifests.push({...index, ...tagged('1')})
    const root = fresh()
    builder.writeFolder(root)
    await builder.writeTar(`${root}.tar`)
    sources['oci'] = `oci:${root}`
    sources['oci, a tag'] = `oci:${root}:1`
    sources['oci-archive'] = `oci-archive:${root}.tar`
    sources['docker-archive of the same tar'] = `docker-archive:${root}.tar`
    sources['docker-archive'] = `docker-archive:${fresh('.tar')}`
    await convert(sources['oci'], sources['docker-archive'], {all: true})
    registry = await startMemoryRegistry((request, response) => {
      if (request.url?.startsWith('/v2/_catalog') !== true) return false
      response.writeHead(200).end('{"repositories":["mixed/app"]}')
      return true
    })
    for (const [name, bytes] of builder.files) {
      const digest = `sha256:${path.basename(name)}`
      registry.blobs.set(digest, bytes)
      const type = bytes.includes('"layers"') ? OCI.manifest : OCI.index
      registry.manifests.set(`mixed/app@${digest}`, {type, bytes})
    }
    const bytes = builder.files.get(`blobs/sha256/${String(index['digest']).slice(7)}`)!
    registry.manifests.set('mixed/app:1', {type: OCI.index, bytes})
    sources['docker, a tag'] = `docker://${registry.host}/mixed/app:1`
    sources['docker'] = `docker://${registry.host}/mixed/app`
    sources['docker, the whole registry'] = `docker://${registry.host}`
  })

  after(() => registry.stop())

  /** What BuildKit adds to an index, and what others make of it: marked in one of four ways each. */
  function attestations(builder: LayoutBuilder): object[] {
    const statement = builder.blob('application/vnd.in-toto+json', '{"_type":"https://in-toto.io/Statement/v0.1"}')
    const nothing = partsOf([], {os: 'unknown', architecture: 'unknown', 'os.version': undefined})
    const silent = {...nothing, config: '{}'}
    const platform = {os: 'unknown', architecture: 'unknown'}
    const annotations = {'vnd.docker.reference.type': 'attestation-manifest'}
    const layers = [statement]
    return [
      {...builder.image(nothing, {layers}), platform, annotations},
      {...builder.image(silent, {layers, manifest: {annotations: {a: '1'}}}), platform},
      {...builder.image(silent, {layers, manifest: {annotations: {a: '2'}}})},
      {...builder.image(silent, {layers: [], manifest: {annotations: {a: '3'}}}), platform, annotations},
    ]
  }

  const TITLES = [
    'oci',
    'oci, a tag',
    'oci-archive',
    'docker-archive of the same tar',
    'docker-archive',
    'docker, a tag',
    'docker',
    'docker, the whole registry',
  ]
  for (const title of TITLES) {
    it(`narrows ${title}: list, --all, a plan and its run, inspect, verify`, async () => {
      const source = sources[title]!
      const isHost = title.endsWith('registry')
      if (!isHost) assert.deepEqual(await listed(source), idsOf(IMAGES.map(({key}) => key)))
      for (const {platform, keys} of ROWS) {
        const wanted = idsOf(keys)
        if (!isHost) assert.deepEqual(await listed(source, platform), wanted, platform)
        const destination = fresh()
        const copying = convert(source, `oci:${destination}`, {all: true, platform})
        if (keys.length === 0) await assert.rejects(copying, {code: 'PLATFORM_UNSUPPORTED', exitCode: 3}, platform)
        else {
          await copying
          assert.deepEqual(await listed(`oci:${destination}`), wanted, platform)
        }
        // A repository is opened by a tag, and has none that is called latest.
        if (title === 'docker' || isHost) continue
        const reading = inspect(source, {platform})
        if (keys.length === 0) await assert.rejects(reading, {code: 'PLATFORM_UNSUPPORTED'}, platform)
        else if (keys.length > 1) await assert.rejects(reading, {code: 'AMBIGUOUS_SELECTION'}, platform)
        else assert.equal((await reading).imageId, wanted[0], platform)
        const verifying = verify(source, {platform})
        if (keys.length === 0) await assert.rejects(verifying, {code: 'PLATFORM_UNSUPPORTED'}, platform)
        else {
          const {faults, layers} = await verifying
          assert.deepEqual([faults, layers.length], [[], keys.length], platform)
        }
      }
      const platform = 'windows/amd64'
      const place = fresh()
      const planned = await planFromSource(source, `oci:${place}-{imageId}`, {folder: folder.path, platform})
      assert.deepEqual([planned.plan.items.length, planned.plan.defaults?.options], [2, {platform}])
      const file = fresh('.yaml')
      writeFileSync(file, planned.yaml)
      const {totals} = await runBatch(file, {environment: {}})
      assert.deepEqual([totals.converted, totals.failed], [2, 0])
    }).timeout(180_000)
  }

  it('leaves the name to the only image that fits, and takes it from those that share it', async () => {
    for (const title of ['oci, a tag', 'docker, a tag']) {
      const names = async (platform: string) => {
        const destination = fresh()
        await convert(sources[title]!, `oci:${destination}`, {all: true, platform})
        return (await list(`oci:${destination}`)).items.flatMap((item) =>
          item.names.filter((name) => name.endsWith(':1')),
        )
      }
      assert.equal((await names('linux/arm64')).length, 1, title)
      assert.equal((await names('windows/amd64')).length, 0, title)
    }
  })

  it('holds for packages and transport layouts, which have nothing to choose from', async () => {
    const repository = 'inbox:samples/repository'
    const all = (await list(repository)).items.length
    assert.equal((await list(repository, {platform: 'windows'})).items.length, all)
    assert.equal((await list(repository, {platform: 'linux/amd64'})).items.length, 0)
    for (const work of [
      inspect(`${repository}:Shop`, {platform: 'linux/amd64'}),
      verify(repository, {platform: 'windows/arm64'}),
      verify(`${repository}:Shop`, {platform: 'windows/arm64'}),
      convert(repository, `oci:${fresh()}`, {all: true, platform: 'linux'}),
    ])
      await assert.rejects(work, {code: 'PLATFORM_UNSUPPORTED'})
    assert.deepEqual((await verify(`${repository}:Shop`, {platform: 'windows/amd64'})).faults, [])
    const layout = `layout:${fresh()}`
    await convert('docker-archive:samples/shop.tar', layout, {layers: 'squash', osLayers: 0})
    assert.equal((await inspect(layout, {platform: 'windows/arm64'})).layers.length, 1)
    await assert.rejects(inspect(layout, {platform: 'linux/arm64'}), {code: 'PLATFORM_UNSUPPORTED'})
    await assert.rejects(verify(layout, {platform: 'linux/arm64'}), {code: 'PLATFORM_UNSUPPORTED'})
  })

  it('is a flag of list and batch plan, and must be one', async () => {
    const {stdout} = await runCli(['list', sources['oci']!, '--platform', 'windows/amd64', '--json'])
    assert.equal((JSON.parse(stdout.toString('utf8')) as {items: unknown[]}).items.length, 2)
    const plan = await runCli(['batch', 'plan', sources['oci']!, 'oci:x-{imageId}', '--platform', 'linux/amd64'])
    assert.match(plan.stdout.toString('utf8'), /platform: linux\/amd64/)
    assert.equal((await runCli(['list', sources['oci']!, '--platform', '!'])).code, 2)
  }).timeout(60_000)
})

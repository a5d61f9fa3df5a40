import assert from 'node:assert/strict'
import {existsSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, list, planConversion} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf, type Parts} from '../../helpers/archives.js'
import {startMemoryRegistry, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {runCli} from '../../helpers/run-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe('names beside a destination', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let source = ''
  let registry: MemoryRegistry
  let made = 0

  before(async () => {
    parts = partsOf([await tarOf([['etc/os', 'x'.repeat(5000)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
    registry = await startMemoryRegistry()
  })

  after(() => registry.stop())

  const fresh = () => path.join(folder.path, `made-${made++}`)
  const manifests = (name: string) =>
    [...registry.manifests.keys()].flatMap((key) => (key.startsWith(`${name}:`) ? [key.slice(name.length + 1)] : []))

  for (const {title, destination} of [
    {title: 'docker', destination: () => `docker://${registry.host}/one/named:x`},
    {title: 'oci', destination: () => `oci:${fresh()}:x`},
    {title: 'oci-archive', destination: () => `oci-archive:${fresh()}:x`},
    {title: 'docker-archive', destination: () => `docker-archive:${fresh()}:contoso/shop:x`},
    // Nothing listens at the engine of this reference: it is not even asked.
    {title: 'docker-daemon', destination: () => 'docker-daemon:contoso/shop:x'},
  ])
    it(`are refused where the reference names another: ${title}`, async () => {
      const target = destination()
      const options = {tags: ['contoso/shop:y'], engine: {host: 'tcp://127.0.0.1:1'}}
      const before = registry.seen.length
      for (const work of [convert, planConversion]) {
        await assert.rejects(work(source, target, options), (error: Error & {code: string; exitCode: number}) => {
          assert.deepEqual([error.code, error.exitCode], ['BAD_OPTION', 2])
          assert.match(error.message, /contoso\/shop:y/)
          return true
        })
      }
      assert.equal(registry.seen.length, before)
      if (target.startsWith('oci')) assert.equal(existsSync(target.slice(target.indexOf(':') + 1, -2)), false)
    })

  it('may say what the reference says', async () => {
    const repository = `${registry.host}/same`
    await convert(source, `docker://${repository}:x`, {tags: [`${repository}:x`, 'x']})
    assert.deepEqual(manifests('same'), ['x'])
    for (const [transport, selector] of [
      ['oci', 'x'],
      ['oci-archive', 'contoso/shop:x'],
      ['docker-archive', 'contoso/shop:x'],
    ] as const)
      await convert(source, `${transport}:${fresh()}:${selector}`, {tags: ['docker.io/contoso/shop:x']})
  })

  it('are all pushed to a repository without a tag, and none else', async () => {
    const repository = `${registry.host}/several`
    const tags = ['1.2', `${repository}:1`, 'V1', '1.2']
    const {artifacts} = await convert(source, `docker://${repository}`, {tags})
    assert.deepEqual(manifests('several'), ['1.2', '1', 'V1'])
    assert.equal(artifacts[0]?.reference, `docker://${repository}:1.2`)
    const ids = await Promise.all(
      ['1.2', '1', 'V1'].map(async (tag) => (await list(`docker://${repository}:${tag}`)).items[0]?.imageId),
    )
    assert.deepEqual(ids, [parts.imageId, parts.imageId, parts.imageId])
    await convert(source, `docker://${repository}-2`)
    assert.deepEqual(manifests('several-2'), ['latest'])
  })

  it('of another repository are refused before anything is sent', async () => {
    const before = registry.seen.length
    for (const tag of ['contoso/other:1', `${registry.host}/other:1`, 'no name']) {
      await assert.rejects(convert(source, `docker://${registry.host}/mine`, {tags: ['1', tag]}), {code: 'BAD_OPTION'})
    }
    assert.equal(registry.seen.length, before)
  })

  it('that are none are refused before anything is read', async () => {
    for (const transport of ['oci', 'docker-archive', 'oci-archive'])
      await assert.rejects(convert('docker-archive:/nowhere.tar', `${transport}:${fresh()}`, {tags: ['NO name']}), {
        code: 'BAD_REFERENCE',
      })
  })

  it('say on the command line what to do', async () => {
    const {code, stderr} = await runCli(['convert', source, `oci:${fresh()}:x`, '--tag', 'contoso/shop:y'])
    assert.equal(code, 2)
    assert.match(stderr, /Leave out --tag[^]*Leave the name out[^]*BAD_OPTION/)
  })
})

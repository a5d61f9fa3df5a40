import assert from 'node:assert/strict'
import path from 'node:path'
import {convert, list, planConversion, TransshipError, verify} from '../../src/index.js'
import {partsOf, sha256, tarOf, type Parts} from '../helpers/archives.js'
import {LayoutBuilder, OCI, tagged} from '../helpers/layouts.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('an index of several images', () => {
  const folder = temporaryFolder()
  let registry: MemoryRegistry
  let layout = ''
  let archive = ''
  let images: readonly Parts[] = []
  let made = 0
  let indexDigest = ''

  const fresh = () => path.join(folder.path, `made-${made++}`)
  const idsIn = async (reference: string) => (await list(reference)).items.map(({imageId}) => imageId).sort()
  const ids = () => images.map(({imageId}) => imageId).sort()

  before(async () => {
    images = await Promise.all(
      ['10.0.17763.1', '10.0.20348.1'].map(async (version) =>
        partsOf(
          [
            await tarOf([
              ['Files/', ''],
              ['Files/build.txt', version],
            ]),
          ],
          {'os.version': version},
        ),
      ),
    )
    const builder = new LayoutBuilder()
    const manifests = images.map((parts) => builder.image(parts))
    const index = builder.index(manifests)
    builder.manifests.push({...index, ...tagged('1')}, {...builder.image(images[0]!), ...tagged('single')})
    layout = `oci:${path.join(folder.path, 'multi')}`
    builder.writeFolder(layout.slice(4))
    archive = `docker-archive:${path.join(folder.path, 'both.tar')}`
    await convert(`${layout}:1`, archive, {all: true})
    registry = await startMemoryRegistry()
    for (const [name, bytes] of builder.files) registry.blobs.set(`sha256:${path.basename(name)}`, bytes)
    const put = (key: string, descriptor: Record<string, unknown>) => {
      const digest = String(descriptor['digest'])
      const bytes = builder.files.get(`blobs/sha256/${digest.slice(7)}`)!
      registry.manifests.set(key, {type: String(descriptor['mediaType']), bytes})
      registry.manifests.set(`app@${digest}`, {type: String(descriptor['mediaType']), bytes})
      assert.equal(sha256(bytes), digest.slice(7))
    }
    put('app:1', index)
    indexDigest = String(index['digest'])
    for (const manifest of manifests) put(`app:${String(manifest['digest'])}`, manifest)
    assert.equal(index['mediaType'], OCI.index)
  })

  after(() => registry.stop())

  for (const [title, source] of [
    ['an OCI layout', () => `${layout}:1`],
    ['an image registry', () => `docker://${registry.host}/app:1`],
  ] as const) {
    for (const transport of ['oci', 'oci-archive', 'docker-archive'])
      it(`of ${title} is converted with --all to ${transport}, every image of it`, async () => {
        const target = `${transport}:${fresh()}`
        const {artifacts, losses, exact} = await convert(source(), target, {all: true})
        assert.deepEqual(await idsIn(target), ids())
        assert.deepEqual((await verify(target)).faults, [])
        const isKept = transport !== 'docker-archive'
        assert.deepEqual(
          artifacts.map(({kind}) => kind),
          isKept ? ['image', 'image', 'index'] : ['image', 'image'],
        )
        assert.equal(artifacts[2]?.manifestDigest, isKept ? indexDigest : undefined)
        assert.equal(exact, isKept)
        assert.deepEqual(
          losses.map(({code}) => code),
          isKept ? [] : ['index-left-out'],
        )
        for (const [index, version] of ['10.0.17763', '10.0.20348'].entries()) {
          const one = `docker-archive:${fresh()}`
          const platform = `windows(${version})/amd64`
          if (isKept) {
            await convert(target, one, {platform})
            assert.deepEqual(await idsIn(one), [images[index]?.imageId])
          }
        }
      })

    for (const [option, why] of [
      [{compression: 'gzip'}, /--compression/],
      [{manifestFormat: 'docker'}, /--manifest-format/],
      [{platform: 'windows/amd64'}, /--platform/],
    ] as const)
      it(`of ${title} loses its index where ${Object.keys(option)[0]} makes it another`, async () => {
        const {losses, artifacts, exact} = await convert(source(), `oci:${fresh()}`, {all: true, ...option})
        assert.deepEqual([losses.map(({code}) => code), artifacts.length, exact], [['index-left-out'], 2, false])
        assert.match(losses[0]?.message ?? '', why)
      })

    it(`of ${title} is refused without --all, and under --strict where it is lost`, async () => {
      await assert.rejects(convert(source(), `oci:${fresh()}`), {code: 'AMBIGUOUS_SELECTION'})
      const strict = {all: true, strict: true}
      await assert.rejects(convert(source(), `docker-archive:${fresh()}`, strict), {code: 'LOSS_REFUSED'})
    })
  }

  for (const [title, source] of [
    ['an OCI layout', () => `${layout}:1`],
    ['an image registry', () => `docker://${registry.host}/app:1`],
    ['an archive', () => archive],
  ] as const) {
    for (const {platform, index} of [
      {platform: 'windows/amd64:10.0.17763.1', index: 0},
      {platform: 'windows/amd64:10.0.17763', index: 0},
      {platform: 'windows(10.0.20348)/amd64', index: 1},
      {platform: 'windows(10.0.20348.1)', index: 1},
    ])
      it(`of ${title} gives the image for ${platform}`, async () => {
        const {artifacts} = await convert(source(), `oci:${fresh()}`, {platform})
        assert.equal(artifacts[0]?.imageId, images[index]?.imageId)
      })

    for (const platform of ['windows/arm64', 'linux/amd64', 'windows(10.0.26100)/amd64', 'windows/amd64:10.0.1776'])
      it(`of ${title} is told to have no image for ${platform}, and for which it has some`, async () => {
        await assert.rejects(convert(source(), `oci:${fresh()}`, {platform}), (error: Error) => {
          assert.ok(error instanceof TransshipError)
          const {code, exitCode, why, suggestions} = error
          assert.deepEqual([code, exitCode], ['PLATFORM_UNSUPPORTED', 3])
          assert.equal(why, 'Available: windows(10.0.17763.1)/amd64, windows(10.0.20348.1)/amd64.')
          assert.equal(suggestions.length, 2)
          return true
        })
      })

    it(`of ${title} is not asked for what is no platform`, async () => {
      for (const platform of ['windows amd64', 'windows/amd64:x', ''])
        await assert.rejects(convert(source(), `oci:${fresh()}`, {platform}), {code: 'BAD_OPTION', exitCode: 2})
    })
  }

  it('may be one of one: then --all changes nothing', async () => {
    const target = `oci:${fresh()}:1`
    const {losses, artifacts} = await convert(`${layout}:single`, target, {all: true})
    assert.deepEqual([losses, artifacts.length], [[], 1])
    assert.deepEqual(await idsIn(target), [images[0]?.imageId])
  })

  for (const destination of [
    () => `docker://${registry.host}/out`,
    () => `docker://${registry.host}/out:1`,
    () => `oci:${fresh()}:1`,
    () => `docker-archive:${fresh()}:app:1`,
  ])
    it(`is refused by a destination of one image before anything is sent: ${destination.toString().slice(7, 24)}`, async () => {
      const before = registry.seen.length
      for (const work of [convert, planConversion])
        await assert.rejects(work(archive, destination(), {all: true}), {code: 'BAD_REFERENCE', exitCode: 2})
      await assert.rejects(convert(layout, destination(), {all: true}), {code: 'BAD_REFERENCE'})
      assert.equal(registry.seen.length, before)
    })

  it('is no package: --all with one of a repository is refused', async () => {
    const {code, stderr} = await runCli(['convert', 'inbox:samples/repository:Shop', `oci:${fresh()}`, '--all'])
    assert.equal(code, 2)
    assert.match(stderr, /selects one/)
  })
})

import assert from 'node:assert/strict'
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, verify} from '../../../src/index.js'
import {oci} from '../../../src/transports/oci/oci.js'
import {ociArchive} from '../../../src/transports/oci-archive/oci-archive.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {LayoutBuilder, tagged} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS, BASIC])
const OTHER = partsOf([LINKS])

interface Inspected {
  readonly Digest: string
  readonly Layers: readonly string[]
  readonly Os: string
}

for (const transport of [oci, ociArchive])
  describe(`the destination ${transport.name}`, () => {
    const folder = temporaryFolder()
    let made = 0
    const fresh = () => path.join(folder.path, `out-${made++}`)

    async function saved(parts = PARTS, tag = 'team/app:1'): Promise<string> {
      const file = `${fresh()}.tar`
      writeFileSync(file, await tarOf(classicMembers(parts, [tag])))
      return `docker-archive:${file}`
    }

    for (const options of [
      {},
      {compression: 'gzip'},
      {compression: 'gzip', manifestFormat: 'docker'},
      {manifestFormat: 'oci', compression: 'none'},
    ] as const)
      it(`writes an image with ${JSON.stringify(options)}, its ID unchanged, and reads it back`, async () => {
        const target = `${transport.name}:${fresh()}`
        const report = await convert(await saved(), target, options)
        const [artifact] = report.artifacts
        assert.ok(artifact?.kind === 'image')
        assert.equal(artifact.imageId, PARTS.imageId)
        assert.deepEqual(
          artifact.layers.map(({diffId}) => diffId),
          PARTS.diffIds,
        )
        const reference = transport.parse(target.slice(transport.name.length + 1))
        const image = await transport.open({...reference, selector: '1'}, {})
        assert.deepEqual(image.names, ['docker.io/team/app:1'])
        assert.equal(image.manifest?.digest, artifact.manifestDigest)
        const family = 'manifestFormat' in options ? options.manifestFormat : 'oci'
        assert.equal(image.manifest?.mediaType.includes('docker'), family === 'docker')
        await image.close()
        assert.deepEqual((await transport.verify(reference, {})).faults, [])
      })

    it('writes the same bytes each time', async () => {
      const source = await saved()
      const [one, two] = [fresh(), fresh()]
      await convert(source, `${transport.name}:${one}`)
      await convert(source, `${transport.name}:${two}`)
      const read = (place: string) =>
        transport.name === 'oci'
          ? readdirSync(place, {recursive: true}).map(String).sort()
          : readFileSync(place).toString('base64')
      assert.deepEqual(read(one), read(two))
    })

    it("keeps a manifest of Docker's form, tells so, and writes OCI's where asked for", async () => {
      const docker = `${transport.name}:${fresh()}:1`
      const made = await convert(await saved(), docker, {compression: 'gzip', manifestFormat: 'docker'})
      assert.deepEqual(made.notes, [])
      const kept = await convert(docker, `${transport.name}:${fresh()}:1`)
      const [artifact, source] = [kept.artifacts[0], made.artifacts[0]]
      assert.ok(artifact?.kind === 'image' && source?.kind === 'image')
      assert.equal(artifact.manifestDigest, source.manifestDigest)
      assert.deepEqual(
        kept.notes.map(({code}) => code),
        ['docker-manifest-kept'],
      )
      const target = `${transport.name}:${fresh()}:1`
      assert.deepEqual((await convert(docker, target, {manifestFormat: 'oci'})).notes, [])
      assert.deepEqual((await verify(target)).faults, [])
    })

    it('passes manifests and configurations on byte for byte', async () => {
      const builder = new LayoutBuilder()
      const manifest = builder.image(PARTS, {manifest: {annotations: {kept: 'yes'}}})
      builder.manifests.push({...manifest, ...tagged('1')})
      const source = fresh()
      builder.writeFolder(source)
      const report = await convert(`oci:${source}:1`, `${transport.name}:${fresh()}:2`)
      const [artifact] = report.artifacts
      assert.ok(artifact?.kind === 'image')
      assert.equal(artifact.manifestDigest, manifest['digest'])
      assert.equal(report.exact, true)
    })

    it('is read by skopeo, under the tag that was given', async function () {
      requireTool(this, 'skopeo')
      const target = `${transport.name}:${fresh()}:v1`
      const report = await convert(await saved(), target, {compression: 'gzip'})
      const [artifact] = report.artifacts
      assert.ok(artifact?.kind === 'image')
      const seen = JSON.parse(runTool('skopeo', ['inspect', '--override-os', 'windows', target])) as Inspected
      assert.equal(seen.Digest, artifact.manifestDigest)
      assert.equal(seen.Os, 'windows')
      const copied = fresh()
      runTool('skopeo', ['copy', '--override-os', 'windows', target, `docker-archive:${copied}:team/app:1`])
      const back = await convert(`docker-archive:${copied}`, `${transport.name}:${fresh()}`)
      const [second] = back.artifacts
      assert.ok(second?.kind === 'image')
      assert.equal(second.imageId, PARTS.imageId)
    })

    it('reads what skopeo writes', async function () {
      requireTool(this, 'skopeo')
      const target = fresh()
      const made = `${transport.name}:${target}:team-tag`
      // From docker-archive skopeo writes a configuration of its own; from oci it passes on what is there.
      const plain = `oci:${fresh()}:plain`
      await convert(await saved(), plain)
      runTool('skopeo', ['copy', '--override-os', 'windows', plain, made])
      const reference = transport.parse(target)
      const [item] = await transport.list(reference, {})
      assert.equal(item?.imageId, PARTS.imageId)
      assert.deepEqual((await transport.verify(reference, {})).faults, [])
    })

    it('leaves nothing behind when a layer is damaged', async () => {
      const broken = Buffer.from(LINKS)
      broken[700]! ^= 1
      const source = await saved({...PARTS, layers: [BASIC, broken, BASIC]})
      const before = readdirSync(folder.path)
      await assert.rejects(convert(source, `${transport.name}:${fresh()}`), {code: 'DIGEST_MISMATCH'})
      assert.deepEqual(readdirSync(folder.path), before)
    })

    it('takes several images, and tells apart two with one tag', async () => {
      const target = fresh()
      const reference = transport.parse(target)
      const destination = await transport.create(reference, {})
      assert.equal(destination.holds, 'images')
      const {dockerArchive} = await import('../../../src/transports/docker-archive/docker-archive.js')
      for (const source of [await saved(), await saved(OTHER, 'other/web:1')]) {
        const image = await dockerArchive.open(dockerArchive.parse(source.slice(15)), {})
        await destination.write({...image, config: () => image.config!}, {})
        await image.close()
      }
      await destination.commit({})
      const items = await transport.list(reference, {})
      assert.deepEqual(
        items.map(({reference: own}) => own),
        ['1', 'docker.io/other/web:1'].map((selector) => transport.format({...reference, selector})),
      )
      assert.deepEqual((await transport.verify(reference, {})).faults, [])
    })

    it('refuses a digest as destination, and what exists', async () => {
      const digest = `${fresh()}@${PARTS.imageId}`
      await assert.rejects(transport.create(transport.parse(digest), {}), {code: 'BAD_REFERENCE'})
      const taken = fresh()
      if (transport.name === 'oci') {
        mkdirSync(taken)
        writeFileSync(path.join(taken, 'mine.txt'), '')
      } else writeFileSync(taken, '')
      await assert.rejects(transport.create(transport.parse(taken), {}), {code: 'DESTINATION_EXISTS'})
    })
  })

describe('an OCI layout that is added to', () => {
  const folder = temporaryFolder()

  async function saved(parts: typeof PARTS, tag: string): Promise<string> {
    const file = path.join(folder.path, `${tag.replace(/\W/g, '-')}.tar`)
    writeFileSync(file, await tarOf(classicMembers(parts, [tag])))
    return `docker-archive:${file}`
  }

  it('keeps what it holds, refuses a taken tag, and lets it go over with --replace', async () => {
    const root = path.join(folder.path, 'layout')
    mkdirSync(root)
    await convert(await saved(PARTS, 'app:1'), `oci:${root}`)
    await convert(await saved(OTHER, 'app:2'), `oci:${root}`)
    const before = readFileSync(path.join(root, 'index.json'))
    await assert.rejects(convert(await saved(OTHER, 'app:3'), `oci:${root}:1`), {code: 'DESTINATION_EXISTS'})
    assert.ok(readFileSync(path.join(root, 'index.json')).equals(before))
    assert.equal((await oci.list(oci.parse(root), {})).length, 2)
    await convert(await saved(OTHER, 'app:3'), `oci:${root}:1`, {replace: true})
    const items = await oci.list(oci.parse(root), {})
    assert.deepEqual(
      items.map(({imageId}) => imageId),
      [OTHER.imageId],
    )
    assert.deepEqual(readdirSync(root).sort(), ['blobs', 'index.json', 'oci-layout'])
  })

  it('is held by one writer at a time, and cleaned of what a killed one left', async () => {
    const root = path.join(folder.path, 'shared')
    await convert(await saved(PARTS, 'app:4'), `oci:${root}`)
    mkdirSync(path.join(root, '.tmp-0123456789ab'))
    writeFileSync(
      path.join(root, '.lock'),
      JSON.stringify({pid: process.pid, host: (await import('node:os')).hostname()}),
    )
    await assert.rejects(convert(await saved(OTHER, 'app:5'), `oci:${root}`), {code: 'LOCKED'})
    writeFileSync(
      path.join(root, '.lock'),
      JSON.stringify({pid: 2 ** 22 + 1, host: (await import('node:os')).hostname()}),
    )
    await convert(await saved(OTHER, 'app:5'), `oci:${root}`)
    assert.equal(existsSync(path.join(root, '.tmp-0123456789ab')), false)
  })

  it('is read and unpacked by umoci, and read back when umoci has changed it', async function () {
    requireTool(this, 'umoci')
    const root = path.join(folder.path, 'umoci')
    await convert(await saved(PARTS, 'app:1'), `oci:${root}`, {compression: 'gzip'})
    const stat = JSON.parse(runTool('umoci', ['stat', '--image', `${root}:1`, '--json'])) as {history: unknown[]}
    assert.equal(stat.history.length, PARTS.layers.length)
    cpSync(root, `${root}-2`, {recursive: true})
    runTool('umoci', ['config', '--image', `${root}-2:1`, '--tag', '2', '--config.label', 'a=b'])
    runTool('umoci', ['gc', '--layout', `${root}-2`])
    const items = await oci.list(oci.parse(`${root}-2`), {})
    assert.equal(items.length, 2)
    assert.deepEqual((await oci.verify(oci.parse(`${root}-2`), {})).faults, [])
  })
})

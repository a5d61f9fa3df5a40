import assert from 'node:assert/strict'
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import type {Image, Layer} from '../../../src/model/image.js'
import {dockerArchive} from '../../../src/transports/docker-archive/docker-archive.js'
import type {DestinationOptions, ImageArtifact, ImageDestination, ImageDraft} from '../../../src/model/transport.js'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  partsOf,
  tarOf,
  v1Members,
  type Member,
} from '../../helpers/archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {collect} from '../../helpers/bytes.js'
import {findTool, requireTool, runTool} from '../../helpers/tools.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const EVERYTHING = gunzipSync(readFileSync('test/vectors/everything/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS, EVERYTHING, BASIC])

function draftOf(image: Image, names = image.names): ImageDraft {
  return {
    names,
    platform: image.platform,
    layers: image.layers,
    config: () => image.config!,
    ...(image.manifest === undefined ? {} : {manifest: image.manifest}),
  }
}

/** As if the layer came from a package: entries alone. */
function bare({blob: _blob, diffId: _diffId, ...layer}: Layer): Layer {
  return layer
}

describe('the destination docker-archive', () => {
  const folder = temporaryFolder()
  let made = 0

  function fresh(): string {
    return path.join(folder.path, `${made++}.tar`)
  }

  async function opened(members: readonly Member[]): Promise<Image> {
    const file = fresh()
    writeFileSync(file, await tarOf(members))
    return dockerArchive.open(dockerArchive.parse(file), {})
  }

  async function create(location: string, options: DestinationOptions = {}): Promise<ImageDestination> {
    const destination = await dockerArchive.create(dockerArchive.parse(location), options)
    assert.equal(destination.holds, 'images')
    return destination
  }

  async function write(file: string, draft: ImageDraft, options: DestinationOptions = {}): Promise<ImageArtifact> {
    const destination = await create(file, options)
    try {
      const artifact = await destination.write(draft, {})
      assert.equal(existsSync(file), false)
      await destination.commit({})
      return artifact
    } catch (error) {
      await destination.abort()
      throw error
    }
  }

  for (const archiveFormat of ['hybrid', 'docker', 'v1'] as const) {
    for (const [source, members] of [
      ['Docker 1.10', classicMembers(PARTS)],
      ['crane', craneMembers(PARTS)],
      ['containerd', hybridMembers(PARTS, {compressed: true})],
      ['Docker before 1.10', v1Members(PARTS)],
    ] as const)
      for (const passes of [true, false])
        it(`writes ${archiveFormat} from ${source}, layers ${passes ? 'passed on' : 'encoded anew'}, and reads it back`, async () => {
          const image = await opened(members)
          const draft = draftOf(image)
          const target = fresh()
          const layers = passes ? image.layers : image.layers.map(bare)
          const artifact = await write(target, {...draft, layers}, {archiveFormat})
          assert.deepEqual(
            artifact.layers.map((layer) => layer.diffId),
            PARTS.diffIds,
          )
          assert.ok(artifact.layers.every((layer) => layer.entries! > 0))
          const back = await dockerArchive.open(dockerArchive.parse(target), {})
          assert.deepEqual(back.names, ['app:1'])
          assert.deepEqual(
            back.layers.map((layer) => layer.diffId),
            PARTS.diffIds,
          )
          if (archiveFormat !== 'v1') assert.deepEqual(back.config!.bytes, Buffer.from(image.config!.bytes))
          if (passes && image.manifest !== undefined && archiveFormat === 'hybrid') {
            assert.equal(artifact.manifestDigest, image.manifest.digest)
          }
          for (const [index, layer] of back.layers.entries()) {
            const stored = await collect(layer.blob!.open())
            const plain = layer.blob!.compression === 'gzip' ? gunzipSync(stored) : stored
            assert.ok(plain.equals(PARTS.layers[index]!))
          }
          await back.close()
          await image.close()
          assert.deepEqual((await dockerArchive.verify(dockerArchive.parse(target), {})).faults, [])
        })

    it(`writes ${archiveFormat} with the same bytes each time, equal layers once`, async () => {
      const image = await opened(classicMembers(PARTS))
      const [one, two] = [fresh(), fresh()]
      await write(one, draftOf(image), {archiveFormat})
      await write(two, {...draftOf(image), layers: image.layers.map(bare)}, {archiveFormat})
      await image.close()
      const bytes = readFileSync(one)
      assert.ok(bytes.equals(readFileSync(two)))
      assert.equal(bytes.indexOf(BASIC.subarray(0, 4096)), bytes.lastIndexOf(BASIC.subarray(0, 4096)))
    })
  }

  it('packs layers anew where another compression is asked for, the image ID unchanged', async () => {
    const image = await opened(classicMembers(PARTS))
    const target = fresh()
    const artifact = await write(target, draftOf(image), {compression: 'gzip', compressionLevel: 9})
    assert.equal(artifact.imageId, PARTS.imageId)
    assert.ok(artifact.layers.every((layer) => layer.mediaType.endsWith('+gzip')))
    const docker = await write(fresh(), draftOf(image), {compression: 'gzip', manifestFormat: 'docker'})
    assert.ok(docker.layers.every((layer) => layer.mediaType.endsWith('.diff.tar.gzip')))
    await image.close()
    assert.deepEqual((await dockerArchive.verify(dockerArchive.parse(target), {})).faults, [])
  })

  it('holds several images in one archive, what they share once', async () => {
    const first = await opened(classicMembers(PARTS))
    const second = await opened(hybridMembers(partsOf([BASIC, LINKS]), {tag: 'other:2'}))
    const target = fresh()
    const destination = await create(target)
    await destination.write(draftOf(first), {})
    const artifact = await destination.write(draftOf(second), {})
    assert.ok(artifact.bytesWritten < 10_000)
    await destination.commit({})
    await first.close()
    await second.close()
    const items = await dockerArchive.list(dockerArchive.parse(target), {})
    assert.deepEqual(
      items.map((item) => item.names),
      [['app:1'], ['other:2']],
    )
    assert.deepEqual((await dockerArchive.verify(dockerArchive.parse(target), {})).faults, [])
  })

  it('refuses one name for two images, an index as destination, and names that are none', async () => {
    const first = await opened(classicMembers(PARTS))
    const second = await opened(classicMembers(partsOf([BASIC])))
    const target = fresh()
    const destination = await create(target)
    await destination.write(draftOf(first), {})
    await assert.rejects(destination.write(draftOf(second), {}), {code: 'BAD_REFERENCE'})
    await destination.abort()
    // A source may have such names, and they are kept; nobody is to be given one.
    await assert.rejects(create(fresh(), {names: ['UPPER:1']}), {code: 'BAD_REFERENCE'})
    await assert.rejects(create(`${target}:@0`), {code: 'BAD_REFERENCE'})
    await assert.rejects(create(target, {archiveFormat: 'v1', compression: 'gzip'}), {code: 'BAD_OPTION'})
    await assert.rejects(write(fresh(), draftOf(first, []), {archiveFormat: 'v1'}), {code: 'FORMAT_UNSUPPORTED'})
    await first.close()
    await second.close()
  })

  it('takes the name from the reference', async () => {
    const image = await opened(classicMembers(PARTS))
    const target = fresh()
    const destination = await create(`${target}:registry.example:5000/team/app:2`)
    await destination.write(draftOf(image), {})
    await destination.commit({})
    await image.close()
    const [item] = await dockerArchive.list(dockerArchive.parse(target), {})
    assert.deepEqual(item?.names, ['registry.example:5000/team/app:2'])
  })

  it('leaves nothing behind when a layer is damaged, and does not touch what exists', async () => {
    const parts = {...PARTS, layers: [BASIC, Buffer.from(LINKS), EVERYTHING, BASIC]}
    parts.layers[1]![700] = parts.layers[1]![700]! ^ 1
    const image = await opened(classicMembers(parts))
    const target = fresh()
    const destination = await create(target)
    await assert.rejects(destination.write(draftOf(image), {}), {code: 'DIGEST_MISMATCH'})
    await destination.abort()
    await image.close()
    assert.deepEqual(
      readdirSync(folder.path).filter((name) => name.includes('.tmp-')),
      [],
    )
    writeFileSync(target, 'mine')
    await assert.rejects(create(target), {code: 'DESTINATION_EXISTS'})
    const sound = await opened(classicMembers(PARTS))
    const replacing = await create(target, {replace: true})
    await replacing.write(draftOf(sound), {})
    assert.equal(readFileSync(target, 'utf8'), 'mine')
    await replacing.commit({})
    await sound.close()
    assert.ok(await dockerArchive.recognises(target))
  })

  it('tells that the form v1 keeps no image ID', async () => {
    const image = await opened(classicMembers(PARTS))
    const destination = await create(fresh(), {archiveFormat: 'v1'})
    const losses: string[] = []
    await destination.write(draftOf(image), {
      onEvent: (event) => {
        if (event.kind === 'loss') losses.push(event.code)
      },
    })
    await destination.abort()
    await image.close()
    assert.deepEqual(losses, ['image-id'])
  })

  it('does not overwrite what appeared while it wrote', async () => {
    const image = await opened(classicMembers(PARTS))
    const target = fresh()
    const destination = await create(target)
    await destination.write(draftOf(image), {})
    writeFileSync(target, 'theirs')
    await assert.rejects(destination.commit({}), {code: 'DESTINATION_EXISTS'})
    await destination.abort()
    await image.close()
    assert.equal(readFileSync(target, 'utf8'), 'theirs')
  })

  describe('and other tools', () => {
    for (const archiveFormat of ['hybrid', 'docker'] as const)
      for (const compression of archiveFormat === 'hybrid' ? (['none', 'gzip'] as const) : (['none'] as const)) {
        it(`skopeo reads and copies ${archiveFormat} with layers ${compression}`, async function () {
          requireTool(this, 'skopeo')
          const image = await opened(hybridMembers(PARTS))
          const target = fresh()
          await write(target, draftOf(image), {archiveFormat, compression})
          await image.close()
          const platform = ['--override-os', 'windows', '--override-arch', 'amd64']
          const inspected = JSON.parse(
            runTool('skopeo', [...platform, 'inspect', '--config', '--raw', `docker-archive:${target}`]),
          ) as {rootfs: {diff_ids: string[]}}
          assert.deepEqual(inspected.rootfs.diff_ids, PARTS.diffIds)
          runTool('skopeo', [
            ...platform,
            '--insecure-policy',
            'copy',
            '-q',
            `docker-archive:${target}`,
            `oci:${fresh()}:x`,
          ])
        })

        if (archiveFormat !== 'hybrid') continue
        it(`skopeo reads the OCI layout of ${archiveFormat} with layers ${compression}`, async function () {
          requireTool(this, 'skopeo')
          const image = await opened(hybridMembers(PARTS))
          const target = fresh()
          await write(target, draftOf(image), {archiveFormat, compression})
          await image.close()
          const out = runTool('skopeo', ['inspect', '--raw', `oci-archive:${target}`])
          const manifest = JSON.parse(out) as {layers: unknown[]}
          assert.equal(manifest.layers.length, 4)
        })
      }

    it('skopeo’s own archive comes back with the same image ID', async function () {
      requireTool(this, 'skopeo')
      const image = await opened(hybridMembers(PARTS))
      const [ours, theirs, back] = [fresh(), fresh(), fresh()]
      await write(ours, draftOf(image))
      await image.close()
      runTool('skopeo', ['--insecure-policy', 'copy', '-q', `docker-archive:${ours}`, `docker-archive:${theirs}:app:1`])
      const read = await dockerArchive.open(dockerArchive.parse(theirs), {})
      const artifact = await write(back, draftOf(read))
      await read.close()
      assert.equal(artifact.imageId, PARTS.imageId)
      assert.deepEqual((await dockerArchive.verify(dockerArchive.parse(theirs), {})).faults, [])
    })

    it('podman loads what was written of a Linux image and saves what is read back', async function () {
      requireTool(this, 'podman')
      const tree = await tarOf([
        ['bin/', ''],
        ['bin/hello', 'hello'],
        ['link', {link: 'bin/hello'}],
      ])
      const linux = partsOf([tree], {os: 'linux', 'os.version': undefined})
      const store = path.join(folder.path, 'podman')
      const podman = ['--root', store, '--runroot', `${store}-run`, '--storage-driver', 'vfs']
      try {
        runTool('podman', [...podman, 'info'])
      } catch (error) {
        console.error(`    SKIPPED, podman does not run here: ${String(error)}`)
        this.skip()
      }
      for (const [archiveFormat, compression] of [
        ['hybrid', 'gzip'],
        ['docker', 'none'],
      ] as const) {
        const image = await opened(classicMembers(linux, ['team/app:3']))
        const [target, saved] = [fresh(), fresh()]
        await write(target, draftOf(image), {archiveFormat, compression})
        await image.close()
        runTool('podman', [...podman, 'load', '-q', '-i', target])
        runTool('podman', [...podman, 'save', '-q', '-o', saved, 'team/app:3'])
        const [item] = await dockerArchive.list(dockerArchive.parse(saved), {})
        assert.equal(item?.imageId, linux.imageId)
        assert.deepEqual((await dockerArchive.verify(dockerArchive.parse(saved), {})).faults, [])
        runTool('podman', [...podman, 'rmi', '-a', '-f'])
      }
    })

    it('GNU tar lists every form', async function () {
      requireTool(this, findTool('tar') === undefined ? 'gtar' : 'tar')
      const image = await opened(hybridMembers(PARTS))
      for (const archiveFormat of ['hybrid', 'docker', 'v1'] as const) {
        const target = fresh()
        await write(target, draftOf(image), {archiveFormat})
        assert.ok(runTool('tar', ['-tvf', target]).includes(archiveFormat === 'hybrid' ? 'index.json' : 'repositories'))
      }
      await image.close()
    })
  })
})

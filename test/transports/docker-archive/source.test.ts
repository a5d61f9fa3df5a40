import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import type {Image} from '../../../src/model/image.js'
import {dockerArchive} from '../../../src/transports/docker-archive/docker-archive.js'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  partsOf,
  podmanMembers,
  tarOf,
  v1Members,
  type Member,
} from '../../helpers/archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {collect} from '../../helpers/bytes.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS, BASIC])

const SHAPES: readonly {name: string; members: Member[]; exact: boolean; note: string}[] = [
  {name: 'Docker 1.10 to 24', members: classicMembers(PARTS), exact: true, note: 'links joined with a backslash'},
  {name: 'podman and skopeo', members: podmanMembers(PARTS), exact: true, note: 'layers at the root'},
  {name: 'crane', members: craneMembers(PARTS), exact: true, note: 'colon in a name, gzip layers'},
  {name: 'Docker 25', members: hybridMembers(PARTS), exact: true, note: 'plain blobs'},
  {name: 'containerd', members: hybridMembers(PARTS, {compressed: true}), exact: true, note: 'gzip blobs'},
  {
    name: 'containerd without manifest.json',
    members: hybridMembers(PARTS, {compressed: true, withManifestJson: false}),
    exact: true,
    note: 'index.json alone',
  },
  {name: 'Docker before 1.10', members: v1Members(PARTS), exact: false, note: 'no configuration of its own'},
]

async function entriesOf(image: Image): Promise<number[]> {
  const counts: number[] = []
  for (const layer of image.layers) {
    let count = 0
    for await (const entry of layer.entries()) if (entry.kind !== 'frame') count++
    counts.push(count)
  }
  return counts
}

describe('the source docker-archive', () => {
  const folder = temporaryFolder()
  let made = 0

  async function archive(members: readonly Member[]): Promise<string> {
    return fileOf(await tarOf(members))
  }

  function fileOf(bytes: Buffer): string {
    const file = path.join(folder.path, `${made++}.tar`)
    writeFileSync(file, bytes)
    return file
  }

  async function opened(file: string, selector?: string): Promise<Image> {
    return dockerArchive.open(dockerArchive.parse(selector === undefined ? file : `${file}:${selector}`), {})
  }

  for (const {name, members, exact, note} of SHAPES) {
    it(`reads what ${name} saves: ${note}`, async () => {
      const file = await archive(members)
      assert.ok((await dockerArchive.recognises(file)) || name.includes('without'))
      const image = await opened(file)
      try {
        assert.deepEqual(
          image.names.map((full) => full.replace('docker.io/library/', '')),
          ['app:1'],
        )
        assert.deepEqual(
          image.layers.map((layer) => layer.diffId),
          PARTS.diffIds,
        )
        assert.equal(image.platform.os, 'windows')
        if (exact) assert.equal(Buffer.from(image.config!.bytes).toString(), PARTS.config)
        for (const [index, layer] of image.layers.entries()) {
          const stored = await collect(layer.blob!.open())
          const plain = layer.blob!.compression === 'gzip' ? gunzipSync(stored) : stored
          assert.ok(plain.equals(PARTS.layers[index]!))
        }
        const counts = await entriesOf(image)
        assert.ok(counts.every((count) => count > 0))
        assert.equal(counts[0], counts[2])
        assert.deepEqual(image.warnings, [])
      } finally {
        await image.close()
      }
      const [item] = await dockerArchive.list(dockerArchive.parse(file), {})
      assert.equal(item?.layers, 3)
      if (exact) assert.equal(item.imageId, PARTS.imageId)
      const again = await dockerArchive.open(dockerArchive.parse(item.reference.slice('docker-archive:'.length)), {})
      await again.close()
      const verdict = await dockerArchive.verify(dockerArchive.parse(file), {})
      assert.deepEqual(verdict.faults, [])
      assert.ok(verdict.layers.length >= 2)
    })
  }

  for (const [name, compressed] of [['gzip', gzipSync(BASIC)]] as const)
    it(`reads an archive that is ${name} as a whole, and removes the temporary file`, async () => {
      assert.ok(compressed.length > 0)
      const file = fileOf(gzipSync(await tarOf(classicMembers(PARTS))))
      assert.ok(await dockerArchive.recognises(file))
      const image = await opened(file)
      assert.deepEqual(
        image.layers.map((layer) => layer.diffId),
        PARTS.diffIds,
      )
      assert.ok((await entriesOf(image))[0]! > 0)
      await image.close()
    })

  it('makes the configuration of a v1 archive as Docker did, markup escaped', async () => {
    const image = await opened(await archive(v1Members(PARTS)))
    const config = Buffer.from(image.config!.bytes).toString()
    await image.close()
    assert.ok(config.includes('step \\u003c0\\u003e'))
    const json = JSON.parse(config) as {rootfs: unknown; history: unknown[]}
    assert.deepEqual(Object.keys(json), ['architecture', 'container_config', 'created', 'history', 'os', 'rootfs'])
    assert.deepEqual(json.rootfs, {type: 'layers', diff_ids: PARTS.diffIds})
    assert.equal(json.history.length, 3)
  })

  it('wants a selector where there are several images, and takes a name or an index', async () => {
    const other = partsOf([LINKS])
    const first = classicMembers(PARTS)
    const second = classicMembers(other, [])
    const items = [first, second].flatMap((members) => JSON.parse(members.at(-1)![1] as string) as unknown[])
    const file = await archive([
      ...first.slice(0, -1),
      ...second.slice(0, -1),
      ['manifest.json', JSON.stringify(items)],
    ])
    await assert.rejects(opened(file), (error: Error & {code: string; suggestions: string[]}) => {
      assert.equal(error.code, 'AMBIGUOUS_SELECTION')
      assert.equal(error.suggestions.length, 2)
      return true
    })
    for (const [selector, imageId] of [
      ['app:1', PARTS.imageId],
      ['docker.io/library/app:1', PARTS.imageId],
      ['@1', other.imageId],
    ] as const) {
      const image = await opened(file, selector)
      assert.equal(image.layers.length, imageId === PARTS.imageId ? 3 : 1)
      await image.close()
    }
    await assert.rejects(opened(file, 'app:2'), {code: 'NOT_FOUND'})
    const listed = await dockerArchive.list(dockerArchive.parse(file), {})
    assert.deepEqual(
      listed.map((item) => item.reference),
      [`docker-archive:${file}:app:1`, `docker-archive:${file}:@1`],
    )
  })

  it('reads keys of manifest.json in any case, as Go does', async () => {
    const members = classicMembers(PARTS)
    const manifest = (members.at(-1)![1] as string).replace('Config', 'config').replace('RepoTags', 'REPOTAGS')
    const image = await opened(await archive([...members.slice(0, -1), ['manifest.json', manifest]]))
    assert.deepEqual(image.names, ['app:1'])
    await image.close()
  })

  it('keeps a foreign layer by name and URL', async () => {
    const members = hybridMembers(PARTS, {withManifestJson: true})
    const without = members.filter(([name]) => !name.endsWith(PARTS.diffIds[0]!.slice(7)))
    const source = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: `sha256:${'0'.repeat(64)}`,
      size: 5,
      urls: ['https://example.com/base'],
    }
    const patched = without.map(([name, body]): Member => {
      if (name !== 'manifest.json') return [name, body]
      const [item] = JSON.parse(body as string) as object[]
      return [name, JSON.stringify([{...item, LayerSources: {[PARTS.diffIds[0]!]: source}}])]
    })
    // The manifest blob of this archive does not call the layer foreign; the classic part of it does.
    const file = await archive(patched.filter(([name]) => name !== 'oci-layout'))
    const image = await opened(file)
    assert.deepEqual(
      image.layers.map((layer) => layer.hasContent),
      [false, true, false],
    )
    assert.deepEqual(image.layers[0]!.blob!.descriptor.urls, ['https://example.com/base'])
    assert.throws(() => image.layers[0]!.blob!.open(), {code: 'LAYER_MISSING'})
    await image.close()
  })

  it('warns when manifest.json and index.json mean different images by one name', async () => {
    const real = hybridMembers(PARTS)
    const other = hybridMembers(partsOf([LINKS]))
    const forged = other.find(([name]) => name === 'index.json')!
    const blobs = other.filter(([name]) => name.startsWith('blobs/sha256/') && !real.some(([taken]) => taken === name))
    const file = await archive([...real.filter(([name]) => name !== 'index.json'), ...blobs, forged])
    const image = await opened(file)
    assert.deepEqual(
      image.warnings.map((warning) => warning.code),
      ['archive-contradictory'],
    )
    await image.close()
    const verdict = await dockerArchive.verify(dockerArchive.parse(file), {})
    assert.ok(verdict.faults.some((fault) => fault.code === 'ARCHIVE_CONTRADICTORY'))
  })

  it('tells an early Windows base image, a tar of one transport layout, from an archive of images', async () => {
    const file = fileOf(BASIC)
    assert.equal(await dockerArchive.recognises(file), false)
    await assert.rejects(opened(file), (error: Error & {code: string}) => {
      assert.equal(error.code, 'UNRECOGNISED_FORMAT')
      assert.match(error.message, /transport layout/)
      return true
    })
  })
})

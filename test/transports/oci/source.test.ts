import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {convert, list, verify} from '../../../src/index.js'
import {dockerArchive} from '../../../src/transports/docker-archive/docker-archive.js'
import {oci} from '../../../src/transports/oci/oci.js'
import {ociArchive} from '../../../src/transports/oci-archive/oci-archive.js'
import {hybridMembers, partsOf, sha256, tarOf} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {findTool, runTool} from '../../helpers/tools.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS])

describe('the source oci', () => {
  const folder = temporaryFolder()
  let made = 0

  /** The same layout in both of its places. */
  async function placesOf(builder: LayoutBuilder): Promise<readonly (readonly [typeof oci, string])[]> {
    const root = path.join(folder.path, `layout-${made++}`)
    builder.writeFolder(root)
    await builder.writeTar(`${root}.tar`)
    return [
      [oci, root],
      [ociArchive, `${root}.tar`],
    ]
  }

  async function refuses(
    builder: LayoutBuilder,
    code: string,
    location = '',
    options: {platform?: string} = {},
  ): Promise<void> {
    for (const [transport, place] of await placesOf(builder)) {
      const opening = transport.open(transport.parse(`${place}${location}`), options)
      await assert.rejects(
        opening.then(async (image) => {
          try {
            for (const layer of image.layers) await collect(layer.blob!.open())
          } finally {
            await image.close()
          }
        }),
        {code},
      )
    }
  }

  for (const {location, path: place, selector, note} of [
    {location: '/a/b', path: '/a/b', selector: undefined, note: 'a folder alone'},
    {location: '/a/b:1.0', path: '/a/b', selector: '1.0', note: 'a tag'},
    {location: 'C:\\a', path: 'C:\\a', selector: undefined, note: 'a drive is no tag'},
    {location: 'C:/a:1', path: 'C:/a', selector: '1', note: 'a tag behind a drive'},
    {location: 'a:host:5000/x/y:1', path: 'a', selector: 'host:5000/x/y:1', note: 'a whole name'},
    {location: `a@sha256:${'0'.repeat(64)}`, path: 'a', selector: `@sha256:${'0'.repeat(64)}`, note: 'a digest'},
    {location: 'a@b', path: 'a@b', selector: undefined, note: 'an @ in a path'},
  ])
    it(`parses ${location}: ${note}`, () => {
      const reference = oci.parse(location)
      assert.deepEqual([reference.path, reference.selector], [place, selector])
      assert.equal(oci.format(reference), `oci:${location}`)
    })

  it('refuses locations without a path, and tags that are none', () => {
    for (const location of ['', ':tag', 'a:', 'a: b']) assert.throws(() => oci.parse(location), {code: 'BAD_REFERENCE'})
  })

  it('opens, lists and verifies an image, its digests and names as stated', async () => {
    const builder = new LayoutBuilder()
    builder.manifests.push({...builder.image(PARTS), ...tagged('1.0')})
    for (const [transport, place] of await placesOf(builder)) {
      const image = await transport.open(transport.parse(`${place}:1.0`), {})
      assert.equal(image.names.length, 1)
      assert.match(image.names[0]!, /^layout-\d+:1\.0$/)
      assert.equal(`sha256:${sha256(Buffer.from(image.config!.bytes))}`, PARTS.imageId)
      for (const [index, layer] of image.layers.entries()) {
        assert.ok((await collect(layer.blob!.open())).equals(PARTS.layers[index]!))
      }
      await image.close()
      const [item] = await transport.list(transport.parse(place), {})
      assert.equal(item?.imageId, PARTS.imageId)
      assert.equal(item.reference, transport.format(transport.parse(`${place}:1.0`)))
      assert.deepEqual((await transport.verify(transport.parse(place), {})).faults, [])
    }
  })

  it('lists every tag of an image, also one beside its full names, and in a folder whose name can be no repository', async () => {
    const builder = new LayoutBuilder()
    const image = builder.image(PARTS)
    const named = {...tagged('1').annotations, 'io.containerd.image.name': 'docker.io/team/app:1'}
    builder.manifests.push({...image, annotations: named}, {...image, ...tagged('later')}, {...image, ...tagged('1')})
    const plain = new LayoutBuilder()
    plain.manifests.push(...['a', 'b'].map((tag) => ({...plain.image(PARTS), ...tagged(tag)})))
    for (const [transport, place] of await placesOf(builder)) {
      const [item, ...others] = await transport.list(transport.parse(place), {})
      const base = path.basename(place, '.tar')
      assert.deepEqual([item?.names, others], [['docker.io/team/app:1', `${base}:later`], []])
    }
    const odd = path.join(folder.path, `Not a name (${made++})`)
    plain.writeFolder(odd)
    const [item] = await oci.list(oci.parse(odd), {})
    assert.deepEqual([item?.reference, item?.names], [`oci:${odd}:a`, ['b']])
  })

  it('follows nested indexes, and picks by platform, version, digest', async () => {
    const builder = new LayoutBuilder()
    const images = ['10.0.17763.100', '10.0.20348.2113'].map((version) =>
      builder.image(partsOf([BASIC], {'os.version': version}), {
        more: {platform: {os: 'windows', architecture: 'amd64', 'os.version': version}},
      }),
    )
    const linux = builder.image(partsOf([BASIC], {os: 'linux', 'os.version': ''}))
    const attestation = builder.image(partsOf([BASIC], {os: 'unknown', architecture: 'unknown'}), {
      more: {
        platform: {os: 'unknown', architecture: 'unknown'},
        annotations: {'vnd.docker.reference.type': 'attestation-manifest'},
      },
    })
    const inner = builder.index([...images, attestation])
    builder.manifests.push({...builder.index([inner, linux]), ...tagged('all')})
    for (const [transport, place] of await placesOf(builder)) {
      assert.equal((await transport.list(transport.parse(place), {})).length, 3)
      await assert.rejects(transport.open(transport.parse(place), {}), {code: 'AMBIGUOUS_SELECTION'})
      for (const [platform, version] of [
        ['windows(10.0.17763)/amd64', '10.0.17763.100'],
        ['windows/amd64:10.0.20348', '10.0.20348.2113'],
        ['linux', undefined],
      ] as const) {
        const image = await transport.open(transport.parse(`${place}:all`), {platform})
        assert.equal(image.platform.osVersion, version)
        await image.close()
      }
      const byDigest = await transport.open(transport.parse(`${place}@${String(images[0]!['digest'])}`), {})
      assert.equal(byDigest.platform.osVersion, '10.0.17763.100')
      await byDigest.close()
      await assert.rejects(transport.open(transport.parse(place), {platform: 'windows/arm64'}), {
        code: 'PLATFORM_UNSUPPORTED',
      })
      await assert.rejects(transport.open(transport.parse(place), {platform: '!'}), {code: 'BAD_OPTION'})
      assert.deepEqual((await transport.verify(transport.parse(place), {})).faults, [])
    }
  })

  it('takes the one Windows image of an index that has others', async () => {
    const builder = new LayoutBuilder()
    builder.manifests.push(builder.image(partsOf([BASIC], {os: 'linux'})), builder.image(PARTS))
    for (const [transport, place] of await placesOf(builder)) {
      const image = await transport.open(transport.parse(place), {})
      assert.equal(image.platform.os, 'windows')
      await image.close()
    }
  })

  it('tells of foreign layers that are not held, and passes their descriptors on', async () => {
    const builder = new LayoutBuilder()
    const urls = ['https://example.test/base']
    const foreign = descriptorOf('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', gzipSync(BASIC), {urls})
    builder.manifests.push(builder.image(PARTS, {layers: [foreign, builder.blob(OCI.layer, LINKS)]}))
    for (const [transport, place] of await placesOf(builder)) {
      const image = await transport.open(transport.parse(place), {})
      assert.deepEqual(
        image.warnings.map(({code}) => code),
        ['layer-not-held'],
      )
      assert.equal(image.layers[0]!.hasContent, false)
      assert.deepEqual(image.layers[0]!.blob!.descriptor.urls, urls)
      await image.close()
      assert.deepEqual((await transport.verify(transport.parse(place), {})).faults, [])
    }
  })

  it('reads what descriptors carry in data', async () => {
    const builder = new LayoutBuilder()
    const config = descriptorOf(OCI.config, PARTS.config, {data: Buffer.from(PARTS.config).toString('base64')})
    const manifest = builder.image(PARTS, {manifest: {config}})
    builder.files.delete(`blobs/sha256/${PARTS.imageId.slice(7)}`)
    builder.manifests.push(manifest)
    for (const [transport, place] of await placesOf(builder)) {
      await (await transport.open(transport.parse(place), {})).close()
    }
  })

  it('refuses data that does not fit its descriptor', async () => {
    const builder = new LayoutBuilder()
    const config = descriptorOf(OCI.config, PARTS.config, {data: Buffer.from(`${PARTS.config} `).toString('base64')})
    builder.manifests.push(builder.image(PARTS, {manifest: {config}}))
    await refuses(builder, 'SIZE_MISMATCH')
    const other = new LayoutBuilder()
    const data = Buffer.from(PARTS.config.replace('amd64', 'arm64')).toString('base64')
    other.manifests.push(other.image(PARTS, {manifest: {config: descriptorOf(OCI.config, PARTS.config, {data})}}))
    await refuses(other, 'DIGEST_MISMATCH')
  })

  for (const [type, note] of [
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'an encrypted layer'],
    ['application/vnd.erofs.layer.v1', 'a file system image'],
  ] as const)
    it(`refuses ${note}, and says what it is`, async () => {
      const builder = new LayoutBuilder()
      builder.manifests.push(builder.image(PARTS, {layers: PARTS.layers.map((layer) => builder.blob(type, layer))}))
      await refuses(builder, 'FORMAT_UNSUPPORTED')
    })

  it('refuses an artifact, a manifest that is an index as well, and one of another type than stated', async () => {
    const artifact = new LayoutBuilder()
    const empty = artifact.blob('application/vnd.oci.empty.v1+json', '{}')
    artifact.manifests.push(artifact.image(PARTS, {manifest: {config: empty, artifactType: 'text/spam'}}))
    await refuses(artifact, 'FORMAT_UNSUPPORTED')
    const both = new LayoutBuilder()
    both.manifests.push(both.image(PARTS, {manifest: {manifests: []}}))
    await refuses(both, 'MANIFEST_INVALID')
    const other = new LayoutBuilder()
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
    other.manifests.push(other.image(PARTS, {manifest: {mediaType}}))
    await refuses(other, 'MANIFEST_INVALID')
  })

  it('finds every altered blob, on reading and on verifying', async () => {
    const plain = new LayoutBuilder()
    plain.manifests.push(plain.image(PARTS))
    for (const name of plain.files.keys()) {
      const builder = new LayoutBuilder()
      builder.manifests.push(builder.image(PARTS))
      const bytes = Buffer.from(builder.files.get(name)!)
      bytes[bytes.length >> 1]! ^= 1
      builder.files.set(name, bytes)
      await refuses(builder, 'DIGEST_MISMATCH')
      for (const [transport, place] of await placesOf(builder)) {
        const {faults} = await transport.verify(transport.parse(place), {})
        assert.ok(
          faults.some(({code}) => code === 'DIGEST_MISMATCH'),
          name,
        )
      }
    }
  })

  it('verifies that layers are there, unless they are foreign', async () => {
    const builder = new LayoutBuilder()
    builder.manifests.push(builder.image(PARTS))
    builder.files.delete(`blobs/sha256/${sha256(BASIC)}`)
    await refuses(builder, 'LAYER_MISSING')
    for (const [transport, place] of await placesOf(builder)) {
      const {faults} = await transport.verify(transport.parse(place), {})
      assert.deepEqual(
        faults.map(({code}) => code),
        ['LAYER_MISSING'],
      )
    }
  })

  it('recognises its own by content, and leaves what docker save makes to docker-archive', async () => {
    const hybrid = path.join(folder.path, 'hybrid.tar')
    writeFileSync(hybrid, await tarOf(hybridMembers(PARTS)))
    assert.equal(await ociArchive.recognises(hybrid), false)
    assert.equal(await dockerArchive.recognises(hybrid), true)
    const builder = new LayoutBuilder()
    builder.manifests.push(builder.image(PARTS))
    const [[, root], [, tar]] = (await placesOf(builder)) as [
      readonly [typeof oci, string],
      readonly [typeof oci, string],
    ]
    writeFileSync(`${tar}.gz`, gzipSync(readFileSync(tar)))
    assert.deepEqual(await Promise.all([oci.recognises(root), oci.recognises(tar)]), [true, false])
    for (const file of [tar, `${tar}.gz`]) {
      assert.deepEqual(await Promise.all([ociArchive.recognises(file), dockerArchive.recognises(file)]), [true, false])
    }
    assert.equal(await ociArchive.recognises(root), false)
    await (await ociArchive.open(ociArchive.parse(`${tar}.gz`), {})).close()
  })

  it('reads layers compressed with zstd', async function () {
    if (findTool('zstd') === undefined) this.skip()
    const raw = path.join(folder.path, 'layer.tar')
    writeFileSync(raw, BASIC)
    runTool('zstd', ['-q', '-f', raw])
    const parts = partsOf([BASIC])
    const builder = new LayoutBuilder()
    const layer = builder.blob(`${OCI.layer}+zstd`, readFileSync(`${raw}.zst`))
    builder.manifests.push(builder.image(parts, {layers: [layer]}))
    for (const [transport, place] of await placesOf(builder)) {
      assert.deepEqual((await transport.verify(transport.parse(place), {})).faults, [])
    }
  })

  it('tells of an image whose manifest is not there: a fault for verify, a note for list and --all', async () => {
    const builder = new LayoutBuilder()
    const [kept, lost] = [builder.image(PARTS), builder.image(partsOf([BASIC]))]
    builder.manifests.push({...kept, ...tagged('kept')}, {...lost, ...tagged('lost')})
    builder.files.delete(`blobs/sha256/${String(lost['digest']).slice(7)}`)
    for (const [transport, place] of await placesOf(builder)) {
      const text = `${transport.name}:${place}`
      const {faults} = await verify(text)
      assert.deepEqual(
        faults.map(({code, subject}) => ({code, subject})),
        [{code: 'MANIFEST_MISSING', subject: 'lost'}],
      )
      assert.equal((await verify(`${text}:kept`)).faults.length, 0)
      assert.equal((await verify(`${text}:lost`)).faults.length, 1)
      const notes: string[] = []
      const {items} = await list(text, {
        onEvent: (event) => {
          if (event.kind === 'note') notes.push(`${event.code} ${event.subject}`)
        },
      })
      assert.equal(items.length, 1)
      assert.deepEqual(notes, ['image-not-held lost'])
      const report = await convert(text, `oci:${place}-all`, {all: true})
      assert.ok(report.notes.some(({code, subject}) => code === 'image-not-held' && subject === 'lost'))
    }
  })

  for (const {type, bytes, faults, note} of [
    {
      type: `${OCI.layer}+gzip`,
      bytes: BASIC,
      faults: ['MANIFEST_INVALID'],
      note: 'plain bytes that are said to be packed',
    },
    {type: `${OCI.layer}+zstd`, bytes: gzipSync(BASIC), faults: ['MANIFEST_INVALID'], note: 'packed in another way'},
    {type: `${OCI.layer}+gzip`, bytes: gzipSync(BASIC), faults: [], note: 'as it says'},
    {type: OCI.layer, bytes: gzipSync(BASIC), faults: [], note: 'the plain type is believed of nothing'},
  ])
    it(`${faults.length === 0 ? 'finds nothing wrong with' : 'finds'} a layer of the type ${type}: ${note}`, async () => {
      const builder = new LayoutBuilder()
      builder.manifests.push(builder.image(partsOf([BASIC]), {layers: [builder.blob(type, bytes)]}))
      for (const [transport, place] of await placesOf(builder))
        assert.deepEqual(
          (await verify(`${transport.name}:${place}`)).faults.map(({code}) => code),
          faults,
        )
    })
})

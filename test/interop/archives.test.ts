import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/index.js'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  podmanMembers,
  tarOf,
  v1Members,
  type Parts,
} from '../helpers/archives.js'
import {callBytes, type ContainerHost} from '../helpers/container-host.js'
import {assertExactRoundTrip, topPackage} from '../helpers/round-trip.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runFailing, runTool} from '../helpers/tools.js'
import {compressedBy, diffIdsIn, windowsParts} from '../helpers/windows-images.js'

interface Shape {
  readonly name: string
  readonly make: (parts: Parts) => Promise<Buffer>
  /** The compressor that making it runs. */
  readonly tool?: string
}

function each(parts: Parts, tool: string): Buffer[] {
  return parts.layers.map((layer) => compressedBy(tool, layer))
}

const COMPRESSED = ['gzip', 'zstd', 'bzip2', 'xz'].map((tool): Shape => ({
  name: `Docker, the whole file packed by ${tool}`,
  make: async (parts) => compressedBy(tool, await tarOf(classicMembers(parts))),
  tool,
}))

const SHAPES: readonly Shape[] = [
  {name: 'Docker before 1.10', make: (parts) => tarOf(v1Members(parts))},
  {name: 'Docker 1.10 to 24', make: (parts) => tarOf(classicMembers(parts))},
  {name: 'Docker 25 and later', make: (parts) => tarOf(hybridMembers(parts))},
  {name: 'containerd', make: (parts) => tarOf(hybridMembers(parts, {compressed: true}))},
  {name: 'containerd without manifest.json', make: (parts) => tarOf(hybridMembers(parts, {withManifestJson: false}))},
  {name: 'podman and skopeo', make: (parts) => tarOf(podmanMembers(parts))},
  {name: 'crane', make: (parts) => tarOf(craneMembers(parts))},
  {
    name: 'containerd with zstd layers',
    make: (parts) => tarOf(hybridMembers(parts, {stored: {layers: each(parts, 'zstd'), suffix: '+zstd'}})),
    tool: 'zstd',
  },
  ...['gzip', 'zstd'].map((tool): Shape => ({
    name: `Docker, each layer packed by ${tool}`,
    make: (parts) => tarOf(classicMembers({...parts, layers: each(parts, tool)})),
    tool,
  })),
  ...COMPRESSED,
]

describe('a Windows image in an archive, to packages and back', () => {
  const folder = temporaryFolder()
  let made = 0

  for (const count of [1, 12] as const)
    for (const {name, make, tool} of SHAPES)
      it(`keeps image ID and diffIDs of ${count} ${count === 1 ? 'layer' : 'layers'} as saved by ${name}`, async function () {
        if (tool !== undefined) requireTool(this, tool)
        const parts = await windowsParts(count)
        const stem = path.join(folder.path, `${made++}`)
        writeFileSync(`${stem}.tar`, await make(parts))
        const {imageId, back} = await assertExactRoundTrip(`${stem}.tar`, stem)
        // Before 1.10 there was no configuration, so that the ID is that of the one made for it.
        if (!name.includes('before')) assert.equal(imageId, parts.imageId)
        assert.deepEqual(await diffIdsIn(back), parts.diffIds)
      })
})

describe('an archive made of packages, read by the tools of others', () => {
  const folder = temporaryFolder()
  let host: ContainerHost

  before(async function () {
    this.timeout(120_000)
    for (const tool of ['skopeo', 'podman', 'ctr']) requireTool(this, tool)
    host = await sharedHost(this)
  })

  const made = new Map<string, Promise<string>>()

  function archiveOf(count: 1 | 12, format: 'v1' | 'docker' | 'hybrid'): Promise<string> {
    const archive = made.get(`${format}-${count}`) ?? makeArchive(count, format)
    made.set(`${format}-${count}`, archive)
    return archive
  }

  async function makeArchive(count: 1 | 12, archiveFormat: 'v1' | 'docker' | 'hybrid'): Promise<string> {
    const stem = path.join(folder.path, `${archiveFormat}-${count}`)
    writeFileSync(`${stem}.tar`, await tarOf(hybridMembers(await windowsParts(count), {compressed: true})))
    const there = await convert(`docker-archive:${stem}.tar`, `inbox:${stem}`, {layers: 'chain'})
    await convert(topPackage(there), `docker-archive:${stem}-back.tar`, {archiveFormat})
    return `${stem}-back.tar`
  }

  for (const count of [1, 12] as const)
    for (const format of ['hybrid', 'docker'] as const) {
      const title = `${count} ${count === 1 ? 'layer' : 'layers'} in the form ${format}`

      it(`is inspected and copied by skopeo, which finds image ID and diffIDs: ${title}`, async () => {
        const parts = await windowsParts(count)
        const archive = await archiveOf(count, format)
        const raw = JSON.parse(runTool('skopeo', ['inspect', '--raw', `docker-archive:${archive}`])) as {
          config: {digest: string}
        }
        assert.equal(raw.config.digest, parts.imageId)
        const layout = `${archive}-oci`
        runTool('skopeo', ['copy', '--quiet', '--insecure-policy', `docker-archive:${archive}`, `oci:${layout}:app`])
        for (const reference of [`docker-archive:${archive}`, `oci:${layout}:app`]) {
          const config = JSON.parse(runTool('skopeo', ['inspect', '--config', reference])) as {
            rootfs: {diff_ids: string[]}
          }
          assert.deepEqual(config.rootfs.diff_ids, parts.diffIds, reference)
        }
      })

      it(`is loaded by Podman, layers unpacked, the image ID the same: ${title}`, async () => {
        const parts = await windowsParts(count)
        const said = runTool('podman', [...host.podmanStore, 'load', '--input', await archiveOf(count, format)])
        const name = /Loaded image: (.*)/.exec(said)?.[1] ?? ''
        const id = runTool('podman', [...host.podmanStore, 'image', 'inspect', '--format', '{{.Id}}', name])
        assert.equal(`sha256:${id.trim()}`, parts.imageId)
      })

      it(`is imported by containerd without unpacking, every blob checked: ${title}`, async () => {
        const parts = await windowsParts(count)
        const ctr = ['--address', host.containerdSocket, '--namespace', `${format}-${count}`]
        const archive = await archiveOf(count, format)
        runTool('ctr', [...ctr, 'images', 'import', '--all-platforms', '--no-unpack', archive])
        const content = runTool('ctr', [...ctr, 'content', 'list', '--quiet'])
        assert.ok(content.split('\n').includes(parts.imageId))
      })

      it(`is refused by a Docker engine of Linux for its operating system alone: ${title}`, async () => {
        const archive = readFileSync(await archiveOf(count, format))
        const loading = callBytes(host.dockerSocket, 'POST', '/images/load', archive, 'application/x-tar')
        const said = await loading.then(
          (answer) => answer.toString('utf8'),
          (error: unknown) => String(error),
        )
        assert.match(said, /cannot load windows image on linux/)
      })
    }

  it('is refused by containerd’s unpacking on Linux, as any image of Windows is', async () => {
    const ctr = ['--address', host.containerdSocket, '--namespace', 'unpacking']
    assert.match(
      runFailing('ctr', [...ctr, 'images', 'import', await archiveOf(1, 'hybrid')]),
      /image might be filtered out/,
    )
  })

  it('is known in the form v1 to Docker alone: skopeo, Podman and containerd say what they miss', async () => {
    const archive = await archiveOf(1, 'v1')
    assert.match(runFailing('skopeo', ['inspect', `docker-archive:${archive}`]), /manifest\.json: file does not exist/)
    assert.match(
      runFailing('podman', [...host.podmanStore, 'load', '--input', archive]),
      /manifest\.json: file does not exist/,
    )
    const ctr = ['--address', host.containerdSocket, '--namespace', 'v1', 'images', 'import', '--no-unpack', archive]
    assert.match(runFailing('ctr', ctr), /unrecognized image format/)
  })
})

import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {convert, inspect, verify} from '../../src/index.js'
import type {ConvertReport} from '../../src/convert/report.js'
import {hybridMembers, partsOf, sha256, tarOf, type Parts} from '../helpers/archives.js'
import type {ContainerHost} from '../helpers/container-host.js'
import {startRegistry, type RunningRegistry} from '../helpers/distribution.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {windowsParts} from '../helpers/windows-images.js'

type Pushed = ConvertReport['artifacts'][number]

/** What an image is known by to whoever pulls it. */
interface Known {
  readonly imageId: string | undefined
  readonly manifestDigest: string | undefined
  /** As stored. */
  readonly layers: readonly string[]
}

const IMAGES = ['windows', 'linux'] as const

describe('images that other tools pull from a registry that we pushed to, and the reverse', () => {
  const folder = temporaryFolder()
  const archives = new Map<string, string>()
  let registry: RunningRegistry
  let host: ContainerHost
  let made = 0

  before(async function () {
    this.timeout(120_000)
    for (const tool of ['docker-registry', 'skopeo', 'podman', 'ctr']) requireTool(this, tool)
    registry = await startRegistry(path.join(folder.path, 'registry'))
    host = await sharedHost(this)
    const linux = partsOf(
      [
        await tarOf([
          ['bin/', ''],
          ['bin/sh', 'sh'],
        ]),
        await tarOf([['etc/os', 'x']]),
      ],
      {
        os: 'linux',
        'os.version': undefined,
      },
    )
    const all: readonly (readonly [(typeof IMAGES)[number], Parts])[] = [
      ['windows', await windowsParts(12)],
      ['linux', linux],
    ]
    for (const [os, parts] of all) {
      const file = path.join(folder.path, `${os}.tar`)
      const stored = {layers: parts.layers.map((layer) => gzipSync(layer)), suffix: '+gzip'}
      writeFileSync(file, await tarOf(hybridMembers(parts, {stored})))
      archives.set(os, file)
    }
  })

  after(async () => {
    await (registry as RunningRegistry | undefined)?.stop()
  })

  const fresh = (os: string) => `${registry.host}/test/${os}-${made++}:1`
  const scratch = () => path.join(folder.path, `pulled-${made++}`)
  const ctr = (...args: readonly string[]) =>
    runTool('ctr', ['--address', host.containerdSocket, '--namespace', 'image-registry', ...args])
  const skopeo = (os: string, ...args: readonly string[]) =>
    runTool('skopeo', ['--insecure-policy', '--override-os', os, 'copy', '--quiet', ...args])

  async function push(os: string, target: string, options = {}): Promise<Pushed> {
    const [artifact] = (await convert(`docker-archive:${archives.get(os) ?? ''}`, target, options)).artifacts
    assert.ok(artifact?.kind === 'image')
    return artifact
  }

  /** What we find behind a reference, every digest checked. */
  async function found(reference: string): Promise<Known> {
    assert.deepEqual((await verify(reference)).faults, [])
    const pulled = `oci:${scratch()}`
    const [artifact] = (await convert(reference, pulled)).artifacts
    assert.ok(artifact?.kind === 'image')
    assert.deepEqual((await verify(pulled)).faults, [])
    return known(artifact)
  }

  function known({imageId, manifestDigest, layers}: Pushed): Known {
    return {imageId, manifestDigest, layers: layers.map(({digest}) => digest)}
  }

  for (const os of IMAGES)
    for (const manifestFormat of ['oci', 'docker'] as const) {
      it(`skopeo pulls our ${os} image with its ${manifestFormat} manifest and every digest`, async () => {
        const name = fresh(os)
        const pushed = await push(os, `docker://${name}`, {manifestFormat})
        const pulled = scratch()
        skopeo(os, '--src-tls-verify=false', '--preserve-digests', `docker://${name}`, `dir:${pulled}`)
        const raw = runTool('skopeo', ['inspect', '--raw', `dir:${pulled}`])
        assert.equal(`sha256:${sha256(raw)}`, pushed.manifestDigest)
        const manifest = JSON.parse(raw) as {config: {digest: string}; layers: {digest: string}[]}
        assert.equal(manifest.config.digest, pushed.imageId)
        assert.deepEqual(
          manifest.layers.map(({digest}) => digest),
          pushed.layers.map(({digest}) => digest),
        )
      })

      it(`Podman pulls our ${os} image with its ${manifestFormat} manifest under its image ID`, async () => {
        const name = fresh(os)
        const pushed = await push(os, `docker://${name}`, {manifestFormat})
        const place = ['--tls-verify=false', '--os', os, '--arch', 'amd64', '--quiet']
        const id = runTool('podman', [...host.podmanStore, 'pull', ...place, name]).trim()
        assert.equal(`sha256:${id}`, pushed.imageId)
      })

      it(`containerd pulls our ${os} image with its ${manifestFormat} manifest, every blob checked`, async () => {
        const name = fresh(os)
        const pushed = await push(os, `docker://${name}`, {manifestFormat})
        ctr('content', 'fetch', '--plain-http', '--platform', `${os}/amd64`, name)
        const held = new Set(ctr('content', 'list', '--quiet').split('\n'))
        for (const digest of [pushed.manifestDigest, pushed.imageId, ...pushed.layers.map((layer) => layer.digest)]) {
          assert.ok(held.has(digest ?? ''), digest)
        }
        const [row] = ctr('images', 'list', `name==${name}`).split('\n').slice(1)
        assert.ok(row?.includes(pushed.manifestDigest ?? ''), row)
      })
    }

  it('containerd unpacks what it pulled of ours, each layer held against its diffID', async () => {
    const name = fresh('linux')
    await push('linux', `docker://${name}`)
    ctr('images', 'pull', '--plain-http', '--snapshotter', 'native', '--platform', 'linux/amd64', name)
  })

  for (const os of IMAGES) {
    for (const format of ['oci', 'v2s2'] as const)
      it(`we pull the ${os} image that skopeo pushed as ${format}`, async () => {
        const name = fresh(os)
        const source = archives.get(os) ?? ''
        skopeo(os, '--dest-tls-verify=false', '--format', format, `docker-archive:${source}`, `docker://${name}`)
        const inspected = runTool('skopeo', [
          '--override-os',
          os,
          'inspect',
          '--tls-verify=false',
          '--raw',
          `docker://${name}`,
        ])
        const manifest = JSON.parse(inspected) as {config: {digest: string}; layers: {digest: string}[]}
        assert.deepEqual(await found(`docker://${name}`), {
          imageId: manifest.config.digest,
          manifestDigest: `sha256:${sha256(inspected)}`,
          layers: manifest.layers.map(({digest}) => digest),
        })
        // Towards an OCI manifest skopeo writes the configuration anew.
        if (format === 'v2s2') {
          assert.equal(manifest.config.digest, (await inspect(`docker-archive:${source}`)).imageId)
        }
      })

    it(`we pull the ${os} image that Podman pushed`, async () => {
      const name = fresh(os)
      const said = runTool('podman', [...host.podmanStore, 'load', '--input', archives.get(os) ?? ''])
      const local = /Loaded image: (.*)/.exec(said)?.[1] ?? ''
      runTool('podman', [...host.podmanStore, 'push', '--quiet', '--tls-verify=false', local, name])
      const {imageId} = await found(`docker://${name}`)
      const diffIds = runTool('podman', [
        ...host.podmanStore,
        'image',
        'inspect',
        '--format',
        '{{json .RootFS.Layers}}',
        local,
      ])
      const image = await inspect(`docker://${name}`)
      assert.deepEqual(
        image.layers.map(({diffId}) => diffId),
        JSON.parse(diffIds),
      )
      assert.equal(image.imageId, imageId)
    })

    it(`we pull the ${os} image that containerd pushed`, async () => {
      const [name, again] = [fresh(os), fresh(os)]
      const pushed = await push(os, `docker://${name}`)
      ctr('content', 'fetch', '--plain-http', '--platform', `${os}/amd64`, name)
      ctr('images', 'tag', name, again)
      ctr('images', 'push', '--plain-http', '--platform', `${os}/amd64`, again)
      assert.deepEqual(await found(`docker://${again}`), known(pushed))
    })
  }
})

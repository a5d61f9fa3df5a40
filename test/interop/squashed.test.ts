import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, verify} from '../../src/index.js'
import {hybridMembers, tarOf} from '../helpers/archives.js'
import type {ContainerHost} from '../helpers/container-host.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {windowsParts} from '../helpers/windows-images.js'

describe('a squashed image, loaded by the tools of others', () => {
  const folder = temporaryFolder()
  let host: ContainerHost
  let archive = ''
  let imageId = ''

  before(async function () {
    this.timeout(120_000)
    for (const tool of ['skopeo', 'podman', 'ctr']) requireTool(this, tool)
    host = await sharedHost(this)
    const source = path.join(folder.path, 'source.tar')
    archive = path.join(folder.path, 'squashed.tar')
    writeFileSync(source, await tarOf(hybridMembers(await windowsParts(12))))
    await convert(`docker-archive:${source}`, `docker-archive:${archive}`, {layers: 'squash'})
    imageId = (await inspect(`docker-archive:${archive}`)).imageId ?? ''
  })

  it('is sound, and has one layer above that of the operating system', async () => {
    assert.deepEqual((await verify(`docker-archive:${archive}`)).faults, [])
    assert.equal((await inspect(`docker-archive:${archive}`)).layers.length, 2)
  })

  it('is copied by skopeo, which checks every digest', () => {
    const layout = `oci:${path.join(folder.path, 'oci')}:app`
    runTool('skopeo', ['copy', '--quiet', '--insecure-policy', `docker-archive:${archive}`, layout])
    const config = JSON.parse(runTool('skopeo', ['inspect', '--config', layout])) as {rootfs: {diff_ids: string[]}}
    assert.equal(config.rootfs.diff_ids.length, 2)
  })

  it('is loaded by Podman, layers unpacked, under its image ID', () => {
    const said = runTool('podman', [...host.podmanStore, 'load', '--input', archive])
    const name = /Loaded image: (.*)/.exec(said)?.[1] ?? ''
    const id = runTool('podman', [...host.podmanStore, 'image', 'inspect', '--format', '{{.Id}}', name])
    assert.equal(`sha256:${id.trim()}`, imageId)
  })

  it('is imported by containerd, every blob checked', () => {
    const ctr = ['--address', host.containerdSocket, '--namespace', 'squashed']
    runTool('ctr', [...ctr, 'images', 'import', '--all-platforms', '--no-unpack', archive])
    assert.ok(
      runTool('ctr', [...ctr, 'content', 'list', '--quiet'])
        .split('\n')
        .includes(imageId),
    )
  })
})

import assert from 'node:assert/strict'
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, verify} from '../../src/index.js'
import type {RawDocument} from '../../src/model/image.js'
import {dockerArchive} from '../../src/transports/docker-archive/docker-archive.js'
import {sha256} from '../helpers/archives.js'
import {collect} from '../helpers/bytes.js'
import {callBytes, TEST_IMAGE, type ContainerHost} from '../helpers/container-host.js'
import {runJson} from '../helpers/run-cli.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Everything of an image that has a digest: the configuration and each layer as stored. */
async function digestsIn(archive: string): Promise<{config: string; layers: string[]}> {
  const image = await dockerArchive.open(dockerArchive.parse(archive), {})
  try {
    const config: RawDocument = image.config!
    const layers: string[] = []
    for (const {blob} of image.layers) layers.push(sha256(await collect(blob!.open())))
    return {config: sha256(Buffer.from(config.bytes)), layers}
  } finally {
    await image.close()
  }
}

describe('a Linux image that a real Docker engine saved', () => {
  const folder = temporaryFolder()
  let host: ContainerHost

  before(async function () {
    this.timeout(120_000)
    host = await sharedHost(this)
  })

  for (const archiveFormat of ['hybrid', 'docker'] as const)
    for (const load of ['Docker', 'Podman'] as const)
      it(`passes as ${archiveFormat} with every blob unchanged, and ${load} loads it under the same ID`, async () => {
        const target = path.join(folder.path, `${archiveFormat}-${load}.tar`)
        const report = await convert(`docker-archive:${host.savedImage}`, `docker-archive:${target}`, {archiveFormat})
        assert.deepEqual([report.exact, report.losses], [true, []])
        assert.deepEqual(await digestsIn(target), await digestsIn(host.savedImage))
        assert.deepEqual((await verify(`docker-archive:${target}`)).faults, [])
        const {imageId} = await inspect(`docker-archive:${target}`)
        const socket = load === 'Docker' ? host.dockerSocket : host.podmanSocket
        await callBytes(socket, 'POST', '/images/load', readFileSync(target), 'application/x-tar')
        const answer = await callBytes(socket, 'GET', `/images/${TEST_IMAGE}/json`)
        const {Id: id} = JSON.parse(answer.toString('utf8')) as {Id: string}
        assert.equal(id.replace(/^(sha256:)?/, 'sha256:'), imageId)
      })

  it('is refused towards packages, since they hold Windows payload: exit 3, and nothing is written', async () => {
    const repository = path.join(folder.path, 'packages')
    const result = await runJson(['convert', `docker-archive:${host.savedImage}`, `inbox:${repository}`])
    assert.equal(result.code, 3)
    assert.match(result.stdout.toString('utf8') + result.stderr, /PLATFORM_UNSUPPORTED/)
    assert.equal(existsSync(repository), false)
  })
})

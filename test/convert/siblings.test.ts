import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {convert, inspect, list, verify} from '../../src/index.js'
import {partsOf, sha256, tarOf} from '../helpers/archives.js'
import {descriptorOf, OCI} from '../helpers/layouts.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('Windows images of one index that share layers', () => {
  const folder = temporaryFolder()
  let index = Buffer.alloc(0)

  /** Two builds of Windows, each with its own base and the same layer of an application. */
  before(async () => {
    const root = path.join(folder.path, 'from')
    const blobs = path.join(root, 'blobs', 'sha256')
    mkdirSync(blobs, {recursive: true})
    const put = (type: string, bytes: Buffer | string, more: object = {}) => {
      writeFileSync(path.join(blobs, sha256(bytes)), bytes)
      return descriptorOf(type, bytes, more)
    }
    const shared = await tarOf([
      ['Files/', ''],
      ['Files/app.txt', 'the same'],
      ['Hives/', ''],
    ])
    const manifests: object[] = []
    for (const version of ['10.0.17763.5000', '10.0.20348.2113']) {
      const base = await tarOf([
        ['Files/', ''],
        ['Files/base.txt', version],
        ['Hives/', ''],
      ])
      const parts = partsOf([base, shared], {os: 'windows', 'os.version': version})
      const config = put(OCI.config, parts.config)
      const layers = [base, shared].map((layer) => put(`${OCI.layer}+gzip`, gzipSync(layer)))
      const manifest = JSON.stringify({schemaVersion: 2, mediaType: OCI.manifest, config, layers}, undefined, 2)
      manifests.push(
        put(OCI.manifest, manifest, {platform: {os: 'windows', architecture: 'amd64', 'os.version': version}}),
      )
    }
    index = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: OCI.index, manifests}, undefined, 2))
    const entry = put(OCI.index, index, {annotations: {'org.opencontainers.image.ref.name': '1'}})
    writeFileSync(path.join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(path.join(root, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [entry]}))
  })

  for (const companions of ['documents', 'all'] as const)
    it(`become packages side by side, and come back with their digests: --companions ${companions}`, async () => {
      const source = `oci:${path.join(folder.path, 'from')}`
      const inbox = `inbox:${path.join(folder.path, `packages-${companions}`)}`
      const there = await convert(source, inbox, {
        all: true,
        layers: 'chain',
        companions,
        name: 'App',
        publisher: 'CN=Test',
      })
      assert.deepEqual(there.inexact, [])
      assert.deepEqual((await verify(inbox)).faults, [])
      const digests = async (reference: string) => {
        const {manifestDigest, imageId, layers} = await inspect(reference)
        return [manifestDigest, imageId, layers.map(({digest}) => digest)]
      }
      const images = (await list(source)).items.map(({reference}) => reference)
      const tops = there.artifacts.filter(({identity}) => identity?.includes('_App_') === true)

      assert.equal(tops.length, 2, JSON.stringify(there.artifacts.map(({identity}) => identity)))
      const back: unknown[] = []
      for (const [at, {reference}] of tops.entries()) {
        const report = await convert(reference, `oci:${path.join(folder.path, `back-${companions}-${String(at)}`)}:1`)
        const last = report.artifacts.at(-1)
        if (companions === 'all') assert.equal(last?.manifestDigest, `sha256:${sha256(index)}`)
        for (const {kind, reference: made} of report.artifacts)
          if (kind === 'image') back.push(JSON.stringify(await digests(made)))
      }
      for (const image of images) assert.ok(back.includes(JSON.stringify(await digests(image))), image)
    })
})

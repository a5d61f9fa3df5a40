import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parsePlan} from '../../src/batch/parse-plan.js'
import {list} from '../../src/convert/list.js'
import {digestOf} from '../../src/model/digest.js'
import {tarOf} from '../helpers/archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/*
 * What is listed or planned by the thousand takes time in proportion. A quadratic cost would take minutes here, and the
 * bounds leave a slow machine ten times what a quick one needs.
 */

const CONFIG = (index: number) =>
  Buffer.from(
    JSON.stringify({
      os: 'windows',
      architecture: 'amd64',
      created: String(index),
      rootfs: {type: 'layers', diff_ids: []},
    }),
  )

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

describe('what there are thousands of', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()

  it('is listed in an archive of 8,000 images, each with its name', async () => {
    const count = 8000
    const images = Array.from({length: count}, (_, index) => {
      const bytes = CONFIG(index)
      return {name: `${digestOf(bytes).slice(7)}.json`, bytes, tag: `fleet/app${String(index)}:1`}
    })
    const manifest = images.map(({name, tag}) => ({Config: name, RepoTags: [tag], Layers: []}))
    const file = path.join(folder.path, 'many.tar')
    writeFileSync(
      file,
      await tarOf([
        ...images.map(({name, bytes}) => [name, bytes] as const),
        ['manifest.json', JSON.stringify(manifest)],
      ]),
    )
    const seconds = await secondsOf(async () => {
      const {items} = await list(`docker-archive:${file}`)
      assert.equal(items.length, count)
      assert.ok(items[7]!.reference.endsWith(':fleet/app7:1'), items[7]!.reference)
    })
    assert.ok(seconds < 20, `${seconds.toFixed(1)} s`)
  })

  for (const [title, tags, manifests] of [
    ['20,000 tags of one image', 20_000, 1],
    ['20,000 tags of 2,000 images', 20_000, 2000],
  ] as const)
    it(`is listed in an OCI layout of ${title}`, async () => {
      const root = path.join(folder.path, `oci-${String(manifests)}`)
      const blobs = path.join(root, 'blobs', 'sha256')
      mkdirSync(blobs, {recursive: true})
      const put = (bytes: Buffer) => {
        const digest = digestOf(bytes)
        writeFileSync(path.join(blobs, digest.slice(7)), bytes)
        return {digest, size: bytes.byteLength}
      }
      const entries = Array.from({length: manifests}, (_, index) => {
        const config = {mediaType: 'application/vnd.oci.image.config.v1+json', ...put(CONFIG(index))}
        const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, config, layers: []}))
        return {mediaType: 'application/vnd.oci.image.manifest.v1+json', ...put(bytes)}
      })
      const named = Array.from({length: tags}, (_, index) => ({
        ...entries[index % manifests],
        annotations: {'org.opencontainers.image.ref.name': `v${String(index)}`},
      }))
      writeFileSync(path.join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
      writeFileSync(path.join(root, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: named}))
      const seconds = await secondsOf(async () => {
        const {items} = await list(`oci:${root}`)
        assert.equal(items.length, manifests)
        assert.equal(
          items.reduce((sum, {names}) => sum + names.length, 0),
          tags,
        )
      })
      assert.ok(seconds < 20, `${seconds.toFixed(1)} s`)
    })

  it('is refused at once in a plan whose anchors would be looked up without end', () => {
    const items = Array.from(
      {length: 100_000},
      (_, at) => `- source: &a${String(at)} docker-archive:x\n  destination: *a${String(at)}\n`,
    )
    const text = `items:\n${items.join('')}`
    const started = performance.now()
    assert.throws(
      () => parsePlan(text, {name: 'plan.yaml', environment: {}}),
      (error: {code?: string; message?: string}) => {
        assert.equal(error.code, 'PLAN_INVALID')
        assert.match(error.message ?? '', /more than 2000 aliases.*plan\.yaml:4003:16/s)
        return true
      },
    )
    const seconds = (performance.now() - started) / 1000
    assert.ok(seconds < 60, `${seconds.toFixed(1)} s`)
  })
})

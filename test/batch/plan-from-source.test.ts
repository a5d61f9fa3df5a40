import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {planFromSource} from '../../src/batch/plan-from-source.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert} from '../../src/convert/convert.js'
import {list} from '../../src/convert/list.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('a plan from an image registry', () => {
  const folder = temporaryFolder()
  let registry: MemoryRegistry

  before(async () => {
    registry = await startMemoryRegistry()
    await convert('docker-archive:samples/shop.tar', `docker://${registry.host}/one/app:1.2`)
    const manifests = []
    for (const name of ['Shop', 'WebServer']) {
      const destination = `docker://${registry.host}/many/app:temp`
      const {artifacts} = await convert(`inbox:samples/repository:${name}`, destination, {replace: true})
      const digest = artifacts[0]?.manifestDigest ?? ''
      const {type = '', bytes = Buffer.alloc(0)} = registry.manifests.get(`many/app@${digest}`) ?? {}
      manifests.push({mediaType: type, digest, size: bytes.length, platform: {os: 'windows', architecture: 'amd64'}})
    }
    registry.manifests.delete('many/app:temp')
    const type = 'application/vnd.oci.image.index.v1+json'
    const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: type, manifests}))
    const digest = createHash('sha256').update(bytes).digest('hex')
    for (const key of ['many/app:1', `many/app@sha256:${digest}`]) registry.manifests.set(key, {type, bytes})
  })

  after(() => registry.stop())

  const run = (name: string, text: string) => {
    const file = path.join(folder.path, name)
    writeFileSync(file, text)
    return runBatch(file, {environment: {}})
  }

  it('names the only tag of a repository, and runs', async () => {
    const source = `docker://${registry.host}/one/app`
    const {plan, yaml} = await planFromSource(source, 'oci:one:{tag}', {folder: folder.path})
    assert.equal(plan.items[0]?.source, `${source}:1.2`)
    const {totals} = await run('one.yaml', yaml)
    assert.deepEqual([totals.converted, totals.failed], [1, 0])
    // One that was written by hand names no tag.
    const again = await run('hand.json', JSON.stringify({items: [{source, destination: 'oci:hand:{tag}'}]}))
    assert.deepEqual([again.items[0]?.source, again.totals.converted], [`${source}:1.2`, 1])
    assert.equal((await list(`oci:${folder.path}/hand:1.2`)).items.length, 1)
  })

  it('gives each image of a tag for several platforms a place of its own, or is refused', async () => {
    const source = `docker://${registry.host}/many/app`
    const options = {folder: folder.path}
    for (const destination of ['oci:many:{tag}', 'oci:many:x', `docker://${registry.host}/copy:{tag}`, 'layout:many'])
      await assert.rejects(planFromSource(source, destination, options), (error: Error & {suggestions: string[]}) => {
        assert.match(error.message, /would both go to/)
        assert.match(error.suggestions.join(' '), /\{imageId\}/)
        return true
      })
    const {plan, yaml} = await planFromSource(source, 'oci:many:{tag}-{imageId}', options)
    assert.equal(new Set(plan.items.map(({destination}) => destination)).size, 2)
    const {totals} = await run('many.yaml', yaml)
    assert.deepEqual([totals.converted, totals.failed], [2, 0])
  })

  it('refuses two items that would both be pushed as latest', async () => {
    const items = ['one/app:1.2', 'many/app:1'].map((name) => ({
      source: `docker://${registry.host}/${name}`,
      destination: `docker://${registry.host}/both`,
    }))
    await assert.rejects(run('latest.json', JSON.stringify({items})), {code: 'PLAN_INVALID'})
  })
})

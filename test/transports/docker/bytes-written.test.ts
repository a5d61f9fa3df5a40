import assert from 'node:assert/strict'
import {convert} from '../../../src/index.js'
import {startMemoryRegistry, type MemoryRegistry} from '../../helpers/memory-registry.js'

describe('bytes that a push writes', () => {
  let registry: MemoryRegistry

  beforeEach(async () => {
    registry = await startMemoryRegistry()
  })
  afterEach(async () => {
    await registry.stop()
  })

  for (const concurrency of [1, 3])
    it(`are those of all blobs that were sent, ${String(concurrency)} at once`, async () => {
      const destination = `docker://${registry.host}/contoso/shop:1.2.0`
      const {bytesWritten} = await convert('docker-archive:samples/shop.tar', destination, {concurrency})
      const sent = [...registry.blobs.values()].reduce((sum, {byteLength}) => sum + byteLength, 0)
      assert.ok(registry.blobs.size >= 4)
      assert.equal(bytesWritten, sent)
    })
})

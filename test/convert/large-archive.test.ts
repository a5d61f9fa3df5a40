import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {inspect} from '../../src/convert/inspect.js'
import {list} from '../../src/convert/list.js'
import {writeSparseArchive} from '../helpers/sparse-archive.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const LAYER_BYTES = 5 * 2 ** 30

/** What this process has asked to read so far, also from caches. Source: proc(5), /proc/pid/io. */
function readSoFar(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}

describe('an archive of 10 GiB', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const reference = () => `docker-archive:${path.join(folder.path, 'large.tar')}`

  before(function () {
    if (process.platform !== 'linux') this.skip()
    writeSparseArchive(path.join(folder.path, 'large.tar'), [LAYER_BYTES, LAYER_BYTES])
  })

  for (const [title, read] of [
    ['list', async () => (await list(reference())).items[0]?.sizeBytes],
    ['inspect', async () => (await inspect(reference())).layers.reduce((sum, {size}) => sum + (size ?? 0), 0)],
  ] as const)
    it(`is read by ${title} without the contents of its layers`, async () => {
      const before = readSoFar()
      assert.equal(await read(), 2 * LAYER_BYTES)
      assert.ok(readSoFar() - before < 2 ** 20)
    })
})

import assert from 'node:assert/strict'
import path from 'node:path'
import {measure} from '../../bench/measured.js'
import {writeFixture} from '../../bench/fixture.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const MAIN = path.resolve(import.meta.dirname, '../../../src/main.js')
/** What a part costs beyond its bytes shows with many small ones. */
const FILES = 30_000
const LIMIT_BYTES = 256 * 2 ** 20

describe('a package of many small files', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()

  before(async function () {
    // Elsewhere nothing tells the peak of a process.
    if (process.platform !== 'linux') this.skip()
    await writeFixture(path.join(folder.path, 'image.tar'), {files: FILES, bytes: FILES * 100, layers: 1})
  })

  for (const {title, args} of [
    {title: 'is written', args: ['convert', 'docker-archive:image.tar', 'appx:packages', '--layers', 'chain']},
    {title: 'is verified', args: ['verify', 'appx:packages']},
    {title: 'is read', args: ['convert', 'appx:packages', 'docker-archive:back.tar']},
  ])
    it(`${title} below 256 MiB`, async () => {
      const {peakBytes} = await measure(process.execPath, [MAIN, ...args, '--quiet'], folder.path)
      assert.ok(peakBytes > 0 && peakBytes < LIMIT_BYTES, `${Math.round(peakBytes / 2 ** 20)} MiB`)
    })
})

import assert from 'node:assert/strict'
import {mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs'
import path from 'node:path'
import {convert, type ConvertOptions} from '../../src/index.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = 'docker-archive:samples/shop.tar'
const DATED: ConvertOptions = {sourceDateEpoch: 1_700_000_000}

interface Row {
  readonly title: string
  readonly transport: string
  readonly make: ConvertOptions
  readonly read?: ConvertOptions
}

const ROWS: readonly Row[] = [
  {title: 'a transport layout', transport: 'layout', make: {layers: 'squash', osLayers: 0}},
  {title: 'a repository', transport: 'inbox', make: {layers: 'chain'}},
  {title: 'a repository, squashed', transport: 'inbox', make: {layers: 'chain'}, read: {layers: 'squash'}},
  {title: 'packages as files', transport: 'appx', make: {layers: 'chain'}},
]

describe('where a source lies', () => {
  const folder = temporaryFolder()

  for (const [row, {title, transport, make, read}] of ROWS.entries())
    it(`is not told by the image that it becomes: ${title}`, async () => {
      const here = path.join(folder.path, `${row}`, 'here')
      const elsewhere = path.join(folder.path, `${row}`, 'secret-customer', 'renamed')
      await convert(SHOP, `${transport}:${here}`, make)
      mkdirSync(path.dirname(elsewhere), {recursive: true})
      const images: Buffer[] = []
      for (const source of [here, elsewhere]) {
        if (source === elsewhere) renameSync(here, elsewhere)
        const file = path.join(folder.path, `${row}`, 'image.tar')
        await convert(`${transport}:${source}`, `docker-archive:${file}:app:1`, {...DATED, ...read})
        images.push(readFileSync(file))
        rmSync(file)
      }
      const [one, other] = images
      assert.ok(one !== undefined && other !== undefined)
      // Without an index, the times of a payload are those of the disk, which reading changes.
      if (transport !== 'layout') assert.ok(one.equals(other), 'another image')
      assert.ok(!one.includes(folder.path) && !other.includes('secret-customer'))
    })
})

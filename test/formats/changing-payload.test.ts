import assert from 'node:assert/strict'
import {appendFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import {TransshipError} from '../../src/model/errors.js'
import {resolveReference, transportOf} from '../../src/transports/catalog.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('a payload that changes while it is read', () => {
  const folder = temporaryFolder()
  let ready = ''

  before(async () => {
    ready = path.join(folder.path, 'ready')
    await convert('docker-archive:samples/shop.tar', `inbox:${ready}`, {layers: 'chain'})
  })

  /** Reads the lowest package below another one, and changes one of its files after the first entry. */
  async function readChanging(change: ((file: string) => void) | undefined): Promise<number> {
    const root = path.join(folder.path, 'root')
    rmSync(root, {recursive: true, force: true})
    cpSync(ready, root, {recursive: true, preserveTimestamps: true})
    const {reference} = await resolveReference(`inbox:${root}:Shop`)
    const image = await transportOf(reference).open(reference, {})
    try {
      const [layer] = image.layers
      assert.ok(layer !== undefined)
      let count = 0
      let target: string | undefined
      for await (const entry of layer.entries()) {
        count++
        if (entry.kind === 'file' && target === undefined) {
          target = fileOf(root, entry.path)
          change?.(target)
        }
      }
      return count
    } finally {
      await image.close()
    }
  }

  /** Where a file of the operating system's package lies. */
  function fileOf(root: string, entry: string): string {
    const name = readdirSync(root).find((each) => each.startsWith('CN=Microsoft_'))
    return path.join(root, name ?? '', entry)
  }

  it('gives all its entries when nothing changes', async () => {
    assert.ok((await readChanging(undefined)) > 3)
  })

  for (const {title, change} of [
    {
      title: 'written on',
      change: (file: string) => {
        appendFileSync(file, 'x')
      },
    },
    {
      title: 'overwritten by as many bytes',
      change: (file: string) => {
        writeFileSync(file, Buffer.alloc(statSync(file).size, 0x58))
      },
    },
    {
      title: 'replaced by a file of the same bytes',
      change: (file: string) => {
        writeFileSync(`${file}.new`, readFileSync(file))
        renameSync(`${file}.new`, file)
      },
    },
    {
      title: 'removed',
      change: (file: string) => {
        rmSync(file)
      },
    },
  ])
    it(`ends with an error when a file is ${title}`, async () => {
      await assert.rejects(readChanging(change), (error) => {
        assert.ok(error instanceof TransshipError, String(error))
        assert.ok(['DEPENDENCY_MISMATCH', 'SIZE_MISMATCH', 'NOT_FOUND'].includes(error.code), error.code)
        return true
      })
    })
})

import assert from 'node:assert/strict'
import {cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {verify} from '../../../src/convert/verify.js'
import type {Image} from '../../../src/model/image.js'
import {inbox} from '../../../src/transports/inbox/inbox.js'
import {collect} from '../../helpers/bytes.js'
import {assertRefusal} from '../../helpers/refusals.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const OS = 'CN=Microsoft_WindowsServerCore_10.0.14393.206'
const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const SHOP = 'CN=Contoso_Shop_1.2.0.0'

describe('a package that is opened', () => {
  const folder = temporaryFolder()
  let made = 0

  function copied(): string {
    const repository = path.join(folder.path, `repository-${made++}`)
    cpSync('samples/repository', repository, {recursive: true})
    return repository
  }

  async function opened<T>(repository: string, name: string, use: (image: Image) => Promise<T>): Promise<T> {
    const image = await inbox.open(inbox.parse(`${repository}:${name}`), {})
    try {
      return await use(image)
    } finally {
      await image.close()
    }
  }

  async function read(image: Image, index: number): Promise<void> {
    for await (const entry of image.layers[index]!.entries({}))
      if (entry.kind === 'file' && entry.content !== undefined) await collect(entry.content.open())
  }

  it('has the layers of all it is made on, base first', async () => {
    await opened(copied(), SHOP, async (image) => {
      assert.deepEqual(
        image.layers.map(({title, hasContent}) => [title, hasContent]),
        [
          [OS, true],
          [WEB, true],
          [SHOP, true],
        ],
      )
      for (const index of image.layers.keys()) await read(image, index)
    })
  })

  it('says why a layer cannot be had: its package is missing', async () => {
    const repository = copied()
    rmSync(path.join(repository, WEB), {recursive: true})
    await opened(repository, SHOP, async (image) => {
      assert.deepEqual(
        image.layers.map(({title, hasContent}) => [title, hasContent]),
        [
          [WEB, false],
          [SHOP, true],
        ],
      )
      await assert.rejects(read(image, 0), (error) => {
        assertRefusal(error, {code: 'DEPENDENCY_MISSING', names: [WEB]})
        return true
      })
    })
  })

  it('says why a layer cannot be had: its package is a stub', async () => {
    const stubs = path.join(folder.path, 'stubs')
    await convert('docker-archive:samples/shop.tar', `inbox:${stubs}`, {layers: 'chain', withoutBase: true})
    const {ok} = await verify(`inbox:${stubs}`)
    assert.equal(ok, true)
    const image = await inbox.open(inbox.parse(`${stubs}:Shop`), {}).catch(() => undefined)
    const stub = image?.layers[0]
    await image?.close()
    assert.equal(stub?.hasContent, false)
  })

  for (const [title, change] of [
    ['with other blanks', (text: string) => text.replaceAll('":', '" : ').replace('\r\n', '\n\n')],
    ['with keys of its own', (text: string) => text.replace('{"Name"', '{"Own":{"deep":[1,2]},"Name"')],
    [
      'with keys in another order',
      (text: string) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).reverse())),
    ],
  ] as const)
    // prettier-ignore
    it(`keeps its metadata.json byte for byte through an image: ${title}`, async () => {
      const repository = copied()
      const file = path.join(repository, OS, 'metadata.json')
      const bytes = change(readFileSync(file, 'utf8'))
      writeFileSync(file, bytes)
      const archive = path.join(folder.path, `${made++}.tar`)
      const back = path.join(folder.path, `back-${made++}`)
      await convert(`inbox:${repository}:WindowsServerCore`, `docker-archive:${archive}`)
      await convert(`docker-archive:${archive}`, `inbox:${back}`, {layers: 'chain'})
      assert.equal(readFileSync(path.join(back, OS, 'metadata.json'), 'utf8'), bytes)
    })
})

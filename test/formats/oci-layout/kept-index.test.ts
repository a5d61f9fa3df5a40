import assert from 'node:assert/strict'
import {listLayout, namesInLayout, openLayoutImage} from '../../../src/formats/oci-layout/layout.js'
import {partsOf} from '../../helpers/archives.js'
import {placeOf} from '../../helpers/layout-store.js'
import {LayoutBuilder, tagged} from '../../helpers/layouts.js'

const at = (selector?: string) => ({
  transport: 'memory',
  path: 'folder/shop',
  ...(selector === undefined ? {} : {selector}),
})

describe('the index of a layout that stays the same', () => {
  it('is read once for all that is asked of it', async () => {
    const layout = new LayoutBuilder()
    for (const tag of ['1', '2', '3'])
      layout.manifests.push(layout.image(partsOf([Buffer.from(tag)]), {more: tagged(tag)}))
    const digests = layout.manifests.map((entry) => (entry as {digest: string}).digest)
    const place = placeOf(layout)
    const read: string[] = []
    const keeping = (contents: object) => ({
      ...place,
      open: async () => {
        const opened = await place.open('x', {})
        const findFile = (name: string) => {
          read.push(name)
          return opened.findFile(name)
        }
        return {...opened, contents, findFile}
      },
    })
    const kept = keeping({})
    for (const [index, digest] of digests.entries()) {
      const image = await openLayoutImage(kept, at(String(index + 1)), {})
      assert.equal(image.manifest?.digest, digest)
      await image.close()
      assert.equal((await listLayout(kept, at(`@${digest}`), {})).length, 1)
    }
    assert.deepEqual(await namesInLayout(kept, at(), {}), ['shop:1', 'shop:2', 'shop:3'])
    assert.equal((await listLayout(kept, at(), {})).length, 3)
    assert.deepEqual(read, ['oci-layout', 'index.json'])
    await namesInLayout(keeping({}), at(), {})
    assert.deepEqual(read.length, 4)
  })
})

import assert from 'node:assert/strict'
import path from 'node:path'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {IndexWalk} from '../../../src/formats/oci-layout/index-walk.js'
import {blobPath, type ContentStore} from '../../../src/formats/oci-layout/content-store.js'
import {TransshipError} from '../../../src/model/errors.js'
import {LeavingOut} from '../../../src/model/fault-sink.js'
import {LIMITS} from '../../../src/model/limits.js'
import {partsOf, tarOf} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {oci} from '../../../src/transports/oci/oci.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

/** Indexes that name each other so often that nobody comes to an end: `width` times on each of `depth` levels. */
async function floodOf(width: number, depth: number): Promise<LayoutBuilder> {
  const layout = new LayoutBuilder()
  let named = layout.image(partsOf([await tarOf([['Files/', '']])]))
  for (let level = 0; level < depth; level++) named = layout.index(Array<object>(width).fill(named))
  layout.manifests.push(...Array<object>(width).fill(named))
  return layout
}

const isFlood = (error: unknown) =>
  error instanceof TransshipError && error.code === 'LIMIT_EXCEEDED' && error.message.includes('200000 entries')

describe('indexes that name each other again and again', () => {
  const folder = temporaryFolder()

  it('are read as far as a real one goes, and refused', async () => {
    const layout = path.join(folder.path, 'flood')
    ;(await floodOf(40, 3)).writeFolder(layout)
    const notes: string[] = []
    await list(`oci:${layout}`, {
      onEvent: (event) => {
        if (event.kind === 'note') notes.push(event.message)
      },
    })
    assert.equal(notes.filter((message) => message.includes('more than 200000 entries')).length, 1)
    const {faults} = await verify(`oci:${layout}`)
    assert.equal(faults.filter(({code}) => code === 'LIMIT_EXCEEDED').length, 1)
  })

  it('are no matter where they stay below', async () => {
    const layout = path.join(folder.path, 'wide')
    ;(await floodOf(8, 3)).writeFolder(layout)
    const {items, notes} = await list(`oci:${layout}`, {images: true})
    assert.deepEqual([items.length, notes.length], [1, 0])
    assert.deepEqual((await verify(`oci:${layout}`)).faults, [])
  })

  it('have each manifest read once, and each index once for every entry', async () => {
    const layout = await floodOf(5, 2)
    const asked = new Map<string, number>()
    const store: ContentStore = {
      title: 'it',
      findDocument: (descriptor) => {
        asked.set(descriptor.mediaType, (asked.get(descriptor.mediaType) ?? 0) + 1)
        return Promise.resolve(layout.files.get(blobPath(descriptor.digest)))
      },
      findBlob: () => Promise.resolve(undefined),
    }
    const walk = new IndexWalk(store, new LeavingOut())
    const top = layout.members().find(([name]) => name === 'index.json')?.[1] as Buffer
    await walk.index(Buffer.from(top), 'index.json')
    assert.equal(walk.found.length, 1)
    assert.deepEqual(
      [...asked].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, times]) => times),
      [5 + 25, 1],
    )
  })

  it('are bounded by the bytes of indexes as well', async () => {
    const filler = 'x'.repeat(2 ** 20)
    const layout = new LayoutBuilder()
    const document = {schemaVersion: 2, mediaType: OCI.index, manifests: [], annotations: {filler}}
    const large = layout.blob(OCI.index, JSON.stringify(document))
    const entries = Math.ceil(LIMITS.indexBytes.value / 2 ** 20)
    layout.manifests.push(...Array<object>(entries + 5).fill(large))
    const root = path.join(folder.path, 'large')
    layout.writeFolder(root)
    const {faults} = await verify(`oci:${root}`)
    const found = faults.filter(({code}) => code === 'LIMIT_EXCEEDED').map(({message}) => message)
    assert.deepEqual(found, ['The index leads to more than 268435456 bytes of indexes. No real image comes close.'])
  })

  it('are what is told where nothing else is found', async () => {
    const reference = `${path.join(folder.path, 'flood')}@sha256:${'0'.repeat(64)}`
    await assert.rejects(oci.open(oci.parse(reference), {}), isFlood)
    const {faults} = await verify(`oci:${reference}`)
    assert.deepEqual(
      faults.map(({code}) => code),
      ['LIMIT_EXCEEDED'],
    )
  })
})

import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, TransshipError, verify} from '../../../src/index.js'
import {hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {layersIn} from '../../helpers/windows-images.js'

describe('a package that a repository holds already', () => {
  const folder = temporaryFolder()

  /** An archive of the sample's lowest layers under one name, with this configuration. */
  async function archive(file: string, layers: number, config: object): Promise<{reference: string; imageId: string}> {
    const parts = partsOf((await layersIn('samples/shop.tar')).slice(0, layers), {config})
    const place = path.join(folder.path, file)
    writeFileSync(place, await tarOf(hybridMembers(parts)))
    return {reference: `docker-archive:${place}`, imageId: parts.imageId}
  }

  it('is left as it is when the same image comes again', async () => {
    const {reference} = await archive('same.tar', 2, {Cmd: ['one']})
    const repository = `inbox:${path.join(folder.path, 'same')}`
    const first = await convert(reference, repository, {layers: 'chain'})
    const second = await convert(reference, repository, {layers: 'chain'})
    assert.deepEqual(
      second.artifacts.map(({unchanged, layers, identity}) => ({unchanged, layers, identity})),
      first.artifacts.map(({layers, identity}) => ({unchanged: true, layers, identity})),
    )
    assert.equal(second.bytesWritten, 0)
  })

  it('is refused when another image of the same layers would take its place, and replaced when that is asked for', async () => {
    const one = await archive('one.tar', 2, {Cmd: ['one']})
    const other = await archive('other.tar', 2, {Cmd: ['other']})
    const repository = `inbox:${path.join(folder.path, 'other')}`
    const top = (await convert(one.reference, repository, {layers: 'chain'})).artifacts.at(-1)!.reference
    await assert.rejects(
      convert(other.reference, repository, {layers: 'chain'}),
      (error) => error instanceof TransshipError && error.code === 'IDENTITY_CLASH',
    )
    assert.equal((await inspect(top)).imageId, one.imageId)
    await convert(other.reference, repository, {layers: 'chain', replace: true})
    assert.equal((await inspect(top)).imageId, other.imageId)
    assert.deepEqual((await verify(repository)).faults, [])
  })

  it('takes in the image of its own when that comes after one that was built on it', async () => {
    const repository = `inbox:${path.join(folder.path, 'base')}`
    const above = await archive('above.tar', 2, {Cmd: ['above']})
    const [os, top] = (await convert(above.reference, repository, {layers: 'chain'})).artifacts
    const base = await archive('base.tar', 1, {Cmd: ['base']})
    const [again] = (await convert(base.reference, repository, {layers: 'chain'})).artifacts
    assert.deepEqual([again!.identity, again!.unchanged], [os!.identity, undefined])
    assert.equal((await inspect(os!.reference)).imageId, base.imageId)
    assert.equal((await inspect(top!.reference)).imageId, above.imageId)
    assert.deepEqual((await verify(repository)).faults, [])
  })
})

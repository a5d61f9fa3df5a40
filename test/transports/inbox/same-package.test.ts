import assert from 'node:assert/strict'
import {readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
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

  for (const transport of ['inbox', 'appx']) {
    it(`of ${transport}: is written once when several images of one conversion share it`, async () => {
      const layout = `oci:${path.join(folder.path, `shared-${transport}`)}`
      const images = await Promise.all(
        ['first', 'second'].map((name) => archive(`${name}-${transport}.tar`, 2, {Cmd: [name]})),
      )
      const base = await archive(`base-${transport}.tar`, 1, {Cmd: ['base']})
      for (const {added, keepRecipe, note} of [
        {added: images, keepRecipe: false, note: 'told by the payload alone'},
        {added: [base], keepRecipe: true, note: 'the base brings the image that the package is the top of'},
      ]) {
        for (const {reference, imageId} of added)
          await convert(reference, layout, {tags: [`contoso/a${imageId.slice(7, 15)}:${imageId.slice(7, 15)}`]})
        const target = `${transport}:${path.join(folder.path, `all-${transport}-${String(keepRecipe)}`)}`
        const {artifacts} = await convert(layout, target, {all: true, layers: 'chain', keepRecipe})
        assert.equal(artifacts.length, 3, note)
        assert.ok(artifacts.every(({unchanged}) => unchanged !== true))
        assert.deepEqual((await verify(target)).faults, [])
        const copied = await convert(target, `${target}-copy`, {all: true, layers: 'chain'})
        assert.equal(copied.artifacts.length, 3)
        assert.deepEqual((await verify(`${target}-copy`)).faults, [])
        if (!added.includes(base)) continue
        const os = artifacts.find(({dependencies = []}) => dependencies.length === 0)!.identity!
        assert.equal((await inspect(`${target}-copy:${os}`)).imageId, base.imageId)
      }
    })

    it(`of ${transport}: is read before it is replaced by its equal, and mended where it is damaged`, async () => {
      const {reference} = await archive(`mended-${transport}.tar`, 2, {Cmd: ['one']})
      const place = path.join(folder.path, `mended-${transport}`)
      const repository = `${transport}:${place}`
      const options = {layers: 'chain', replace: true} as const
      const first = await convert(reference, repository, options)
      const files = readdirSync(place, {recursive: true})
        .map((name) => path.join(place, String(name)))
        .filter((file) => statSync(file).isFile())
      const bytes = new Map(files.map((file) => [file, readFileSync(file)]))
      const changed = () => files.map((file) => statSync(file, {bigint: true}).mtimeNs)
      const before = changed()
      const same = await convert(reference, repository, options)
      assert.deepEqual(
        same.artifacts.map(({unchanged}) => unchanged),
        first.artifacts.map(() => true),
      )
      assert.equal(same.bytesWritten, 0)
      assert.deepEqual(changed(), before)
      // One of the packages, in the middle of the largest file.
      const [damaged, sound] = [...bytes]
        .filter(([file]) => transport === 'appx' || file.includes(`${path.sep}Files`))
        .sort(([, left], [, right]) => right.length - left.length)[0]!
      const spoilt = Buffer.from(sound)
      spoilt.writeUInt8(spoilt.readUInt8(spoilt.length >> 1) ^ 1, spoilt.length >> 1)
      writeFileSync(damaged, spoilt)
      assert.notDeepEqual((await verify(repository)).faults, [])
      const mended = await convert(reference, repository, options)
      assert.equal(mended.artifacts.filter(({unchanged}) => unchanged === true).length, first.artifacts.length - 1)
      assert.ok(readFileSync(damaged).equals(sound))
      assert.deepEqual((await verify(repository)).faults, [])
    })
  }
})

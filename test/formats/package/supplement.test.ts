import assert from 'node:assert/strict'
import {existsSync, readdirSync, readFileSync, renameSync} from 'node:fs'
import path from 'node:path'
import {supplemented} from '../../../src/formats/package/supplement.js'
import {digestOf} from '../../../src/model/digest.js'
import type {LayerPin} from '../../../src/model/image.js'
import {fileEntry} from '../../helpers/file-system-model.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {CONFIG, draftWith, IMAGE, MANIFEST, pinOf, writeDraft} from '../../helpers/written-packages.js'

const FILES = [fileEntry('Files/a.txt', 'a'), fileEntry('Files/b.txt', 'bb')]

describe('a package that takes the place of one with the same payload', () => {
  const folder = temporaryFolder()
  const [OWN, THEIRS] = [pinOf('own'), pinOf('theirs')]
  const withPins = async (pins: readonly LayerPin[], more: object = {}, metadata: object = {}) => {
    const draft = await draftWith('App', FILES, {pins: 'keep', ...more}, metadata)
    return {...draft, layer: {...draft.layer!, pins}}
  }
  const pinsOf = ({docker}: {docker?: {Layers?: readonly {Pins?: readonly {Digest: string}[]}[]}}) =>
    docker?.Layers?.[0]?.Pins?.map(({Digest}) => Digest)

  it('has the forms, the image and the files of the other, and says of itself what the other did', async () => {
    const there = await writeDraft(
      folder.path,
      await withPins(
        [THEIRS, OWN],
        {image: IMAGE},
        {friendlyName: 'Theirs', attachments: {'notes.txt': Buffer.from('n')}},
      ),
    )
    const draft = await withPins([OWN], {}, {friendlyName: 'Own'})
    const {
      stored,
      folder: root,
      payload,
    } = await supplemented(await writeDraft(folder.path, draft), draft, there.stored)
    assert.deepEqual(pinsOf(stored), [THEIRS.descriptor.digest, OWN.descriptor.digest])
    assert.deepEqual([stored.docker?.ConfigDigest, stored.docker?.References], [digestOf(CONFIG.bytes), ['app:1']])
    assert.deepEqual(
      readdirSync(path.join(root, 'docker')).sort(),
      readdirSync(path.join(there.folder, 'docker')).sort(),
    )
    assert.equal(readFileSync(path.join(root, 'notes.txt'), 'utf8'), 'n')
    assert.deepEqual([stored.metadata.friendlyName, payload], ['Theirs', there.payload])
  })

  it('says of itself what it is where it becomes the top of an image', async () => {
    const there = await writeDraft(folder.path, await withPins([], {}, {friendlyName: 'Theirs'}))
    const draft = await withPins([], {image: IMAGE}, {friendlyName: 'Own'})
    const {stored} = await supplemented(await writeDraft(folder.path, draft), draft, there.stored)
    assert.deepEqual(
      [stored.metadata.friendlyName, stored.docker?.ConfigDigest, pinsOf(stored)],
      ['Own', digestOf(CONFIG.bytes), undefined],
    )
  })

  it('keeps its own image where both have one, and a manifest that only the other has', async () => {
    const there = await writeDraft(folder.path, await withPins([], {image: {...IMAGE, names: ['theirs:1']}}))
    const draft = await withPins([OWN], {image: {names: ['own:1'], config: CONFIG}})
    const {stored} = await supplemented(await writeDraft(folder.path, draft), draft, there.stored)
    assert.deepEqual([stored.docker?.References, stored.docker?.ManifestDigest], [['own:1'], digestOf(MANIFEST.bytes)])
    const named = {...draft, image: {names: ['own:1']}}
    const withNames = await supplemented(await writeDraft(folder.path, named), named, there.stored)
    assert.deepEqual(
      [withNames.stored.docker?.References, withNames.stored.docker?.ManifestDigest],
      [['own:1'], digestOf(MANIFEST.bytes)],
    )
  })

  it('is as it was written in the place of a stub, and where it keeps nothing itself', async () => {
    const stub = await writeDraft(folder.path, await draftWith('App', undefined, {}, {friendlyName: 'Theirs'}))
    const draft = await withPins([OWN])
    const written = await writeDraft(folder.path, draft)
    assert.equal(await supplemented(written, draft, stub.stored), written)
    // The stub of a base image was the top of an image itself.
    const top = await writeDraft(
      folder.path,
      await draftWith('App', undefined, {image: IMAGE}, {friendlyName: 'Theirs'}),
    )
    for (const keepRecipe of [true, false]) {
      const own = await draftWith('App', FILES, {keepRecipe}, {friendlyName: 'Own'})
      const {stored, folder: root} = await supplemented(await writeDraft(folder.path, own), own, top.stored)
      const {metadata, docker} = stored
      assert.deepEqual(
        [metadata.friendlyName, docker?.References, docker?.ConfigDigest, docker?.ManifestDigest],
        ['Own', ['app:1'], digestOf(CONFIG.bytes), digestOf(MANIFEST.bytes)],
      )
      assert.deepEqual(readFileSync(path.join(root, 'docker/config.json')), Buffer.from(CONFIG.bytes))
    }
    const there = await writeDraft(folder.path, await withPins([THEIRS]))
    const plain = await writeDraft(folder.path, await draftWith('App', FILES, {keepRecipe: false}))
    assert.equal(await supplemented(plain, draft, there.stored), plain)
  })

  it('passes over a file that is missing there', async () => {
    const there = await writeDraft(folder.path, await withPins([THEIRS]))
    const name = `${THEIRS.descriptor.digest.replace(':', '-')}.tar.zst`
    renameSync(path.join(there.folder, 'docker', name), path.join(there.folder, 'docker', 'other'))
    const draft = await withPins([OWN])
    const {stored, folder: root} = await supplemented(await writeDraft(folder.path, draft), draft, there.stored)
    assert.deepEqual([pinsOf(stored)?.length, existsSync(path.join(root, 'docker', name))], [2, false])
  })
})

import assert from 'node:assert/strict'
import {findOffers, readOffers} from '../../../src/formats/image-archive/read-offers.js'
import {StrictSink} from '../../../src/model/fault-sink.js'
import {partsOf, sha256, v1Members, type Member} from '../../helpers/archives.js'
import {errorOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {archiveOf, BASE, classic, PARTS, readArchive as read} from '../../helpers/read-archive.js'

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const pathOf = (bytes: Buffer | string) => `blobs/sha256/${sha256(bytes)}`

describe('what index.json offers', () => {
  const indexed = (layout: LayoutBuilder, gathersParts = true) => read(layout.members(), gathersParts)

  it('is no image without its configuration, which is a fault where nothing else is there', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(PARTS))
    layout.files.delete(pathOf(PARTS.config))
    const lost = await indexed(layout)
    assert.deepEqual([lost.offers.length, lost.codes], [0, ['CONFIG_MISSING']])
    layout.manifests.push(layout.image(partsOf([])))
    const found = await indexed(layout)
    assert.deepEqual([found.offers.length, found.codes], [1, []])
    assert.deepEqual((await indexed(new LayoutBuilder())).codes, [])
  })

  it('is no image of an unknown system', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(partsOf([], {os: 'unknown'})))
    const {offers, codes} = await indexed(layout)
    assert.deepEqual([offers, codes], [[], []])
  })

  it('is refused where the configuration is another than its digest says', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(PARTS))
    layout.files.set(pathOf(PARTS.config), Buffer.from(partsOf([]).config))
    assert.deepEqual((await indexed(layout)).codes, ['DIGEST_MISMATCH'])
  })

  for (const gathersParts of [true, false])
    it(`is refused where manifest and configuration differ in layers, ${gathersParts ? 'and told with all parts' : 'as a whole'}`, async () => {
      const layout = new LayoutBuilder()
      layout.manifests.push(layout.image(PARTS, {layers: [layout.blob(OCI.layer, BASE)]}))
      const {offers, codes} = await indexed(layout, gathersParts)
      assert.deepEqual([offers.length, codes], [gathersParts ? 1 : 0, ['ARCHIVE_CONTRADICTORY']])
      layout.manifests.length = 0
      layout.manifests.push(layout.image(partsOf([BASE]), {layers: PARTS.layers.map((layer) => layout.blob(OCI.layer, layer))})) // prettier-ignore
      const more = await indexed(layout)
      assert.deepEqual(more.images[0]?.layers.map(({diffId}) => diffId), [PARTS.diffIds[0], undefined]) // prettier-ignore
    })

  it('lacks layers with or without a reason', async () => {
    const layout = new LayoutBuilder()
    const layers = [
      descriptorOf(OCI.layer, 'gone'),
      descriptorOf(FOREIGN, 'foreign'),
      descriptorOf(OCI.layer, 'far', {urls: ['https://example.com']}),
    ]
    layout.manifests.push(layout.image(partsOf(['gone', 'foreign', 'far'].map((text) => Buffer.from(text))), {layers}))
    const {images} = await indexed(layout)
    assert.deepEqual(images[0]?.layers.map(({absence}) => absence === undefined), [false, true, true]) // prettier-ignore
    assert.ok(images[0].layers[0]?.absence?.includes(String(layers[0]?.['digest'])))
  })

  it('is nothing where it is malformed, and manifest.json is read all the same', async () => {
    const members: Member[] = [['index.json', 'x'], ['oci-layout', '{}']] // prettier-ignore
    const alone = await read(members)
    assert.deepEqual([alone.codes, alone.places], [['MANIFEST_INVALID'], ['index.json']])
    const {offers, codes} = await read([...members, ...classic([{}])])
    assert.deepEqual([offers.length, codes], [1, ['MANIFEST_INVALID']])
  })
})

describe('what an archive offers', () => {
  it('is known as long as it is open, and its faults with it', async () => {
    const archive = await archiveOf(classic([{Config: 'nothing'}, {}]))
    const found = await findOffers(archive)
    assert.equal(await findOffers(archive), found)
    assert.deepEqual([found.offers.length, found.sink.leftOut.length], [1, 1])
    await archive.close()
    const strict = await archiveOf(
      classic([{Config: `${'0'.repeat(64)}.json`}], [[`${'0'.repeat(64)}.json`, PARTS.config]]),
    )
    assert.deepEqual((await findOffers(strict)).offers, [])
    await strict.close()
  })

  for (const [note, members, hint] of [
    ['nothing', [['x', '']], 'docker save'],
    ['a payload', [['Files/a', '']], 'layout:'],
    ['a payload in other letters', [['hives', '']], 'layout:'],
    ['a payload of a base', [['UtilityVM/x', '']], 'layout:'],
    [
      'what only looks like one',
      [
        ['Filesystem', ''],
        ['x/Files/', ''],
      ],
      'docker save',
    ],
  ] as const)
    it(`is nothing at all: ${note}`, async () => {
      const archive = await archiveOf(members)
      const error = await errorOf(() => readOffers(archive, new StrictSink()))
      assert.deepEqual([error.code, error.at.path], ['UNRECOGNISED_FORMAT', 'the archive'])
      assert.ok(error.suggestions[0]?.includes(hint))
      await archive.close()
    })

  it('is by `repositories` only where there is nothing newer', async () => {
    const {offers} = await read([...classic([{RepoTags: ['new:1']}]), ...v1Members(PARTS)])
    assert.deepEqual(offers.map(({names}) => names), [['new:1']]) // prettier-ignore
  })
})

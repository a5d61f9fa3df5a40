import assert from 'node:assert/strict'
import {
  absentOf,
  listLayout,
  namedBy,
  namesInLayout,
  namesOf,
  notHeld,
  openLayoutImage,
  openLayoutIndex,
} from '../../../src/formats/oci-layout/layout.js'
import type {PassedOver} from '../../../src/formats/oci-layout/index-walk.js'
import {
  findLayoutReferrers,
  readTopIndex,
  topEntries,
  walkIndexes,
  walkLayout,
} from '../../../src/formats/oci-layout/opened-layout.js'
import {digestOf} from '../../../src/model/digest.js'
import {LeavingOut} from '../../../src/model/fault-sink.js'
import {partsOf} from '../../helpers/archives.js'
import {errorOf, hearing, placeOf} from '../../helpers/layout-store.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'

const FULL = 'io.containerd.image.name'
const REF = 'org.opencontainers.image.ref.name'
const at = (selector?: string, path = 'folder/shop') => ({
  transport: 'memory',
  path,
  ...(selector === undefined ? {} : {selector}),
})
const named = (full: string, ref: string) => ({annotations: {[FULL]: full, [REF]: ref}})

/** Images with a layer each, by how the index names them. */
function layoutOf(...names: readonly object[]) {
  const layout = new LayoutBuilder()
  const images = names.map((more, number) => layout.image(partsOf([Buffer.from(`layer ${number}`)], {number}), {more}))
  layout.manifests.push(...images)
  return {layout, images, digests: images.map((image) => String(image['digest']))}
}

describe('the files at the top of a layout', () => {
  const open = (marker: string, without: readonly string[] = []) => {
    const layout = new LayoutBuilder()
    const members = layout.members()
    layout.members = () => members.map(([name, body]) => [name, name === 'oci-layout' ? marker : body])
    return placeOf(layout, without).open('x', {})
  }

  for (const [without, code] of [
    [['oci-layout', 'index.json'], 'UNRECOGNISED_FORMAT'],
    [['index.json'], 'MANIFEST_MISSING'],
    [['oci-layout'], 'ARCHIVE_CORRUPT'],
  ] as const)
    it(`are needed: without ${without.join(' and ')}`, async () => {
      const error = await errorOf(async () => readTopIndex(await open('{"imageLayoutVersion":"1.0.0"}', without)))
      assert.deepEqual([error.code, error.at.path], [code, 'the store'])
    })

  for (const [marker, code] of [
    ['{"imageLayoutVersion":"1.0.0"}', undefined],
    ['{"imageLayoutVersion":"1.12.3"}', undefined],
    ['{"imageLayoutVersion":"2.0.0"}', 'FORMAT_UNSUPPORTED'],
    ['{"imageLayoutVersion":"11.0.0"}', 'FORMAT_UNSUPPORTED'],
    ['{"imageLayoutVersion":"1.0"}', 'FORMAT_UNSUPPORTED'],
    ['{"imageLayoutVersion":"1.0.0-x"}', 'FORMAT_UNSUPPORTED'],
    ['{"imageLayoutVersion":"01.0.0"}', 'FORMAT_UNSUPPORTED'],
    ['{}', 'MANIFEST_INVALID'],
    ['{"imageLayoutVersion":1}', 'MANIFEST_INVALID'],
    ['', 'MANIFEST_INVALID'],
  ] as const)
    it(`state a version that is known: ${marker}`, async () => {
      const layout = await open(marker)
      if (code === undefined)
        assert.deepEqual(JSON.parse(String(await readTopIndex(layout))), {schemaVersion: 2, mediaType: OCI.index, manifests: []}) // prettier-ignore
      else {
        const error = await errorOf(() => readTopIndex(layout))
        assert.deepEqual([error.code, error.at.path], [code, code === 'MANIFEST_INVALID' ? 'oci-layout' : 'the store'])
      }
    })

  it('are told by their names where they are malformed', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push({mediaType: 1})
    const opened = await placeOf(layout).open('x', {})
    for (const work of [
      () => topEntries(opened),
      () => walkIndexes(opened, {}),
      () => findLayoutReferrers(opened, [], {}),
      () => openLayoutImage(placeOf(layout), at(), {}),
    ]) {
      const error = await errorOf(work)
      assert.deepEqual([error.code, error.at.path], ['MANIFEST_INVALID', 'index.json'])
    }
  })

  it('have entries, or none', async () => {
    const {layout, images} = layoutOf(tagged('1'), {})
    assert.deepEqual(await topEntries(await placeOf(layout).open('x', {})), images)
    assert.deepEqual(await topEntries(await placeOf(new LayoutBuilder()).open('x', {})), [])
  })
})

describe('a walk through a layout', () => {
  it('reads all without a selector, else what it selects, with all names of that', async () => {
    const {layout, images, digests} = layoutOf(tagged('1'), tagged('2'))
    layout.manifests.push({...images[0], ...tagged('again')})
    for (const [selector, found, unwanted, asked] of [
      [undefined, [['1', 'again'], ['2']], 0, 2],
      ['again', [['1', 'again']], 1, 1],
      [`@${digests[1] ?? ''}`, [['2']], 2, 1],
      ['3', [], 3, 0],
    ] as const) {
      const place = placeOf(layout)
      const walk = await walkLayout(await place.open('x', {}), at(selector), {sink: new LeavingOut()})
      assert.deepEqual(walk.found.map(({refs}) => refs), found) // prettier-ignore
      assert.deepEqual([walk.unwanted.length, place.store.asked.length], [unwanted, asked])
    }
  })

  it('reads indexes alone where only names are asked for', async () => {
    const {layout, images} = layoutOf(tagged('1'))
    layout.manifests.push(layout.index([images[0]!], tagged('all')))
    const place = placeOf(layout)
    const walk = await walkIndexes(await place.open('x', {}), {})
    assert.deepEqual([walk.found.length, walk.unwanted.length, place.store.asked.length], [0, 2, 1])
  })

  it('knows what refers to a manifest', async () => {
    const {layout, digests} = layoutOf(tagged('1'))
    const config = descriptorOf('a/config', '{}')
    layout.manifests.push(layout.blob(OCI.manifest, JSON.stringify({config, subject: {digest: digests[0]}})))
    const opened = await placeOf(layout).open('x', {})
    const {referrers} = await findLayoutReferrers(opened, [digests[0] as never], {})
    assert.deepEqual(referrers.map(({subject}) => subject), digests) // prettier-ignore
    assert.deepEqual((await findLayoutReferrers(opened, [digestOf(Buffer.from('x'))], {})).referrers, [])
  })
})

describe('the image that a reference selects', () => {
  it('is opened with its names, and closing it closes the layout', async () => {
    const {layout, digests} = layoutOf(named('docker.io/library/web:1', '1'), tagged('2'))
    const place = placeOf(layout)
    for (const [selector, names, index] of [
      ['1', ['docker.io/library/web:1'], 0],
      ['2', ['shop:2'], 1],
      [`@${digests[1] ?? ''}`, ['shop:2'], 1],
    ] as const) {
      const image = await openLayoutImage(place, at(selector), {})
      assert.deepEqual([image.names, image.manifest?.digest, image.warnings], [names, digests[index], []])
      assert.deepEqual((await image.findReferrers?.({}))?.referrers, [])
      assert.equal(place.uses.open, 1)
      await image.close()
      assert.equal(place.uses.open, 0)
    }
  })

  for (const [selector, code, reference] of [
    [undefined, 'AMBIGUOUS_SELECTION', 'memory:folder/shop'],
    ['3', 'NOT_FOUND', 'memory:folder/shop 3'],
  ] as const)
    it(`is none, and the layout is closed: ${code}`, async () => {
      const place = placeOf(layoutOf(tagged('1'), tagged('2')).layout)
      const error = await errorOf(() => openLayoutImage(place, at(selector), {}))
      assert.deepEqual([error.code, error.at.reference, place.uses.open], [code, reference, 0])
      if (code === 'AMBIGUOUS_SELECTION') assert.match(error.suggestions[0]!, /^memory:folder\/shop @sha256:/)
    })

  it('may be what cannot be read, unless another is named', async () => {
    const {layout} = layoutOf(tagged('1'))
    layout.manifests.push(layout.blob(OCI.manifest, '{}', tagged('bad')))
    const place = placeOf(layout)
    for (const selector of [undefined, 'bad'])
      assert.equal((await errorOf(() => openLayoutImage(place, at(selector), {}))).code, 'MANIFEST_INVALID')
    const {warnings} = await openLayoutImage(place, at('1'), {})
    assert.deepEqual(warnings, [])
    // Of one name, what can be read is opened, and the other told.
    layout.manifests.push(layout.blob(OCI.manifest, '{"x":1}', tagged('1')))
    const image = await openLayoutImage(place, at('1'), {})
    assert.deepEqual(image.warnings.map(({code}) => code), ['image-unreadable']) // prettier-ignore
  })

  it('has a tag that others have as well, which is told by their names', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `docker.io/library/${name}:1`)
    const {layout} = layoutOf(tagged('1'), ...names.map((name) => named(name, name)), named(names[0]!, 'more'))
    const {warnings} = await openLayoutImage(placeOf(layout), at('1'), {})
    assert.deepEqual(warnings.map(({code}) => code), ['tag-shared']) // prettier-ignore
    assert.match(warnings[0]!.message, /a:1, .*b:1, .*c:1, .*d:1, .*e:1 and 2 more/)
    const few = layoutOf(tagged('1'), ...names.slice(0, 5).map((name) => named(name, name)), named('x/y:2', '2'))
    const [told] = (await openLayoutImage(placeOf(few.layout), at('1'), {})).warnings
    assert.ok(told?.message.includes('e:1.') && !told.message.includes('more') && !told.message.includes('y:2'))
  })

  it('is not told to share what does not stand under it', async () => {
    const {layout, digests} = layoutOf(tagged('1'), named('docker.io/library/a:1', '2'), named('web:1', 'web:1'))
    for (const selector of ['2', 'a:1', `@${digests[0] ?? ''}`]) {
      const {warnings} = await openLayoutImage(placeOf(layout), at(selector), {})
      assert.deepEqual(warnings, [], selector)
    }
    const alone = layoutOf(named('docker.io/library/a:1', '1'), tagged('2'))
    assert.deepEqual((await openLayoutImage(placeOf(alone.layout), at('1'), {})).warnings, [])
  })
})

describe('the index that a reference selects', () => {
  it('is opened with all its names, and closing it closes the layout', async () => {
    const {layout, images} = layoutOf({}, {})
    layout.manifests.length = 0
    const index = layout.index(images, tagged('1'))
    layout.manifests.push(index, {...index, ...named('docker.io/library/web:2', '2')}, {...index, ...tagged('1')})
    const place = placeOf(layout)
    for (const selector of [undefined, '1', 'web:2', `@${String(index['digest'])}`]) {
      const opened = await openLayoutIndex(place, at(selector), {})
      assert.equal(opened?.document.digest, index['digest'])
      assert.deepEqual(opened?.names, ['shop:1', 'docker.io/library/web:2'])
      assert.deepEqual(opened.images.map((each) => each.manifestDigest), images.map((each) => each['digest'])) // prettier-ignore
      assert.deepEqual((await opened.findReferrers({})).referrers, [])
      assert.equal(place.uses.open, 1)
      await opened.close()
      assert.equal(place.uses.open, 0)
    }
  })

  it('is none for an image, for several, and for nothing: the layout is closed', async () => {
    const {layout, images, digests} = layoutOf(tagged('1'), {}, {})
    layout.manifests.length = 1
    const [one, two] = [layout.index([images[1]!], tagged('2')), layout.index([images[2]!], tagged('3'))]
    layout.manifests.push(one, two)
    const place = placeOf(layout)
    for (const selector of [undefined, '1', '4', `@${digests[0] ?? ''}`])
      assert.equal(await openLayoutIndex(place, at(selector), {}), undefined, selector)
    assert.equal(place.uses.open, 0)
    assert.equal((await openLayoutIndex(place, at('2'), {}))?.document.digest, one['digest'])
  })

  it('closes the layout where it fails', async () => {
    const place = placeOf(new LayoutBuilder(), ['oci-layout'])
    assert.equal((await errorOf(() => openLayoutIndex(place, at(), {}))).code, 'ARCHIVE_CORRUPT')
    assert.equal(place.uses.open, 0)
  })
})

describe('a listing of a layout', () => {
  it('tells what each image is, and what selects it', async () => {
    const {layout, digests} = layoutOf(named('docker.io/library/web:1', '1'), tagged('2'), {}, tagged('-odd'))
    const place = placeOf(layout)
    const items = await listLayout(place, at(), {})
    assert.equal(place.uses.open, 0)
    const {imageId} = partsOf([Buffer.from('layer 0')], {number: 0})
    assert.deepEqual(items[0], {
      kind: 'image',
      reference: 'memory:folder/shop 1',
      names: ['docker.io/library/web:1'],
      imageId,
      platform: {os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.2113'},
      createdTime: '2024-01-02T03:04:05Z',
      sizeBytes: 7,
      layers: 1,
    })
    assert.deepEqual(
      items.slice(1).map(({reference, names}) => [reference, names]),
      [
        ['memory:folder/shop 2', ['shop:2']],
        [`memory:folder/shop @${digests[2] ?? ''}`, []],
        [`memory:folder/shop @${digests[3] ?? ''}`, ['-odd']],
      ],
    )
    assert.deepEqual((await listLayout(place, at('2'), {})).map(({names}) => names), [['shop:2']]) // prettier-ignore
  })

  it('does not select by a tag that several have, read or unread', async () => {
    const {layout, digests} = layoutOf(tagged('1'), tagged('1'), tagged('2'))
    layout.manifests.push({...layout.manifests[2], ...tagged('2')})
    const referencesOf = async (selector?: string) =>
      (await listLayout(placeOf(layout), at(selector), {})).map(({reference}) => reference.split(' ')[1])
    assert.deepEqual(await referencesOf(), [`@${digests[0] ?? ''}`, `@${digests[1] ?? ''}`, '2'])
    assert.deepEqual(await referencesOf(`@${digests[1] ?? ''}`), [`@${digests[1] ?? ''}`])
  })

  it('leaves out the time where there is none, and adds up layers', async () => {
    const layout = new LayoutBuilder()
    layout.manifests.push(layout.image(partsOf([Buffer.from('abc'), Buffer.from('de')], {created: undefined})))
    const [item] = await listLayout(placeOf(layout), at(), {})
    assert.deepEqual([item && 'createdTime' in item, item?.sizeBytes, item?.layers], [false, 5, 2])
  })

  it('tells the index that an image is in, and the names that it has outside of it', async () => {
    const {layout, images} = layoutOf({}, {})
    layout.manifests.length = 0
    const inner = layout.index([images[0]!])
    const outer = layout.index([inner, images[1]!], tagged('all'))
    layout.manifests.push(
      outer,
      {...images[1], ...tagged('own')},
      {...images[1], ...named('docker.io/library/web:1', 'x')},
    )
    const index = {reference: `memory:folder/shop @${String(outer['digest'])}`, digest: outer['digest']}
    const indexesOf = async (selector?: string) =>
      (await listLayout(placeOf(layout), at(selector), {})).map((item) => item.index)
    assert.deepEqual(await indexesOf(), [index, {...index, ownNames: ['shop:own', 'docker.io/library/web:1']}])
    assert.deepEqual(await indexesOf('all'), [index, index])
    assert.deepEqual(await indexesOf('own'), [undefined])
  })

  it('notes what is not held, and what cannot be read', async () => {
    const {layout} = layoutOf(tagged('1'))
    const [lost, bare] = [descriptorOf(OCI.manifest, 'lost', tagged('lost')), descriptorOf(OCI.manifest, 'bare')]
    layout.manifests.push(lost, bare, layout.blob(OCI.manifest, '{}', tagged('bad')))
    const unknown = layout.image(partsOf([], {os: 'unknown'}))
    layout.manifests.push(unknown)
    const broken = partsOf([], {author: 'broken'})
    const withoutConfig = layout.image(broken, {manifest: {config: descriptorOf(OCI.config, 'nothing')}})
    layout.manifests.push(withoutConfig)
    const {told, onEvent} = hearing()
    const items = await listLayout(placeOf(layout), at(), {onEvent})
    assert.equal(items.length, 1)
    assert.deepEqual(told.slice(0, 2), [
      ['image-not-held', 'lost'],
      ['image-not-held', String(bare['digest'])],
    ])
    assert.deepEqual(told.slice(2).map(([code]) => code), ['image-unreadable', 'image-unreadable']) // prettier-ignore
    const heard = hearing()
    await listLayout(placeOf(layout), at('lost'), {onEvent: heard.onEvent})
    assert.deepEqual(heard.told, [['image-not-held', 'lost']])
  })

  it('closes the layout where it fails', async () => {
    const place = placeOf(new LayoutBuilder(), ['index.json'])
    for (const work of [listLayout, namesInLayout, openLayoutImage])
      assert.equal((await errorOf(() => work(place, at(), {}))).code, 'MANIFEST_MISSING')
    assert.equal(place.uses.open, 0)
  })

  it('of names alone reads no manifest, and has those of what is not held', async () => {
    const {layout} = layoutOf(named('docker.io/library/web:1', '1'), tagged('2'))
    layout.manifests.push(descriptorOf(OCI.index, 'lost', tagged('lost')))
    const place = placeOf(layout)
    assert.deepEqual(await namesInLayout(place, at(), {}), ['docker.io/library/web:1', 'shop:2', 'shop:lost'])
    assert.deepEqual([place.store.asked.length, place.uses.open], [1, 0])
  })
})

describe('names in a layout', () => {
  for (const [names, refs, place, found] of [
    [['a:1'], ['1'], 'x', ['a:1']],
    [[], ['1', '2'], 'folder/shop', ['shop:1', 'shop:2']],
    [[], ['1'], 'Shop.tar', ['shop:1']],
    [[], ['1'], 'shop.tar.gz', ['shop:1']],
    [[], ['1'], 'shop.tgz', ['shop:1']],
    [[], ['1'], 'shop.oci', ['shop:1']],
    [[], ['1'], 'shop.tar.x', ['shop.tar.x:1']],
    [[], ['@sha256:1'], 'shop', ['shop@sha256:1']],
    [[], [], 'shop', []],
  ] as const)
    it(`are ${found.join(', ') || 'none'} for ${[...names, ...refs].join(', ')} in ${place}`, () => {
      assert.deepEqual(namesOf({names, refs}, place), found)
    })

  const passed = (ref: string, within: readonly string[], reason = 'absent') =>
    ({refs: [ref], digest: `digest of ${ref}`, reason, within}) as unknown as PassedOver
  const index = digestOf(Buffer.from('index'))
  const over = [passed('1', []), passed('docker.io/library/web:1', []), passed('3', [index])]

  for (const [selector, refs] of [
    [undefined, ['1', 'docker.io/library/web:1', '3']],
    ['1', ['1']],
    ['web:1', ['docker.io/library/web:1']],
    ['web', []],
    ['@digest of 1', ['1']],
    [`@${index}`, ['3']],
    [index, []],
  ] as const)
    it(`select what is no image as well: ${selector ?? 'all'}`, () => {
      assert.deepEqual(namedBy({passedOver: over}, at(selector)).flatMap((each) => each.refs), refs) // prettier-ignore
    })

  it('select what is absent by tag and digest', () => {
    assert.deepEqual(absentOf({absent: over}, at('1')), [over[0]])
    assert.deepEqual(absentOf({absent: over}, at('@digest of 3')), [over[2]])
    assert.deepEqual(absentOf({absent: over}, at()), over)
    assert.ok(notHeld(over[0]!).includes('digest of 1'))
  })
})

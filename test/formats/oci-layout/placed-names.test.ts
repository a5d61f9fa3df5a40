import assert from 'node:assert/strict'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {PlacedNames} from '../../../src/formats/oci-layout/placed-names.js'
import {digestOf} from '../../../src/model/digest.js'
import {OCI} from '../../helpers/layouts.js'

const SHOP = 'docker.io/library/shop:1'
const WEB = 'docker.io/library/web:1'
const idOf = (text: string) => digestOf(Buffer.from(text))

function entry(image: string, ref?: string, full?: string): StatedDescriptor {
  const annotations = {
    ...(ref === undefined ? {} : {'org.opencontainers.image.ref.name': ref}),
    ...(full === undefined ? {} : {'io.containerd.image.name': full}),
  }
  return {mediaType: OCI.manifest, digest: idOf(image), size: 1, annotations}
}

describe('the names that an index has placed', () => {
  it('hold what any entry is, whatever its name', () => {
    const placed = new PlacedNames([entry('one'), entry('two', '2')])
    assert.deepEqual(['one', 'two', 'three'].map((image) => placed.holds(idOf(image))), [true, true, false]) // prettier-ignore
  })

  it('stand where the tag is the same, and the whole names where both state one', () => {
    const entries = [entry('one', '1', SHOP), entry('two', '1', WEB), entry('three', '1'), entry('four', '2', SHOP)]
    const placed = new PlacedNames(entries)
    for (const [name, found] of [
      [{ref: '1', full: SHOP}, [0, 2]],
      [{ref: '1', full: 'shop:1'}, [0, 2]],
      [{ref: '1', full: 'docker.io/library/other:1'}, [2]],
      [{ref: '1'}, [0, 1, 2]],
      [{ref: '1', full: SHOP, isAsked: true}, [0, 1, 2]],
      [{ref: '1', full: SHOP, isAsked: false}, [0, 2]],
      [{ref: '3', full: SHOP}, []],
    ] as const)
      assert.deepEqual(placed.standing(name), found.map((at) => entries[at]), JSON.stringify(name)) // prettier-ignore
  })

  it('place a name under its tag, where nobody else is or who is there states no whole name', () => {
    const name = {ref: '1', full: SHOP}
    for (const entries of [[], [entry('one', '1')], [entry('one', '1', SHOP)], [entry('one', '2', WEB)]])
      assert.deepEqual(new PlacedNames(entries).place(name), name)
  })

  it('place a name under itself, where another has the tag', () => {
    const placed = new PlacedNames([entry('one', '1', WEB)])
    assert.deepEqual(placed.place({ref: '1', full: SHOP}), {ref: SHOP, full: SHOP})
    assert.deepEqual(placed.place({ref: '1'}), {ref: '1'})
    // A reference could not select by it.
    assert.deepEqual(placed.place({ref: '1', full: '~odd:1'}), {ref: '1', full: '~odd:1'})
  })

  it('place a name where it stands already', () => {
    const placed = new PlacedNames([entry('one', 'mine', SHOP), entry('two', '1', SHOP)])
    assert.deepEqual(placed.place({ref: '1', full: SHOP}), {ref: 'mine', full: SHOP})
    assert.deepEqual(placed.place({ref: '1', full: 'shop:1'}), {ref: 'mine', full: 'shop:1'})
  })

  it('know what is added as what was there', () => {
    const placed = new PlacedNames([])
    const name = {ref: '1', full: SHOP}
    assert.equal(placed.add(name), name)
    assert.deepEqual(placed.place({ref: '1', full: WEB}), {ref: WEB, full: WEB})
    assert.deepEqual(placed.standing(name), [])
  })

  it('are selected by the tag where only one has it, else by the whole name', () => {
    const placed = new PlacedNames([entry('one', '1', SHOP), entry('two', '2', SHOP), entry('three', '2', WEB)])
    for (const [name, selector] of [
      [{ref: '1', full: SHOP}, '1'],
      [{ref: '2', full: SHOP}, SHOP],
      [{ref: '2', full: WEB}, WEB],
      [{ref: '2', full: SHOP, isAsked: true}, '2'],
      [{ref: '2'}, '2'],
      [{ref: '3', full: SHOP}, '3'],
    ] as const)
      assert.equal(placed.selectorOf(name), selector, JSON.stringify(name))
    // One whose whole name nobody knows is no other.
    assert.equal(new PlacedNames([entry('a', '1', SHOP), entry('b', '1')]).selectorOf({ref: '1', full: SHOP}), '1')
  })

  it('are asked for under a tag, with the whole name only where that stands nowhere else', () => {
    const placed = new PlacedNames([entry('one', '1', SHOP)])
    for (const [name, full] of [
      [{ref: '1', full: SHOP}, SHOP],
      [{ref: '2', full: SHOP}, undefined],
      [{ref: '2', full: WEB}, WEB],
      [{ref: '2'}, undefined],
    ] as const)
      assert.deepEqual(placed.asked(name), {ref: name.ref, full, isAsked: true})
  })
})

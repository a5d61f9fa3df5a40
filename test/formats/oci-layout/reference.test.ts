import assert from 'node:assert/strict'
import {findPinned, isRef, layoutGrammar} from '../../../src/formats/oci-layout/reference.js'
import {entryAsImage, isOf, selected} from '../../../src/formats/oci-layout/selected-images.js'
import {digestOf, type Digest} from '../../../src/model/digest.js'
import {errorOf} from '../../helpers/layout-store.js'
import {descriptorOf, OCI, tagged} from '../../helpers/layouts.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'

const SHA = digestOf(Buffer.from('one'))
const SHA512 = digestOf(Buffer.from('one'), 'sha512')
const {parse, format} = layoutGrammar('oci', 'DIR')

describe('a reference into a layout', () => {
  for (const [location, path, selector] of [
    ['images', 'images', undefined],
    ['a/b c', 'a/b c', undefined],
    ['images:1.0', 'images', '1.0'],
    ['images:example.com:5000/team/shop:1', 'images', 'example.com:5000/team/shop:1'],
    ['images:[::1]:5000/shop:1', 'images', '[::1]:5000/shop:1'],
    ['images:[::1]/shop:1', 'images', '[::1]/shop:1'],
    [`images@${SHA}`, 'images', `@${SHA}`],
    [`images@${SHA512}`, 'images', `@${SHA512}`],
    [`images:1@${SHA}`, 'images', `1@${SHA}`],
    ['images@sha256', 'images@sha256', undefined],
    ['images@home:1', 'images@home', '1'],
    ['C:\\images', 'C:\\images', undefined],
    ['C:\\images:1', 'C:\\images', '1'],
    [`C:/images@${SHA}`, 'C:/images', `@${SHA}`],
    [`images:_${'x'.repeat(511)}`, 'images', `_${'x'.repeat(511)}`],
  ] as const)
    it(`is parsed and spelt again: ${location.slice(0, 80)}`, () => {
      const reference = {transport: 'oci', path, ...(selector === undefined ? {} : {selector})}
      assert.deepEqual(parse(location), reference)
      assert.equal(format(reference), `oci:${location}`)
    })

  for (const location of [
    '',
    ':1',
    `@${SHA}`,
    'images:',
    'images:-1',
    'images:a b',
    'images:a$b',
    `images:@${SHA}`,
    'images:[::1]',
    'images:[x]:1',
    `images:_${'x'.repeat(512)}`,
    `images@${SHA.slice(0, -1)}`,
    `images@${SHA}0`,
    `images@${SHA.toUpperCase().replace('SHA256', 'sha256')}`,
    'images@sha256:',
    `images:1@${SHA.slice(0, -1)}`,
    `images@${SHA512.slice(0, -1)}`,
  ])
    it(`is refused: ${location.slice(0, 80)}`, async () => {
      assert.equal((await errorOf(() => parse(location))).code, 'BAD_REFERENCE')
    })

  it('is told with its selector where that is none, which is cut', async () => {
    assert.match((await errorOf(() => parse(`images:${'$'.repeat(400)}`))).message, /'\${300}'/)
  })

  for (const [text, is] of [
    ['1.0', true],
    ['_x', true],
    ['shop:1', true],
    ['', false],
    ['.x', false],
    [' x', false],
    ['x ', false],
  ] as const)
    it(`can ${is ? '' : 'not '}have '${text}' for a selector`, () => {
      assert.equal(isRef(text), is)
    })

  for (const [selector, pinned] of [
    ['1', undefined],
    [`@${SHA}`, {name: '', digest: SHA}],
    [`1@${SHA}`, {name: '1', digest: SHA}],
    [`a@b@${SHA}`, {name: 'a@b', digest: SHA}],
    ['1@sha256:1', undefined],
    [SHA, undefined],
  ] as const)
    it(`is pinned by a digest behind @: ${selector.slice(0, 20)}`, () => {
      assert.deepEqual(findPinned(selector), pinned)
    })
})

describe('what a reference selects in a layout', () => {
  const [one, two, index] = ['1', '2', 'index'].map((text) => digestOf(Buffer.from(text))) as [Digest, Digest, Digest]
  const images = [
    {names: ['docker.io/library/shop:1'], refs: ['1'], manifest: {digest: one}, within: [index]},
    {names: ['docker.io/library/web:1'], refs: ['1', 'shop:1'], manifest: {digest: two}, within: []},
    {names: [], refs: ['3'], manifest: {digest: SHA}, within: [index]},
  ]
  for (const [selector, chosen] of [
    [undefined, [0, 1, 2]],
    ['1', [0, 1]],
    // What stands under it comes before what has it for a name.
    ['shop:1', [1]],
    ['docker.io/library/shop:1', [0]],
    ['web:1', [1]],
    ['4', []],
    [`@${one}`, [0]],
    [`@${index}`, [0, 2]],
    [`@${two.slice(0, -1)}`, []],
    [`other:1@${two}`, [1]],
    [`other:1@${index}`, [0, 2]],
    [`other:1@${digestOf(Buffer.from('nothing'))}`, []],
  ] as const)
    it(`is ${chosen.length} of 3 for ${selector?.slice(0, 30) ?? 'none'}`, () => {
      const reference = {transport: 'oci', path: 'x', ...(selector === undefined ? {} : {selector})}
      assert.deepEqual(selected(images, reference), chosen.map((at) => images[at])) // prettier-ignore
    })

  it('is told of an entry by what that says alone', () => {
    const stated = descriptorOf(OCI.index, 'x', tagged('shop:1')) as unknown as StatedDescriptor
    assert.deepEqual(entryAsImage(stated), {names: ['shop:1'], refs: ['shop:1'], manifest: stated, within: []})
  })

  for (const [selector, is] of [
    [undefined, true],
    ['1', true],
    ['2', false],
    [`@${one}`, true],
    [`@${two}`, false],
    [one, false],
  ] as const)
    it(`is ${is ? '' : 'not '}what is no image, for ${selector?.slice(0, 20) ?? 'none'}`, () => {
      assert.equal(isOf({transport: 'oci', path: 'x', ...(selector === undefined ? {} : {selector})}, ['1'], one), is)
    })
})

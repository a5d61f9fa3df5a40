import assert from 'node:assert/strict'
import fc from 'fast-check'
import {SelectableImages, selected, type Selectable} from '../../../src/formats/oci-layout/selected-images.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {digest} from '../../helpers/stored-packages.js'

const DIGESTS = ['a', 'b', 'c'].map((digit) => digest(digit))
const NAMES = ['shop:1', 'shop', 'docker.io/library/shop:1', 'docker.io/shop:2', 'example.com/shop:1', 'A b', '1']
const REFS = [...NAMES, 'latest', ...DIGESTS.map((each) => `shop@${each}`), `@${digest('a')}`]
const SELECTORS = [...REFS, ...DIGESTS.map((each) => `@${each}`), `other:1@${digest('b')}`, '@sha256:a', 'none']

const image: fc.Arbitrary<Selectable> = fc.record({
  names: fc.subarray(NAMES),
  refs: fc.subarray(REFS),
  manifest: fc.record({digest: fc.constantFrom(...DIGESTS)}),
  within: fc.subarray(DIGESTS),
})

describe('images that are looked up by a selector', () => {
  it('are each that it would leave if it were the only one, in their order', () => {
    fc.assert(
      fc.property(fc.array(image, {maxLength: 6}), fc.option(fc.constantFrom(...SELECTORS)), (images, selector) => {
        const reference = {transport: 'oci', path: 'images', ...(selector === null ? {} : {selector})}
        assert.deepEqual(
          new SelectableImages(images).each(reference),
          images.filter((each) => selected([each], reference).length > 0),
        )
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('may be asked for by names that objects have', () => {
    const images = [{names: ['constructor'], refs: ['__proto__'], manifest: {digest: digest('a')}, within: []}]
    for (const [selector, expected] of [
      ['__proto__', 1],
      ['constructor', 1],
      ['toString', 0],
    ] as const)
      assert.equal(new SelectableImages(images).each({transport: 'oci', path: 'p', selector}).length, expected)
  })
})

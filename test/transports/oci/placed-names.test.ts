import assert from 'node:assert/strict'
import fc from 'fast-check'
import type {Digest} from '../../../src/model/digest.js'
import type {StatedDescriptor} from '../../../src/formats/image-documents/image-documents.js'
import {nameKey} from '../../../src/formats/image-documents/image-name.js'
import {indexEntries} from '../../../src/formats/oci-layout/index-entries.js'
import {indexNameOf} from '../../../src/formats/oci-layout/index-name.js'
import {statedNames} from '../../../src/formats/oci-layout/index-walk.js'
import {selected} from '../../../src/formats/oci-layout/selected-images.js'
import {PlacedNames} from '../../../src/formats/oci-layout/placed-names.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

const NAMES = [
  'shop:1',
  'docker.io/library/shop:1',
  'web:1',
  'team/web:1',
  'example.com:5000/web:1',
  'web',
  'web:latest',
  'odd_:1',
  'odd',
]
const digestOf = (image: number) => `sha256:${image.toString(16).padStart(64, '0')}` as Digest

/** An index as `LayoutDestination` grows it: each image under its name, in the place of the one that had it. */
function grow(entries: readonly StatedDescriptor[], text: string, image: number) {
  const placed = new PlacedNames(entries)
  const name = placed.add(placed.place(indexNameOf(text)!))
  const gone = new Set(placed.standing(name))
  const descriptor = {mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf(image), size: 1}
  const added = indexEntries(descriptor, undefined, [name]) as unknown as StatedDescriptor[]
  return {entries: [...entries.filter((entry) => !gone.has(entry)), ...added], selector: placed.selectorOf(name)}
}

function select(entries: readonly StatedDescriptor[], selector: string): string[] {
  const images = entries.map((entry) => ({...statedNames(entry), manifest: entry, within: []}))
  return selected(images, {transport: 'oci', path: 'x', selector}).map(({manifest}) => manifest.digest)
}

describe('names in the index of a layout', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({min: 1, max: 9})), {maxLength: 12})

  it('lead each to the image that was written last under it, and what was told leads there', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        let entries: readonly StatedDescriptor[] = []
        const wanted = new Map<string, {image: number; full: string}>()
        for (const [text, image] of taken) {
          const grown = grow(entries, text, image)
          entries = grown.entries
          wanted.set(nameKey(text), {image, full: indexNameOf(text)!.full!})
          assert.deepEqual(select(entries, grown.selector), [digestOf(image)])
        }
        assert.equal(entries.length, wanted.size)
        for (const {image, full} of wanted.values()) assert.deepEqual(select(entries, full), [digestOf(image)])
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})

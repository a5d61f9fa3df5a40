import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {convert, inspect, verify} from '../../src/index.js'
import {TransshipError} from '../../src/model/errors.js'
import {hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {GZIP_HEADERS, gzipBy} from '../helpers/gzip-forms.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {topPackage} from '../helpers/round-trip.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('compressed forms of layers that are made again', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()
  let made = 0
  const place = (name: string) => path.join(folder.path, `${name}-${made++}`)

  /** An image of one layer with that content, stored as that encoder does. */
  async function storedBy(encoder: string, content: Uint8Array): Promise<string> {
    const layer = await layerTarOf(withParents([fileOf('Files/content', Buffer.from(content))]))
    const parts = partsOf([layer])
    const file = place('image.tar')
    const stored = {layers: [gzipBy(encoder, layer)], suffix: '+gzip'}
    writeFileSync(file, await tarOf(hybridMembers(parts, {stored, withManifestJson: false})))
    return `oci-archive:${file}`
  }

  async function digestsOf(reference: string): Promise<unknown> {
    const {manifestDigest, layers} = await inspect(reference)
    return {manifestDigest, layers: layers.map(({digest, mediaType, size}) => [digest, mediaType, size])}
  }

  const encoders = fc.constantFrom(...Object.keys(GZIP_HEADERS))
  const content = fc.oneof(
    fc.uint8Array({maxLength: 5000, size: 'max'}),
    fc
      .tuple(fc.uint8Array({minLength: 1, maxLength: 50}), fc.integer({min: 1, max: 5000}))
      .map(([unit, times]) => Buffer.alloc(unit.length * times, unit)),
  )

  it('come back with their digests through packages, whatever the content, whoever encoded it', async () => {
    await fc.assert(
      fc.asyncProperty(content, encoders, async (bytes, encoder) => {
        const source = await storedBy(encoder, bytes)
        const there = await convert(source, `inbox:${place('packages')}`, {layers: 'chain', pins: 'reproduce'})
        assert.deepEqual([there.exact, there.artifacts[0]?.layers[0]?.pin], [true, 'reproduced'])
        const back = await convert(topPackage(there), `oci:${place('back')}`)
        assert.equal(back.exact, true)
        assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source))
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 20)},
    )
  })

  it('are not called right when any bit of their record is another', async () => {
    const source = await storedBy('go-1.8:6', Buffer.from('content '.repeat(1000)))
    const there = await convert(source, `inbox:${place('flipped')}`, {layers: 'chain', pins: 'reproduce'})
    const wanted = await digestsOf(source)
    const {identity = ''} = there.artifacts[0]!
    const file = path.join(there.destination.slice('inbox:'.length), identity, 'metadata.json')
    const sound = readFileSync(file)
    const [start, end] = [sound.indexOf('"Pins":['), sound.indexOf(']', sound.indexOf('"Pins":['))]
    assert.ok(start > 0 && end > start)
    const at = fc.integer({min: start, max: end})
    await fc.assert(
      fc.asyncProperty(at, fc.integer({min: 0, max: 7}), async (index, bit) => {
        const flipped = Uint8Array.from(sound)
        flipped[index] = flipped[index]! ^ (1 << bit)
        writeFileSync(file, flipped)
        const told = Buffer.from(flipped.subarray(start, end + 1)).toString('latin1')
        const faults = await verify(there.destination).then(
          (report) => report.faults.length,
          (error: unknown) => refusal(error),
        )
        assert.notEqual(faults, 0, `verify: ${told}`)
        const back = await convert(topPackage(there), `oci:${place('back')}`).catch(refusal)
        if (typeof back === 'string') return
        // What it still says may be true; then everything comes back.
        if (back.exact) assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), wanted, `convert: ${told}`)
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 5)},
    )
  })
})

/** Why it was refused; what nobody refuses is thrown on. */
function refusal(error: unknown): string {
  if (!(error instanceof TransshipError) || error.exitCode > 4) throw error
  return error.code
}

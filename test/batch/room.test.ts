import assert from 'node:assert/strict'
import {readdirSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {dryRunBatch} from '../../src/batch/dry-run.js'
import type {BatchEvent} from '../../src/batch/batch-event.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert, type WorkEvent} from '../../src/index.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const TEXT = 'a line of text that compresses as well as text does, and no better\n'

/** Bytes of all files below a folder. */
function sizesBelow(root: string): number {
  const found = readdirSync(root, {recursive: true, encoding: 'utf8'}).map((name) => statSync(path.join(root, name)))
  return found.filter((each) => each.isFile()).reduce((sum, {size}) => sum + size, 0)
}

describe('an image with compressed layers', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  let plain = ''

  before(async () => {
    const lines = Array.from({length: 60_000}, (_, index) => `${(index * 7919) % 104_729} ${TEXT}`).join('')
    const layers = [[fileOf('Files/a.txt', lines)], [fileOf('Files/b.txt', lines.toUpperCase())]]
    plain = await saveImage(at('plain.tar'), layers, {created: undefined})
    for (const compression of ['gzip'] as const)
      await convert(plain, `oci-archive:${at(`${compression}.tar`)}:1`, {compression})
  })

  for (const compression of ['gzip'])
    for (const [destination, options] of [
      ['inbox:made', {layers: 'chain'}],
      ['inbox:made', {layers: 'chain', pins: 'none'}],
      ['oci:made', {}],
      ['oci:made', {compression: 'none'}],
      ['docker-archive:made.tar', {}],
      ['docker-archive:made.tar', {'archive-format': 'docker'}],
      ['appx:made', {layers: 'chain'}],
    ] as const)
      it(`needs the room that a dry run says: ${compression} to ${destination} ${JSON.stringify(options)}`, async () => {
        const own = at(`${compression}-${destination.replace(':', '-')}-${Object.values(options).join('-')}`)
        const file = `${own}.json`
        const [transport, place] = destination.split(':')
        const item = {
          source: `oci-archive:${at(`${compression}.tar`)}`,
          destination: `${transport!}:${own}/${place!}`,
          options:
            transport === 'inbox' || transport === 'appx'
              ? {...options, name: 'Made', publisher: 'CN=T', 'package-version': '1.0.0.0'}
              : options,
        }
        writeFileSync(file, JSON.stringify({items: [item]}))
        const {space, items} = await dryRunBatch(file, {environment: {}})
        const archive = statSync(at(`${compression}.tar`)).size
        assert.ok(items[0]!.bytes! > archive * 0.8 && items[0]!.bytes! < archive, `${items[0]!.bytes!} of ${archive}`)
        const {totals} = await runBatch(file, {environment: {}})
        assert.equal(totals.failed, 0)
        const needed = space.reduce((sum, {neededBytes}) => sum + neededBytes, 0)
        const taken = sizesBelow(own)
        assert.ok(needed > taken * 0.75 && needed < taken * 1.35, `said ${needed}, took ${taken}`)
      })

  it('tells its progress by compressed bytes, up to the whole', async () => {
    const events: WorkEvent[] = []
    await convert(`oci-archive:${at('gzip.tar')}`, `inbox:${at('progress')}`, {
      layers: 'chain',
      name: 'Made',
      onEvent: (event) => events.push(event),
    })
    const steps = events.flatMap((event) => (event.kind === 'step' ? [event] : []))
    assert.deepEqual(
      steps.map(({title}) => /\((\d of \d)\)$/.exec(title)?.[1]),
      ['1 of 2', '2 of 2'],
    )
    const total = steps.reduce((sum, {totalBytes = 0}) => sum + totalBytes, 0)
    const archive = statSync(at('gzip.tar')).size
    assert.ok(total > archive * 0.8 && total < archive, `${total} of ${archive}`)
    const told: BatchEvent[] = []
    const file = at('progress.json')
    const destination = `inbox:${at('progress-batch')}`
    writeFileSync(
      file,
      JSON.stringify({items: [{source: `oci-archive:${at('gzip.tar')}`, destination, options: {name: 'M'.repeat(3)}}]}),
    )
    await runBatch(file, {environment: {}, onEvent: (event) => told.push(event)})
    const begun = told.find((event) => event.kind === 'item-begun')
    assert.equal(begun?.totalBytes, total)
  })
})

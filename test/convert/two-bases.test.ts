import assert from 'node:assert/strict'
import {cpSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, verify, type ConvertOptions} from '../../src/index.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {osLayer} from '../helpers/os-layers.js'
import {tombstone} from '../helpers/file-system-model.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {diffIdsIn} from '../helpers/windows-images.js'

const VERSION = '10.0.17763.1'
const NAME = 'CN=Microsoft_WindowsServerCore_10.0.17763.1'

/** Two operating systems that say the same of themselves, and what was built on each. */
const BASES = [osLayer({type: 'Server Core', mark: 'one'}), osLayer({type: 'Server Core', mark: 'two'})]
const APPS = [
  [fileOf('Files/app.txt', 'first'), tombstone('Files/Windows/mark.txt')],
  [fileOf('Files/app.txt', 'second')],
]

describe('two bases of one build', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  const images: string[] = []

  before(async () => {
    for (const [index, base] of BASES.entries())
      images.push(
        await saveImage(at(`image-${index}.tar`), [base, APPS[index]!], {'os.version': VERSION, created: undefined}),
      )
  })

  const tags = (index: number): ConvertOptions => ({tags: [`contoso/app${index}:1`]})

  for (const transport of ['inbox', 'appx'])
    for (const layers of ['chain', 'squash'] as const)
      for (const options of [{}, {replace: true}, {withoutBase: true}])
        it(`lie side by side in ${transport} (${layers}, ${JSON.stringify(options)}), and each image comes back on its own`, async () => {
          const place = at(`${transport}-${layers}-${Object.keys(options).join('')}`)
          const tops: string[] = []
          for (const [index, image] of images.entries()) {
            const report = await convert(image, `${transport}:${place}`, {...options, ...tags(index), layers})
            tops.push(report.artifacts.at(-1)!.reference)
            const [os] = report.artifacts
            assert.match(os!.identity!, index === 0 ? /ServerCore_/ : /ServerCore-[0-9a-f]{8}_/)
            assert.deepEqual(
              report.notes.filter(({code}) => code === 'identity-taken').map(({subject}) => subject),
              index === 0 ? [] : [NAME],
            )
            assert.deepEqual(report.artifacts.at(-1)!.dependencies, [os!.identity])
          }
          const {faults} = await verify(`${transport}:${place}`)
          assert.deepEqual(faults, [])
          for (const [index, top] of tops.entries()) {
            const back = at(`back-${transport}-${layers}-${index}.tar`)
            const bases = 'withoutBase' in options ? {bases: [images[index]!]} : {}
            const report = await convert(top, `docker-archive:${back}`, {replace: true, ...bases})
            assert.deepEqual(await diffIdsIn(back), await diffIdsIn(at(`image-${index}.tar`)))
            if (layers === 'chain') assert.deepEqual([report.exact, report.inexact], [true, []])
            if (!('withoutBase' in options)) continue
            // The other one says the same of itself, and is not what was built on.
            const other = {replace: true, bases: [images[1 - index]!]}
            await assert.rejects(convert(top, `docker-archive:${back}`, other), {code: 'DEPENDENCY_MISMATCH'})
            const accepted = await convert(top, `docker-archive:${back}`, {...other, acceptBaseMismatch: true})
            assert.equal(accepted.exact, false)
          }
          // Again: nothing is new.
          if ('withoutBase' in options) return
          for (const [index, image] of images.entries()) {
            const again = await convert(image, `${transport}:${place}`, {...options, ...tags(index), layers: 'chain'})
            assert.equal(again.artifacts[0]!.unchanged, true)
          }
        })

  const swaps: readonly {title: string; swap: (one: string, other: string) => void}[] = [
    {
      title: 'its whole folder, under the name of the first',
      swap: (one, other) => {
        rmSync(one, {recursive: true})
        cpSync(other, one, {recursive: true})
        const file = path.join(one, 'metadata.json')
        const name = path.basename(other).split('_')[1]!
        writeFileSync(file, readFileSync(file, 'utf8').replaceAll(name, 'WindowsServerCore'))
      },
    },
    {
      title: 'its payload with the index, under the metadata of the first',
      swap: (one, other) => {
        const metadata = readFileSync(path.join(one, 'metadata.json'))
        rmSync(one, {recursive: true})
        cpSync(other, one, {recursive: true})
        writeFileSync(path.join(one, 'metadata.json'), metadata)
      },
    },
    {
      title: 'its files alone',
      swap: (one, other) => {
        rmSync(path.join(one, 'Files'), {recursive: true})
        cpSync(path.join(other, 'Files'), path.join(one, 'Files'), {recursive: true})
      },
    },
    {
      title: 'its files alone, without an index',
      swap: (one, other) => {
        rmSync(path.join(one, 'Files'), {recursive: true})
        rmSync(path.join(one, 'payload-index.jsonl'))
        cpSync(path.join(other, 'Files'), path.join(one, 'Files'), {recursive: true})
      },
    },
  ]
  for (const {title, swap} of swaps)
    it(`finds that the second took the place of the first: ${title}`, async () => {
      const place = at(`swapped-${swaps.findIndex((each) => each.title === title)}`)
      const tops: string[] = []
      let other = ''
      for (const [index, image] of images.entries()) {
        const {artifacts} = await convert(image, `inbox:${place}`, {...tags(index), layers: 'chain'})
        tops.push(artifacts.at(-1)!.reference)
        other = artifacts[0]!.identity!
      }
      swap(path.join(place, NAME), path.join(place, other))
      const [top, second] = tops
      assert.notDeepEqual((await verify(`inbox:${place}`)).faults, [])
      assert.deepEqual((await verify(second!)).faults, [])
      for (const target of [`docker-archive:${at('never.tar')}`, `inbox:${at('never')}`, `oci:${at('never-oci')}`])
        await assert.rejects(convert(top!, target, {layers: 'chain'}), {code: 'DEPENDENCY_MISMATCH'}, target)
      // What can be told is told all the same.
      assert.equal((await inspect(top!)).layers.length, 2)
      // With the right one at hand it works, if the wrong one is known by its metadata.
      const accepted = await convert(top!, `oci:${at(`accepted-${path.basename(place)}`)}`, {acceptBaseMismatch: true})
      assert.equal(accepted.exact, false)
    })

  it('takes the right base from elsewhere', async () => {
    const place = at('supplied')
    const {artifacts} = await convert(images[0]!, `inbox:${place}`, {...tags(0), layers: 'chain'})
    const elsewhere = at('elsewhere')
    await convert(images[0]!, `inbox:${elsewhere}`, {...tags(0), layers: 'chain'})
    await convert(images[1]!, `inbox:${at('wrong')}`, {...tags(1), layers: 'chain'})
    rmSync(path.join(place, NAME), {recursive: true})
    renameSync(path.join(at('wrong'), NAME), path.join(place, NAME))
    const top = artifacts.at(-1)!.reference
    const {faults} = await verify(top)
    assert.deepEqual(
      faults.map(({code}) => code),
      ['DEPENDENCY_MISMATCH'],
    )
    const back = at('supplied.tar')
    await assert.rejects(convert(top, `docker-archive:${back}`), {code: 'DEPENDENCY_MISMATCH'})
    const wrong = {bases: [`inbox:${place}:WindowsServerCore`]}
    await assert.rejects(convert(top, `docker-archive:${back}`, wrong), {code: 'DEPENDENCY_MISMATCH'})
    for (const base of [`inbox:${elsewhere}:WindowsServerCore`, images[0]!]) {
      const report = await convert(top, `docker-archive:${back}`, {bases: [base], replace: true})
      assert.deepEqual([report.exact, report.inexact], [true, []])
      assert.deepEqual(await diffIdsIn(back), await diffIdsIn(at('image-0.tar')))
    }
  })

  it('reads packages that do not say what they were made on', async () => {
    const place = at('before')
    const {artifacts} = await convert(images[0]!, `inbox:${place}`, {...tags(0), layers: 'chain'})
    const top = artifacts.at(-1)!
    const file = path.join(place, top.identity!, 'metadata.json')
    const stripped = readFileSync(file, 'utf8').replace(/,"PayloadDigest":"[^"]*","DiffID":"[^"]*"/, '')
    assert.ok(!/"Dependencies":\[[^\]]*Digest/.test(stripped))
    writeFileSync(file, stripped)
    assert.deepEqual((await verify(`inbox:${place}`)).faults, [])
    const report = await convert(top.reference, `docker-archive:${at('before.tar')}`)
    assert.deepEqual([report.exact, report.inexact], [true, []])
  })
})

import assert from 'node:assert/strict'
import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {convert, planConversion, TransshipError, type ConvertOptions} from '../../src/index.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {osLayer} from '../helpers/os-layers.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

interface Row {
  readonly title: string
  readonly to: (folder: string) => string
  readonly options?: ConvertOptions
  /** Only reading the layers tells whether what is there is the same. */
  readonly isCompared?: true
}

const NAMED: ConvertOptions = {tags: ['contoso/app:1']}
const CHAIN: ConvertOptions = {...NAMED, layers: 'chain'}
const ROWS: readonly Row[] = [
  {title: 'inbox, as a chain', to: (folder) => `inbox:${folder}/repository`, options: CHAIN},
  {title: 'inbox, squashed', to: (folder) => `inbox:${folder}/repository`, options: NAMED, isCompared: true},
  {title: 'a folder of appx', to: (folder) => `appx:${folder}/packages`, options: CHAIN},
  {
    title: 'layout',
    to: (folder) => `layout:${folder}/layout`,
    options: {layers: 'squash', osLayers: 0},
    isCompared: true,
  },
  {title: 'oci', to: (folder) => `oci:${folder}/layout:1`},
  {title: 'oci, by the names of the image', to: (folder) => `oci:${folder}/layout`, options: NAMED},
  {
    title: 'oci, compressed',
    to: (folder) => `oci:${folder}/layout:1`,
    options: {compression: 'gzip'},
    isCompared: true,
  },
  {title: 'oci-archive', to: (folder) => `oci-archive:${folder}/image.tar:1`, isCompared: true},
  {title: 'docker-archive', to: (folder) => `docker-archive:${folder}/image.tar`, options: NAMED, isCompared: true},
  {title: 'docker', to: (folder) => `docker://REGISTRY/contoso/${path.basename(folder)}:1`},
  {
    title: 'docker, two tags',
    to: (folder) => `docker://REGISTRY/two/${path.basename(folder)}`,
    options: {tags: ['1', '2']},
  },
]

/** What the run made of each step, in the words of the plan; one word when it was refused as a whole. */
async function runOutcomes(source: string, destination: string, options: ConvertOptions): Promise<readonly string[]> {
  try {
    const {artifacts} = await convert(source, destination, options)
    return artifacts.map(({unchanged}) => (unchanged === true ? 'unchanged' : 'written'))
  } catch (error) {
    assert.ok(error instanceof TransshipError)
    assert.ok(['DESTINATION_EXISTS', 'IDENTITY_CLASH'].includes(error.code), error.message)
    return ['refused']
  }
}

describe('what a dry run says of the destination', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  let registry: MemoryRegistry
  let one = ''
  let other = ''
  let top = ''

  before(async () => {
    registry = await startMemoryRegistry()
    const os = osLayer({type: 'Server Core', mark: 'x'})
    const config = {'os.version': '10.0.17763.1', created: undefined}
    const image = (name: string, layers: Parameters<typeof saveImage>[1]) => saveImage(at(name), layers, config)
    const shared = fileOf('Files/same.txt', 'in both')
    one = await image('one.tar', [os, [shared], [fileOf('Files/app.txt', 'one')]])
    other = await image('other.tar', [os, [shared], [fileOf('Files/app.txt', 'other')]])
    // Made of other layers below, so that its packages are others under the same names.
    top = await image('top.tar', [os, [fileOf('Files/changed.txt', 'x')], [fileOf('Files/app.txt', 'one')]])
  })
  after(() => registry.stop())

  for (const [index, {title, to, options = {}, isCompared = false}] of ROWS.entries())
    for (const [state, first, second] of [
      ['nothing', undefined, () => one],
      ['the same', () => one, () => one],
      ['something else', () => one, () => other],
      ['something else with packages on it', () => one, () => top],
    ] as const)
      for (const replace of [false, true])
        it(`is what the run does: ${title}, ${state} there, ${replace ? 'with' : 'without'} --replace`, async () => {
          const own = at(`row-${index}-${state.replaceAll(' ', '-')}-${String(replace)}`)
          mkdirSync(own)
          const place = to(own).replace('REGISTRY', registry.host)
          if (first !== undefined) await convert(first(), place, options)
          const given = {...options, replace}
          const plan = await planConversion(second(), place, given)
          const said = plan.steps.map(({outcome}) => outcome)
          const done = await runOutcomes(second(), place, given)
          // Nothing is left unsaid, and doubt only where nothing but the content can tell.
          assert.ok(said.length > 0 && !said.includes(undefined), JSON.stringify(plan.steps))
          if (said.includes('compared')) assert.ok(isCompared || replace, JSON.stringify([said, done]))
          if (state === 'nothing') assert.deepEqual(new Set(said), new Set(['written']))
          if (done.includes('refused')) {
            assert.ok(said.includes('refused') || (isCompared && said.includes('compared')), JSON.stringify(said))
            return
          }
          assert.ok(!said.includes('refused'), JSON.stringify([said, done]))
          for (const [step, outcome] of said.entries()) {
            if (outcome === 'compared') continue
            assert.equal(outcome === 'unchanged' ? 'unchanged' : 'written', done[step], JSON.stringify([said, done]))
          }
        })

  for (const transport of ['inbox', 'appx'])
    for (const replace of [false, true])
      it(`is that what others were made on stays: ${transport}${replace ? ', to be replaced' : ''}`, async () => {
        const place = `${transport}:${at(`held-${transport}-${String(replace)}`)}`
        await convert(one, place, CHAIN)
        const middle = await saveImage(
          at('middle.tar'),
          [osLayer({type: 'Server Core', mark: 'x'}), [fileOf('Files/same.txt', 'not in both')]],
          {'os.version': '10.0.17763.1', created: undefined},
        )
        const named: ConvertOptions = {
          layers: 'chain',
          name: 'app-L01',
          publisher: 'CN=contoso',
          packageVersion: '1.0.0.0',
          replace,
        }
        const {steps} = await planConversion(middle, place, named)
        assert.equal(steps.at(-1)!.outcome, 'refused')
        assert.deepEqual(await runOutcomes(middle, place, named), ['refused'])
      })
})

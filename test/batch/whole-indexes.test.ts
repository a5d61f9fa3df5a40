import assert from 'node:assert/strict'
import {readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {isDestinationFree} from '../../src/batch/destination-state.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert, list} from '../../src/index.js'
import {partsOf, tarOf} from '../helpers/archives.js'
import {LayoutBuilder, tagged} from '../helpers/layouts.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('an index that a batch copies as a whole', () => {
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  let plan = ''

  before(async () => {
    const builder = new LayoutBuilder()
    const tars = ['1', '2'].map((text) => tarOf([['etc/os', text]]))
    const images = (await Promise.all(tars)).map((tar) => builder.image(partsOf([tar], {os: 'linux'})))
    builder.manifests.push({...builder.index(images), ...tagged('multi')}, {...images[0], ...tagged('one')})
    builder.writeFolder(at('source'))
    plan = at('plan.json')
    const item = {source: 'oci:source:multi', destination: 'oci:out', options: {all: true}}
    writeFileSync(plan, JSON.stringify({items: [item]}))
  })

  beforeEach(() => {
    for (const name of ['out', 'plan.json.journal']) rmSync(at(name), {recursive: true, force: true})
  })

  const run = async () =>
    (await runBatch(plan, {environment: {}})).items.map(({state, failure}) => failure?.code ?? state)

  it('is not copied again when it is there', async () => {
    assert.deepEqual(await run(), ['converted'])
    const before = readFileSync(at('out/index.json'))
    assert.deepEqual(await run(), ['already-done'])
    assert.deepEqual(readFileSync(at('out/index.json')), before)
  })

  it('is not done, and takes nothing, where its tag is another image by now', async () => {
    assert.deepEqual(await run(), ['converted'])
    const index = JSON.parse(readFileSync(at('out/index.json'), 'utf8')) as {manifests: {annotations: object}[]}
    // The index itself is still there, by another name.
    for (const entry of index.manifests) entry.annotations = tagged('kept').annotations
    writeFileSync(at('out/index.json'), JSON.stringify(index))
    await convert(`oci:${at('source')}:one`, `oci:${at('out')}`, {tags: ['source:multi']})
    const listed = async () => (await list(`oci:${at('out')}:multi`)).items.map(({imageId}) => imageId)
    const before = await listed()
    assert.deepEqual(await run(), ['DESTINATION_EXISTS'])
    assert.deepEqual(await listed(), before)
  })
})

describe('a destination of a batch', () => {
  const folder = temporaryFolder()

  it('is not free where a package has the name with the ending that may be left out', async () => {
    writeFileSync(path.join(folder.path, 'web.appx'), 'a package')
    const unit = {
      id: 'i',
      key: 'k',
      item: 0,
      source: 'oci:x',
      destination: 'appx:web',
      options: {},
      after: [],
      before: [],
    }
    assert.equal(await isDestinationFree(unit, {folder: folder.path}), false)
    assert.equal(await isDestinationFree({...unit, destination: 'layout:web'}, {folder: folder.path}), true)
  })
})

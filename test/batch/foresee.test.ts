import assert from 'node:assert/strict'
import {copyFileSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {dryRunBatch} from '../../src/batch/dry-run.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert} from '../../src/index.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {osLayer} from '../helpers/os-layers.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const CHAIN = {layers: 'chain', name: 'app', publisher: 'CN=contoso', 'package-version': '1.0.0.0'}

describe('a dry run of a batch', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  let one = ''
  let other = ''

  before(async () => {
    const os = osLayer({type: 'Server Core', mark: 'x'})
    const config = {'os.version': '10.0.17763.1', created: undefined}
    one = await saveImage(at('one.tar'), [os, [fileOf('Files/app.txt', 'one')]], config)
    copyFileSync(at('one.tar'), at('again.tar'))
    other = await saveImage(at('other.tar'), [os, [fileOf('Files/app.txt', 'other')]], config)
  })

  const plan = (name: string, items: readonly object[]) => {
    const file = at(`${name}.json`)
    writeFileSync(file, JSON.stringify({items}))
    return file
  }

  for (const {name, items, before, refused} of [
    {
      name: 'two that would be called the same',
      items: () => [
        {source: one, destination: 'inbox:two', options: CHAIN},
        {source: other, destination: 'inbox:two', options: CHAIN},
      ],
      before: undefined,
      refused: [false, true],
    },
    {
      name: 'two that are the same',
      items: () => [
        {source: one, destination: 'inbox:same', options: CHAIN},
        {source: at('again.tar'), destination: 'inbox:same', options: CHAIN},
      ],
      before: undefined,
      refused: [false, false],
    },
    {
      name: 'two tags of a layout that would be taken from each other',
      items: () => [
        {source: one, destination: 'oci:tags', options: {tag: 'contoso/a:1'}},
        {source: other, destination: 'oci:tags', options: {tag: 'contoso/a:1'}},
        {source: other, destination: 'oci:tags', options: {tag: 'contoso/a:2'}},
      ],
      before: undefined,
      refused: [false, true, false],
    },
    {
      name: 'what is taken',
      items: () => [
        {source: other, destination: 'oci:taken:1'},
        {source: one, destination: 'oci:taken:2'},
        {source: other, destination: 'oci:taken:3'},
      ],
      before: () => convert(one, `oci:${at('taken')}:1`),
      refused: [true, false, false],
    },
  ] as const)
    it(`finds ${name}, as the run does, before anything is written`, async () => {
      await before?.()
      const file = plan(name.replaceAll(' ', '-'), items())
      const there = readdirSync(folder.path).sort()
      const {items: told} = await dryRunBatch(file, {environment: {}})
      assert.deepEqual(readdirSync(folder.path).sort(), there)
      assert.deepEqual(
        told.map(({state}) => state === 'refused'),
        refused,
      )
      const {code} = await runCli(['batch', file, '--dry-run'])
      assert.equal(code, refused.some(Boolean) ? 1 : 0)
      const {items: done} = await runBatch(file, {environment: {}, concurrency: 1})
      assert.deepEqual(
        done.map(({failure}) => failure?.code),
        told.map(({failure}) => failure?.code),
      )
    })

  it('tells a source that cannot be converted with the others, not instead of them', async () => {
    const items = [
      {source: one, destination: 'inbox:mixed', options: CHAIN},
      {source: one, destination: 'inbox:mixed', options: {...CHAIN, layers: 'squash', 'os-layers': 9, name: 'nine'}},
    ]
    const {items: told} = await dryRunBatch(plan('mixed', items), {environment: {}})
    assert.deepEqual(
      told.map(({state, failure}) => [state, failure?.code]),
      [
        ['to-do', undefined],
        ['refused', 'BAD_OPTION'],
      ],
    )
  })
})

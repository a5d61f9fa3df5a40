import assert from 'node:assert/strict'
import fs, {writeFileSync} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'
import path from 'node:path'
import {survey} from '../../src/batch/migrate/survey.js'
import type {PlannedUnit} from '../../src/batch/unit.js'
import {writeManyPackages} from '../helpers/many-packages.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const OS = 'CN=Microsoft_WindowsServerCore_10.0.14393.206'
const appOf = (index: number) => `CN=Contoso_App${String(index)}_1.0.0.0`

/** How often a folder was listed while the work ran. */
async function listingsOf<T>(folder: string, work: () => Promise<T>): Promise<{count: number; result: T}> {
  const {readdir} = fs.promises
  let count = 0
  fs.promises.readdir = ((target: string, ...rest: never[]) => {
    if (path.resolve(target) === path.resolve(folder)) count++
    return readdir(target, ...rest)
  }) as typeof readdir
  syncBuiltinESMExports()
  try {
    return {result: await work(), count}
  } finally {
    fs.promises.readdir = readdir
    syncBuiltinESMExports()
  }
}

describe('looking for edited packages before a migration', () => {
  const folder = temporaryFolder()

  const unitOf = (repository: string, index: number) =>
    ({
      id: appOf(index),
      source: `inbox:${repository}:${appOf(index)}`,
      before: [{kind: 'package', reference: '', names: [], identity: appOf(index)}],
      chain: [appOf(index), OS],
      options: {},
    }) as unknown as PlannedUnit

  for (const packages of [2, 20])
    it(`lists their place once, for ${String(packages)} packages as for one`, async () => {
      const repository = path.join(folder.path, `of-${String(packages)}`)
      writeManyPackages(repository, packages)
      const edited = packages - 1
      writeFileSync(path.join(repository, appOf(edited), 'Files', 'added.txt'), 'not a carrier')
      const units = Array.from({length: packages - 1}, (_, index) => unitOf(repository, index))
      const {count, result} = await listingsOf(repository, () => survey(units, {folder: folder.path}))
      assert.equal(count, 1)
      assert.deepEqual(
        units.map(({id}) => result.get(id)!.content),
        units.map(() => 'new'),
        'the edited one was not asked for',
      )
      const all = await survey([...units, unitOf(repository, edited)], {folder: folder.path})
      assert.deepEqual(
        all.get(appOf(edited))?.changes.map(({package: name, file, kind}) => [name, file, kind]),
        [[appOf(edited), 'Files/added.txt', 'added']],
      )
    })
})

import assert from 'node:assert/strict'
import {existsSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {MadeFolders} from '../../src/disk/made-folders.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('folders that are made on the way to one', () => {
  const folder = temporaryFolder()
  const at = (...names: string[]) => path.join(folder.path, ...names)

  it('go when they are taken back, as far as they are empty and were not there', () => {
    mkdirSync(at('there'))
    MadeFolders.make(at('there', 'a', 'b')).remove()
    assert.ok(existsSync(at('there')) && !existsSync(at('there', 'a')))
    const made = MadeFolders.make(at('there', 'c', 'd'))
    writeFileSync(at('there', 'c', 'file'), '')
    made.remove()
    assert.ok(existsSync(at('there', 'c', 'file')) && !existsSync(at('there', 'c', 'd')))
    MadeFolders.make(at('there')).remove()
    assert.ok(existsSync(at('there')))
  })

  it('go when the next one cannot be made', () => {
    assert.throws(() => MadeFolders.make(at('begun', 'a', 'x'.repeat(300))), {code: 'ENAMETOOLONG'})
    assert.ok(!existsSync(at('begun')))
  })

  it('are not made where a file is in the way', () => {
    writeFileSync(at('file'), '')
    assert.throws(() => MadeFolders.make(at('file')), {code: 'EEXIST'})
    assert.throws(() => MadeFolders.make(at('file', 'below')), {code: 'ENOTDIR'})
  })
})

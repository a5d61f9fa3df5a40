import assert from 'node:assert/strict'
import {existsSync, mkdtempSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {DiskClock} from '../../../src/disk/disk-clock.js'
import {LayoutFolders} from '../../../src/formats/transport-layout/layout-folders.js'
import {parseLayerPath as at} from '../../../src/model/layer-path.js'
import {UNIX_EPOCH} from '../../../src/model/windows-metadata.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const timesAt = (seconds: number) => {
  const time = UNIX_EPOCH + BigInt(seconds) * 10_000_000n
  return {creation: time, lastAccess: time, lastWrite: time, change: time}
}

describe('the folders of a layout that is written', () => {
  const folder = temporaryFolder()
  function made(files: readonly string[] = []) {
    const root = mkdtempSync(path.join(folder.path, 'layout-'))
    return {
      root,
      folders: new LayoutFolders(root, 'it', (place) =>
        files.find((file) => file.toLowerCase() === place.toLowerCase()),
      ),
    }
  }
  const isFolder = (...parts: string[]) => statSync(path.join(...parts)).isDirectory()

  it('are made with those above, once, as they are spelt first', () => {
    const {root, folders} = made()
    assert.equal(folders.find('Files/A'), undefined)
    assert.equal(folders.make('Files/A/b'), 'Files/A/b')
    assert.equal(folders.make('FILES/a/B'), 'Files/A/b')
    assert.equal(folders.make('files/a/c'), 'Files/A/c')
    assert.deepEqual(
      [isFolder(root, 'Files/A/b'), isFolder(root, 'Files/A/c'), existsSync(path.join(root, 'files'))],
      [true, true, false],
    )
    assert.deepEqual([folders.find('files/A'), folders.find('Files/A/d')], ['Files/A', undefined])
  })

  it('are where entries lie', () => {
    const {folders} = made()
    assert.equal(folders.placeFor(at('tombstones.txt'), timesAt(1)), 'tombstones.txt')
    assert.equal(folders.findPlace(at('tombstones.txt')), 'tombstones.txt')
    assert.equal(folders.findPlace(at('Files/A/x')), undefined)
    assert.equal(folders.placeFor(at('Files/A/x'), timesAt(1)), 'Files/A/x')
    assert.equal(folders.findPlace(at('FILES/a/Y')), 'Files/A/Y')
  })

  it('have the times of their entry, else of the first inside, else of no day', () => {
    const {root, folders} = made()
    folders.placeFor(at('Files/lent/x'), timesAt(10))
    folders.placeFor(at('Files/lent/y'), timesAt(20))
    folders.state(at('Files/own'), timesAt(30))
    folders.placeFor(at('Files/own/x'), timesAt(40))
    folders.make('Hives')
    folders.state(at('Files/again'), timesAt(50))
    folders.retime('files/AGAIN', timesAt(60))
    folders.retime('Files/none', timesAt(60))
    folders.finish(new DiskClock(undefined))
    const seconds = (name: string) => statSync(path.join(root, name)).mtimeMs / 1000
    assert.deepEqual(['Files', 'Files/lent', 'Files/own', 'Files/again', 'Hives'].map(seconds), [10, 10, 30, 60, 0])
    assert.deepEqual(
      [folders.timesOf('FILES/Own'), folders.timesOf('Hives'), folders.timesOf('Files/none')],
      [timesAt(30), timesAt(0), timesAt(0)],
    )
  })

  it('may be stated once, also behind what lies in them', () => {
    const {folders} = made()
    folders.make('Files/a')
    assert.equal(folders.state(at('files/A'), timesAt(1)), 'Files/a')
    assert.throws(() => folders.state(at('Files/A'), timesAt(1)), {code: 'NAME_COLLISION', at: {path: 'it'}})
    assert.throws(() => folders.state(at('Files/a'), timesAt(1)), {code: 'DUPLICATE_ENTRY'})
  })

  it('are refused where a file is', () => {
    const {root, folders} = made(['Files/a'])
    folders.make('Files')
    assert.throws(() => folders.make('Files/A/b'), {code: 'NAME_COLLISION', at: {path: 'it'}})
    assert.throws(() => folders.state(at('Files/A'), timesAt(1)), {code: 'NAME_COLLISION'})
    assert.throws(() => folders.state(at('Files/a'), timesAt(1)), {code: 'DUPLICATE_ENTRY'})
    // What nobody has told of, the disk does.
    writeFileSync(path.join(root, 'Files/there'), '')
    assert.throws(() => folders.make('Files/there'), {code: 'NAME_COLLISION', at: {path: 'it'}})
  })

  it('tell what the disk says by their place', () => {
    const folders = new LayoutFolders(path.join(folder.path, 'none'), 'it', () => undefined)
    assert.throws(() => folders.make('Files'), {code: 'NOT_FOUND', at: {path: 'it/Files'}})
  })
})

import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {LayoutLinks, type LayoutLinksOptions} from '../../../src/formats/transport-layout/layout-links.js'
import type {FileEntry, HardLinkEntry} from '../../../src/model/layer-entry.js'
import {parseLayerPath as at} from '../../../src/model/layer-path.js'
import {fileEntry, linkEntry} from '../../helpers/file-system-model.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe('the links of a layout that is written', () => {
  const folder = temporaryFolder()
  const link = (own: string, target: string, means?: HardLinkEntry['means']) => ({
    ...(linkEntry(own, target) as HardLinkEntry),
    ...(means === undefined ? {} : {means}),
  })
  function links(change: Partial<LayoutLinksOptions> = {}) {
    const root = mkdtempSync(path.join(folder.path, 'links-'))
    mkdirSync(path.join(root, 'Files'))
    const files = new Map<string, string>()
    const told: string[] = []
    const file = (name: string) => {
      writeFileSync(path.join(root, name), name)
      files.set(name.toLowerCase(), name)
      all.made(at(name))
    }
    const all = new LayoutLinks({
      root,
      title: 'it',
      findFile: (entry) => files.get(entry.toLowerCase()),
      place: ({path: own}) => own,
      readLower: (target) => (target === 'Files/low' ? (fileEntry('Files/low', 'low') as FileEntry) : undefined),
      isPlain: (entry) => entry.startsWith('UtilityVM'),
      copyLower: ({path: own}, entry) => {
        told.push(`lower ${own} as ${entry.path}`)
        return Promise.resolve()
      },
      copyOwn: (place, target, entry) => {
        told.push(`own ${place} of ${target} as ${entry.path}`)
        return Promise.resolve()
      },
      onLink: (own, target) => {
        told.push(`${own} = ${target}`)
        files.set(own.toLowerCase(), own)
      },
      onCopy: (own, target) => {
        told.push(`copied ${own} of ${target}`)
      },
      ...change,
    })
    return {all, root, told, file}
  }
  const isSame = (root: string, one: string, other: string) =>
    statSync(path.join(root, one)).ino === statSync(path.join(root, other)).ino

  it('are real links to what is there, in whatever case', async () => {
    const {all, root, told, file} = links()
    file('Files/a')
    await all.add(link('Files/b', 'FILES/A'))
    await all.finish()
    assert.deepEqual([told, isSame(root, 'Files/a', 'Files/b')], [['Files/b = Files/a'], true])
  })

  it('are what their layer says that they mean', async () => {
    const {all, told, file} = links()
    file('Files/a')
    file('Files/low')
    await all.add(link('Files/own', 'Files/low', {kind: 'own', path: at('Files/a')}))
    await all.add(link('Files/below', 'Files/low', {kind: 'below', target: at('Files/low')}))
    await all.add(link('Files/later', 'Files/a', {kind: 'later', target: at('Files/a')}))
    assert.deepEqual(told, ['Files/own = Files/a', 'lower Files/low as Files/below'])
    await all.finish()
    assert.deepEqual(told.slice(2), ['Files/later = Files/a'])
  })

  it('lead below where nothing is there, and else to what comes', async () => {
    const {all, told, file} = links()
    await all.add(link('Files/one', 'Files/low'))
    await all.add(link('Files/two', 'Files/late'))
    await all.add(link('Files/three', 'Files/two'))
    file('Files/LATE')
    await all.finish()
    assert.deepEqual(told, ['lower Files/low as Files/one', 'Files/two = Files/LATE', 'Files/three = Files/two'])
  })

  it('are refused where there is nothing, by the first of them', async () => {
    await assert.rejects(links().all.add(link('Files/a', 'Files/none', {kind: 'below', target: at('Files/none')})), {
      code: 'LINK_TARGET_MISSING',
    })
    const {all} = links()
    await all.add(link('Files/a', 'Files/none'))
    await all.add(link('Files/b', 'Files/a'))
    await assert.rejects(
      all.finish(),
      (error: {code?: string; message: string}) =>
        error.code === 'LINK_TARGET_MISSING' && error.message.includes('Files/a'),
    )
  })

  it('are copies between places with carriers and places without', async () => {
    const {all, root, told, file} = links()
    mkdirSync(path.join(root, 'UtilityVM'))
    file('UtilityVM/a')
    file('Files/a')
    await all.add(link('UtilityVM/c', 'UtilityVM/a'))
    await all.add(link('Files/b', 'UtilityVM/a'))
    await all.add(link('UtilityVM/b', 'Files/a'))
    assert.deepEqual(told, [
      'UtilityVM/c = UtilityVM/a',
      'own UtilityVM/a of UtilityVM/a as Files/b',
      'own Files/a of Files/a as UtilityVM/b',
    ])
  })

  it('are refused where something is in their place, or there is no folder', async () => {
    const {all, file} = links()
    file('Files/a')
    file('Files/b')
    await assert.rejects(all.add(link('Files/b', 'Files/a')), {code: 'DUPLICATE_ENTRY', message: /it\/Files\/b/})
    await assert.rejects(all.add(link('Files/none/b', 'Files/a')), {code: 'NOT_FOUND', at: {path: 'it/Files/none/b'}})
  })
})

import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {tellLeftOut} from '../../../src/formats/package/left-out.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import type {WorkEvent} from '../../../src/model/events.js'
import {storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const LARGEST = 64 * 1024

describe('what lies in the folder of a package and goes nowhere', () => {
  const folder = temporaryFolder()
  /** A package whose folder has these folders, and these files with so many bytes. */
  const withNames = (folders: readonly string[], files: Readonly<Record<string, number>> = {}) => {
    const root = mkdtempSync(path.join(folder.path, 'package-'))
    for (const name of folders) mkdirSync(path.join(root, name))
    for (const [name, size] of Object.entries(files)) writeFileSync(path.join(root, name), Buffer.alloc(size))
    const place = {kind: 'folder', path: root} as const
    return storedOf('App', {files: new FolderFiles(root, 'App'), more: {place}})
  }
  const OWN = {'metadata.json': 1, 'payload-index.jsonl': LARGEST + 1, 'tombstones.txt': LARGEST + 1}

  for (const [note, folders, files, expected] of [
    ['nothing', [], {}, undefined],
    ['its payload and what is its own', ['Files', 'Hives', 'UtilityVM', 'docker'], OWN, undefined],
    ['the utility VM of the first previews', ['Files', 'BaseOS'], OWN, undefined],
    ['that beside the utility VM', ['Files', 'UtilityVM', 'BaseOS'], OWN, "'BaseOS' was left out"],
    ['both in small letters', ['files', 'utilityvm', 'baseos'], OWN, "'baseos' was left out"],
    ['a folder', ['Files', 'notes'], OWN, "'notes' was left out"],
    ['a file that goes along', ['Files'], {...OWN, 'notes.txt': LARGEST}, undefined],
    ['a file that is too large', ['Files'], {...OWN, 'notes.txt': LARGEST + 1}, "'notes.txt' was left out"],
    ['a disk, which each host makes', ['Files'], {'sandbox.vhdx': LARGEST + 1}, undefined],
    ['several', ['b', 'a'], {'x.bin': LARGEST + 1}, "'a' and 2 more were left out"],
  ] as const)
    it(`is told: ${note}`, () => {
      const told: WorkEvent[] = []
      tellLeftOut(withNames(folders, files), {onEvent: (event) => told.push(event)})
      const [loss] = told
      assert.equal(told.length, expected === undefined ? 0 : 1)
      if (expected === undefined) return
      assert.ok(loss?.kind === 'loss' && loss.code === 'not-payload' && loss.subject === 'CN=Contoso_App_1.0.0.0')
      assert.ok(loss.message.startsWith(`${expected}: `), loss.message)
      assert.match(loss.message, /at most 64 KiB/)
    })

  it('is not looked for where nobody listens, and told by a container itself', () => {
    const stored = withNames(['notes'])
    tellLeftOut(stored, {})
    const onEvent = () => assert.fail()
    tellLeftOut({...stored, place: {kind: 'file', path: '/a.appx'}}, {onEvent})
    const {place: _, ...elsewhere} = stored
    tellLeftOut(elsewhere, {onEvent})
  })
})

import assert from 'node:assert/strict'
import {rmSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {seenOf} from '../../../src/formats/package/payload-seen.js'
import {fileEntry} from '../../helpers/file-system-model.js'
import {storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith, writeDraft} from '../../helpers/written-packages.js'

describe('what the files of a package look like', () => {
  const folder = temporaryFolder()

  it('shows of a folder what was written, added or removed', async () => {
    const entries = [fileEntry('Files/a', 'a'), fileEntry('Files/sub/b', 'b')]
    const written = await writeDraft(folder.path, await draftWith('App', entries))
    const {stored} = written
    const place = (name: string) => path.join(written.folder, name)
    const words = [seenOf(stored)]
    assert.equal(typeof words[0], 'string')
    assert.equal(seenOf(stored), words[0])
    for (const change of [
      () => {
        utimesSync(place('Files/a'), 1, 1)
      },
      () => {
        writeFileSync(place('Files/a'), 'other text')
      },
      () => {
        writeFileSync(place('Files/sub/c'), 'c')
      },
      () => {
        rmSync(place('Files/sub/b'))
      },
      () => {
        utimesSync(place('payload-index.jsonl'), 1, 1)
      },
    ]) {
      change()
      words.push(seenOf(stored))
    }
    assert.equal(new Set(words).size, words.length)
    rmSync(place('payload-index.jsonl'))
    assert.equal(seenOf(stored), undefined)
  })

  it('shows of a container whether it was written anew', () => {
    const file = path.join(folder.path, 'app.appx')
    writeFileSync(file, 'one')
    const stored = storedOf('App', {more: {place: {kind: 'file', path: file}}})
    const first = seenOf(stored)
    assert.equal(typeof first, 'string')
    assert.equal(seenOf(stored), first)
    writeFileSync(file, 'several')
    assert.notEqual(seenOf(stored), first)
    rmSync(file)
    assert.equal(seenOf(stored), undefined)
  })

  it('is not known where the package has no place', () => {
    assert.equal(seenOf(storedOf('App')), undefined)
  })
})

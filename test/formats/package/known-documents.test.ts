import assert from 'node:assert/strict'
import {renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {decodeOnce} from '../../../src/formats/package/known-documents.js'
import type {PackageDocument} from '../../../src/formats/package/metadata.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

/** Longer than a file must rest before what it holds is kept. */
const SETTLED_MS = 2200

/** What may happen to a file, and whether it can be known again once it rests. */
const CHANGES: readonly {readonly how: string; readonly later: 0 | 1; readonly change: (file: string) => void}[] = [
  {
    how: 'edited in place to the same size, its time set back',
    later: 1,
    change(file) {
      const {atime, mtime} = statSync(file)
      writeFileSync(file, 'other')
      utimesSync(file, atime, mtime)
    },
  },
  {
    how: 'replaced by a file of the same size and time',
    later: 1,
    change(file) {
      const {atime, mtime} = statSync(file)
      writeFileSync(`${file}.new`, 'other')
      utimesSync(`${file}.new`, atime, mtime)
      renameSync(`${file}.new`, file)
    },
  },
  {
    how: 'removed',
    later: 1,
    change: (file) => {
      rmSync(file)
    },
  },
  {
    how: 'a link to the same bytes',
    later: 1,
    change(file) {
      renameSync(file, `${file}.moved`)
      symlinkSync(`${file}.moved`, file)
    },
  },
  {how: 'only read', later: 0, change: (file) => statSync(file)},
]

describe('documents of packages that are known', () => {
  const folder = temporaryFolder()
  let made = 0
  let decoded = 0
  const decode = () => {
    decoded += 1
    return {isLegacy: false} as PackageDocument
  }
  const decodings = (file: string) => {
    const before = decoded
    decodeOnce(file, decode)
    return decoded - before
  }
  const newFile = () => {
    const file = path.join(folder.path, `${String((made += 1))}.json`)
    writeFileSync(file, 'bytes')
    return file
  }

  it('are decoded each time while the file is new, since its time would not show another change', () => {
    const file = newFile()
    assert.deepEqual([decodings(file), decodings(file)], [1, 1])
  })

  it('are decoded once when the file rests, and anew whatever happens to it, at once or when it rests again', async () => {
    const [atOnce, afterwards] = [0, 1].map(() => CHANGES.map((each) => ({...each, file: newFile()})))
    const all = [...(atOnce ?? []), ...(afterwards ?? [])]
    await setTimeout(SETTLED_MS)
    for (const {file, how} of all) assert.deepEqual([decodings(file), decodings(file)], [1, 0], how)
    for (const {file, change} of all) change(file)
    for (const {file, how, later} of atOnce ?? []) assert.equal(decodings(file), later, how)
    await setTimeout(SETTLED_MS)
    for (const {file, how, later} of afterwards ?? []) assert.equal(decodings(file), later, `${how}, later`)
  })

  it('are tried again each time where they cannot be decoded', async () => {
    const file = newFile()
    await setTimeout(SETTLED_MS)
    const broken = () => decodeOnce(file, () => assert.fail('broken'))
    assert.throws(broken, /broken/)
    assert.throws(broken, /broken/)
    assert.equal(decodings(file), 1)
  })
})

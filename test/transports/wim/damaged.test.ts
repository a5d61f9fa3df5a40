import assert from 'node:assert/strict'
import {existsSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {TransshipError} from '../../../src/model/errors.js'
import {verifyWim} from '../../../src/transports/wim/verify.js'
import type {Verdict} from '../../../src/model/transport.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {editableWim, readRows, wimVector} from '../../helpers/wim-files.js'

const verified = (file: string): Promise<Verdict> => verifyWim({transport: 'wim', path: file}, {})

/** What verify says of a file: its faults, or why it refuses it. */
async function said(file: string): Promise<string[]> {
  try {
    return (await verified(file)).faults.map(({message}) => message)
  } catch (error) {
    if (error instanceof TransshipError) return [error.message]
    throw error
  }
}

/** Of the bytes as they are: some vectors have names that collide, or hives that are none. */
async function knownOf(file: string, bytes: Buffer): Promise<ReadonlySet<string>> {
  writeFileSync(file, bytes)
  return new Set(await said(file))
}

async function isFound(file: string, known: ReadonlySet<string>): Promise<boolean> {
  return (await said(file)).some((message) => !known.has(message))
}

describe('Windows image files with one bit changed', () => {
  const folder = temporaryFolder()
  // A file without an integrity table has bytes that say nothing of files: its GUID, names in its XML, gaps.
  for (const {name, step, note} of [
    {name: 'handmade', step: 1, note: 'all kinds of LZX blocks'},
    {name: 'unix-data', step: 1, note: 'links and tagged items'},
    {name: 'two-images', step: 3, note: 'two images and an integrity table'},
    {name: 'none-pipable', step: 211, note: 'headers of contents between them'},
    {name: 'solid-xpress-small', step: 1009, note: 'one solid resource'},
    {name: 'xpress', step: 1511, note: 'many chunks'},
  ])
    it(`verify finds it, or it changes no file, in ${name}: ${note}`, async function () {
      this.timeout(300_000)
      const file = path.join(folder.path, 'x.wim')
      const bytes = readFileSync(wimVector(name))
      const before = await readRows(wimVector(name))
      const known = await knownOf(file, bytes)
      let found = 0
      for (let at = 0; at < bytes.byteLength; at += step) {
        const bit = 1 << ((at * 7) % 8)
        bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at)
        writeFileSync(file, bytes)
        if (await isFound(file, known)) found++
        else assert.deepEqual((await readRows(file)).rows, before.rows, `bit ${bit} of byte ${at}`)
        bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at)
      }
      assert.ok(found > 0)
    })

  it('verify finds every one that an integrity table covers, and those of the table', async function () {
    this.timeout(300_000)
    const file = path.join(folder.path, 'x.wim')
    const bytes = readFileSync(wimVector('two-images'))
    const known = await knownOf(file, bytes)
    const tableEnd = Number(bytes.readBigUInt64LE(56)) + bytes.readUIntLE(48, 6)
    const integrity = {start: Number(bytes.readBigUInt64LE(132)), size: bytes.readUIntLE(124, 6)}
    const places = [
      ...Array.from({length: tableEnd - 208}, (_, index) => 208 + index),
      // Its third field is the size of the pieces: a file of one piece says the same with a larger one.
      ...Array.from({length: integrity.size}, (_, index) => integrity.start + index).filter(
        (place) => place < integrity.start + 8 || place >= integrity.start + 12,
      ),
    ]
    for (const at of places.filter((place) => place % 2 === 0 || place >= integrity.start)) {
      const bit = 1 << ((at * 5) % 8)
      bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at)
      writeFileSync(file, bytes)
      assert.ok(await isFound(file, known), `bit ${bit} of byte ${at}`)
      bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at)
    }
  })
})

describe('Windows image files that are cut', () => {
  const folder = temporaryFolder()
  for (const name of ['unix-data', 'handmade'])
    it(`${name} is refused at every length`, async function () {
      this.timeout(300_000)
      const file = path.join(folder.path, 'x.wim')
      const bytes = readFileSync(wimVector(name))
      for (let length = 0; length < bytes.byteLength; length++) {
        writeFileSync(file, bytes.subarray(0, length))
        assert.ok(await isFound(file, new Set()), `at ${length} bytes`)
      }
    })
})

describe('security descriptors of a Windows image that Windows would not apply', () => {
  const folder = temporaryFolder()
  for (const [title, damage] of [
    ['another revision', (descriptor: Buffer) => descriptor.writeUInt8(9, 0)],
    ['an owner beyond its end', (descriptor: Buffer) => descriptor.writeUInt32LE(0x7fff, 4)],
    ['a damaged SID', (descriptor: Buffer) => descriptor.writeUInt8(7, descriptor.readUInt32LE(4))],
    ['a list of another revision', (descriptor: Buffer) => descriptor.writeUInt8(32, descriptor.readUInt32LE(16))],
    ['a list beyond its end', (descriptor: Buffer) => descriptor.writeUInt16LE(9999, descriptor.readUInt32LE(16) + 2)],
  ] as const)
    it(`are a fault, and reach no layer: ${title}`, async () => {
      const {tree, withTree} = await editableWim()
      // The block begins with its size and the number of descriptors; their sizes, of 8 bytes each, stand in front of them.
      const count = tree.readUInt32LE(4)
      const start = 8 + 8 * count
      damage(tree.subarray(start, start + Number(tree.readBigUInt64LE(8))))
      const file = path.join(folder.path, 'x.wim')
      writeFileSync(file, withTree(tree))
      const {faults} = await verified(file)
      assert.deepEqual([...new Set(faults.map(({code}) => code))], ['DESCRIPTOR_CORRUPT'])
      const destination = path.join(folder.path, 'layout')
      await assert.rejects(convert(`wim:${file}`, `layout:${destination}`), {code: 'DESCRIPTOR_CORRUPT'})
      assert.equal(existsSync(destination), false)
    })

  it('are none in the file as it is', async () => {
    const {tree, withTree} = await editableWim()
    const file = path.join(folder.path, 'x.wim')
    writeFileSync(file, withTree(tree))
    assert.deepEqual((await verified(file)).faults, [])
  })
})

describe('split sets', () => {
  const folder = temporaryFolder()
  const parts = ['split.swm', 'split2.swm', 'split3.swm'].map((name) => readFileSync(wimVector(name)))
  const written = (names: readonly string[], contents: readonly Buffer[]): string => {
    const place = mkdtempSync(path.join(folder.path, 'set-'))
    for (const [index, name] of names.entries()) writeFileSync(path.join(place, name), contents[index]!)
    return path.join(place, names[0]!)
  }

  it('names the part that is missing', async () => {
    const file = written(['s.swm', 's3.swm'], [parts[0]!, parts[2]!])
    await assert.rejects(verified(file), {code: 'NOT_FOUND', message: /s2\.swm/})
  })

  it('wants the first part', async () => {
    const file = written(['s2.swm', 's.swm'], [parts[1]!, parts[0]!])
    const {faults} = await verified(file)
    assert.deepEqual(
      faults.map(({code}) => code),
      ['ARCHIVE_CONTRADICTORY'],
    )
  })

  it('refuses a part of another set, and one twice', async () => {
    const foreign = Buffer.from(parts[1]!)
    foreign.writeUInt8(foreign.readUInt8(30) ^ 1, 30)
    for (const second of [foreign, parts[2]!]) {
      const {faults} = await verified(written(['s.swm', 's2.swm', 's3.swm'], [parts[0]!, second, parts[2]!]))
      assert.deepEqual(
        faults.map(({code}) => code),
        ['ARCHIVE_CONTRADICTORY'],
      )
    }
  })
})

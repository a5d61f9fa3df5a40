import assert from 'node:assert/strict'
import {decodeEntry} from '../../../src/codecs/wim/entry.js'

const [MAIN, ONE, TWO, NAMED] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
]
const NONE = '0'.repeat(40)

/** An entry called `f` with these hashes. */
function entryBytes(facts: {
  attributes: number
  main: string
  streams: readonly (readonly [string, string])[]
}): Buffer {
  const fixed = Buffer.alloc(112)
  fixed.writeBigUInt64LE(106n, 0)
  fixed.writeUInt32LE(facts.attributes, 0x08)
  fixed.writeInt32LE(-1, 0x0c)
  fixed.write(facts.main, 0x40, 'hex')
  fixed.writeUInt16LE(facts.streams.length, 0x60)
  fixed.writeUInt16LE(2, 0x64)
  fixed.write('f', 0x66, 'utf16le')
  const streams = facts.streams.map(([name, hash]) => {
    const bytes = Buffer.alloc(Math.ceil((38 + (name === '' ? 0 : 2 * name.length + 2)) / 8) * 8)
    bytes.writeBigUInt64LE(BigInt(38 + (name === '' ? 0 : 2 * name.length + 2)), 0)
    bytes.write(hash, 16, 'hex')
    bytes.writeUInt16LE(2 * name.length, 36)
    bytes.write(name, 38, 'utf16le')
    return bytes
  })
  return Buffer.concat([fixed, ...streams, Buffer.alloc(8)])
}

const [FILE, FOLDER, REPARSE, ENCRYPTED] = [0x20, 0x10, 0x400, 0x4000] as const

describe('which hash of an entry is what', () => {
  for (const {note, attributes, main = NONE, streams = [], data, reparse} of [
    {note: 'a plain file has its hash in the entry', attributes: FILE, main: MAIN, data: MAIN},
    {note: 'an empty file has none', attributes: FILE, data: ''},
    {
      note: 'a file with streams has all in streams',
      attributes: FILE,
      streams: [
        ['', ONE],
        ['s', NAMED],
      ],
      data: ONE,
    },
    {
      note: 'an unnamed stream behind a named one',
      attributes: FILE,
      streams: [
        ['s', NAMED],
        ['', ONE],
      ],
      data: ONE,
    },
    {
      note: 'an empty file with a stream',
      attributes: FILE,
      streams: [
        ['', NONE],
        ['s', NAMED],
      ],
      data: '',
    },
    {note: 'a surplus hash is not looked at', attributes: FILE, main: MAIN, streams: [['', ONE]], data: MAIN},
    {
      note: 'a folder has no data, whatever is listed',
      attributes: FOLDER,
      streams: [
        ['', ONE],
        ['s', NAMED],
      ],
    },
    {note: 'a link has reparse data alone', attributes: FILE | REPARSE, main: MAIN, reparse: MAIN, data: ''},
    {
      note: 'reparse data come first',
      attributes: FILE | REPARSE,
      streams: [
        ['', ONE],
        ['', TWO],
      ],
      reparse: ONE,
      data: TWO,
    },
    {
      note: 'with a named stream between them, as DISM of 2021 writes',
      attributes: FILE | REPARSE,
      streams: [
        ['', ONE],
        ['s', NAMED],
        ['', TWO],
      ],
      reparse: ONE,
      data: TWO,
    },
    {note: 'a junction as DISM writes it', attributes: FOLDER | REPARSE, main: MAIN, reparse: MAIN},
    {
      note: 'a junction as wimlib wrote it',
      attributes: FOLDER | REPARSE,
      streams: [
        ['', ONE],
        ['', NONE],
      ],
      reparse: ONE,
    },
    {
      note: 'an encrypted file has one raw stream',
      attributes: FILE | ENCRYPTED,
      streams: [
        ['', NONE],
        ['', TWO],
      ],
      data: TWO,
    },
  ] as readonly {
    note: string
    attributes: number
    main?: string
    streams?: readonly (readonly [string, string])[]
    data?: string
    reparse?: string
  }[])
    it(note, () => {
      const bytes = entryBytes({attributes, main, streams})
      const decoded = decodeEntry(bytes, 0)
      assert.ok(decoded !== undefined)
      assert.deepEqual(
        {data: decoded.entry.data, reparse: decoded.entry.reparse?.hash, name: decoded.entry.name},
        {data, reparse, name: 'f'},
      )
      assert.deepEqual(
        decoded.entry.streams,
        streams.filter(([name]) => name !== '').map(([name, hash]) => ({name, hash})),
      )
      assert.equal(decoded.next, bytes.byteLength - 8)
      assert.equal(decodeEntry(bytes, decoded.next), undefined)
    })
})

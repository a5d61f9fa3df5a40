import assert from 'node:assert/strict'
import {keyOf, valueOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {sourceOfBytes} from '../../../src/codecs/registry-hive/hive-source.js'
import {openHive, openHiveSource, type OpenHiveOptions} from '../../../src/codecs/registry-hive/open-hive.js'
import {InputError, UnsupportedError} from '../../../src/model/errors.js'
import type {WorkEvent} from '../../../src/model/events.js'
import {faultOf} from '../../helpers/faults.js'
import {HiveBytes} from '../../helpers/hive-bytes.js'
import {deltaOf, hiveOf, logEntry, logOf, sealed, sealLogEntry} from '../../helpers/hives.js'

const HIVE = hiveOf(keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k'})]}))
const DIRTY = sealed(HIVE, {4: 3, 8: 2})

type Options = Omit<OpenHiveOptions, 'subject' | 'onEvent'>

/** The notes about a hive. */
function notesOf(bytes: Uint8Array, options: Options = {}): WorkEvent[] {
  const notes: WorkEvent[] = []
  openHive(bytes, {...options, subject: 'layer 1: SYSTEM', onEvent: (event) => notes.push(event)})
  return notes
}

/** A hive with marks of a delta at so many keys, which mean nothing there. */
function marked(count: number): Buffer {
  const names = Array.from({length: count}, (_, index) => `k${index}`)
  const hive = new HiveBytes(hiveOf(keyOf({name: 'ROOT', subkeys: names.map((name) => keyOf({name}))})))
  const list = hive.at(hive.root, 28)
  for (let index = 0; index < count; index++) hive.put(hive.at(list, 4 + index * 8), 13, 1, 1)
  return hive.bytes
}

describe('notes about a hive', () => {
  it('are none for one that is as it should be', () => {
    assert.deepEqual(notesOf(HIVE), [])
  })

  it('say which hive they are about', () => {
    const [note, ...more] = notesOf(DIRTY, {acceptDirty: true})
    assert.deepEqual(more, [])
    assert.ok(note?.kind === 'note')
    assert.deepEqual([note.code, note.subject], ['hive-dirty', 'layer 1: SYSTEM'])
  })

  for (const [count, told] of [
    [1, 1],
    [19, 19],
    [20, 20],
    [21, 21],
    [22, 21],
    [300, 21],
  ] as const)
    it(`of one kind are ${told} for ${count} places`, () => {
      const notes = notesOf(marked(count))
      assert.equal(notes.length, told)
      const texts = notes.map((note) => (note.kind === 'note' ? note.message : ''))
      assert.equal(new Set(texts).size, told)
      assert.equal(texts.filter((text) => text.includes(`'ROOT\\k`)).length, Math.min(count, 20))
    })

  it('of another kind are told all the same', () => {
    const codes = notesOf(sealed(marked(30), {144: 1})).map((note) => (note.kind === 'note' ? note.code : ''))
    assert.equal(codes.filter((code) => code === 'hive-pending-transactions').length, 1)
  })

  it('are not told again when the keys are read', () => {
    const notes: WorkEvent[] = []
    const hive = openHive(marked(3), {subject: 'hive', onEvent: (event) => notes.push(event)})
    for (const key of hive.root.subkeys()) key.values()
    assert.equal(notes.length, 3)
  })

  it('need nobody who listens', () => {
    assert.equal(openHive(marked(25), {subject: 'hive'}).root.name, 'ROOT')
  })
})

describe('faults of a hive', () => {
  const version = sealed(HIVE, {24: 9})
  const fault = (bytes: Uint8Array, options: Options = {}) =>
    faultOf(() => openHive(bytes, {subject: 'SYSTEM', ...options}))

  it('say which hive they are in, and where', () => {
    assert.deepEqual(fault(DIRTY), {code: 'HIVE_DIRTY', at: {offset: 4, path: 'SYSTEM'}})
    assert.deepEqual(fault(Buffer.alloc(600)), {code: 'HIVE_CORRUPT', at: {offset: 0, path: 'SYSTEM'}})
    assert.deepEqual(fault(version), {code: 'FORMAT_UNSUPPORTED', at: {offset: 20, path: 'SYSTEM'}})
  })

  it('stay of their kind, with reason and advice', () => {
    const open = (bytes: Uint8Array) => () => openHive(bytes, {subject: 'SYSTEM'})
    assert.throws(open(version), UnsupportedError)
    assert.throws(open(DIRTY), (error) => {
      assert.ok(error instanceof InputError)
      assert.ok(error.why?.includes('3/2'))
      assert.equal(error.suggestions.length, 2)
      assert.ok(error.cause instanceof InputError)
      return true
    })
  })

  it('without a reason have none', () => {
    const log = logOf(HIVE, 2, [logEntry(Buffer.alloc(4096 + 8192), 2)])
    const bytes = Buffer.from(log)
    assert.throws(
      () => openHive(DIRTY, {subject: 'SYSTEM', logs: [bytes]}),
      (error) => error instanceof InputError && error.code === 'HIVE_CORRUPT' && error.at.path === 'SYSTEM',
    )
  })

  it('are the same where the hive is not in memory', () => {
    const open = (bytes: Uint8Array, options: Options = {}) =>
      faultOf(() => openHiveSource(sourceOfBytes(bytes), {subject: 'SYSTEM', ...options}))
    assert.deepEqual(open(DIRTY), fault(DIRTY))
    assert.deepEqual(open(version), fault(version))
    const logs = [logOf(HIVE, 2, [logEntry(HIVE, 2)])]
    assert.equal(open(DIRTY, {logs, acceptDirty: true}).code, 'HIVE_DIRTY')
    assert.equal(openHiveSource(sourceOfBytes(DIRTY), {subject: 'SYSTEM', logs, ignoreLogs: true}).root.name, 'ROOT')
  })
})

describe('options of opening a hive', () => {
  const large = hiveOf(keyOf({name: 'ROOT', values: [valueOf('large', 3, Buffer.alloc(10_000, 1))]}))
  const longer = sealed(large, {40: large.readUInt32LE(40) - 4096})

  it('accept a longer one only where that is asked for', () => {
    assert.equal(faultOf(() => openHive(longer, {subject: 'x'})).code, 'HIVE_CORRUPT')
    assert.equal(openHive(longer, {subject: 'x', acceptLonger: true}).root.values().length, 1)
  })

  it('take it for a delta only where that is said', () => {
    const delta = sealed(deltaOf(keyOf({name: 'ROOT', subkeys: [keyOf({name: 'k', disposition: 'tombstone'})]})), {
      24: 5,
      144: 0,
    })
    assert.deepEqual(
      [{}, {isDelta: true}].map((options) => openHive(delta, {subject: 'x', ...options}).isDelta),
      [false, true],
    )
  })

  it('take its logs unless they are to be ignored', () => {
    const logs = [logOf(HIVE, 2, [logEntry(large, 2)])]
    const values = (options: Options) => openHive(DIRTY, {subject: 'x', logs, ...options}).root.values().length
    assert.deepEqual([values({}), values({ignoreLogs: true})], [1, 0])
  })

  it('tell of logs that could not be taken only where others were', () => {
    const logs = [logOf(HIVE, 2, [logEntry(HIVE, 2)]), Buffer.alloc(600, 1)]
    const codes = (given: readonly Uint8Array[]) =>
      notesOf(DIRTY, {logs: given}).map((note) => (note.kind === 'note' ? note.code : ''))
    assert.deepEqual(codes(logs), ['hive-logs-replayed', 'hive-log-left-out'])
    assert.deepEqual(codes(logs.slice(0, 1)), ['hive-logs-replayed'])
    assert.deepEqual(notesOf(HIVE, {logs}), [])
    assert.equal(faultOf(() => notesOf(DIRTY, {logs: logs.slice(1)})).code, 'HIVE_DIRTY')
  })

  it('refuse a log that asks for more than a hive may have', () => {
    const entry = logEntry(HIVE, 2)
    entry.writeUInt32LE(2 ** 28, 16)
    const logs = [logOf(HIVE, 2, [sealLogEntry(entry)])]
    assert.deepEqual(
      faultOf(() => openHive(DIRTY, {subject: 'x', logs})),
      {code: 'LIMIT_EXCEEDED', at: {path: 'x'}},
    )
  })
})

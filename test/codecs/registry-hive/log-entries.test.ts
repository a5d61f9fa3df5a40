import assert from 'node:assert/strict'
import {findLog, findOldPages, readEntries} from '../../../src/codecs/registry-hive/log-entries.js'
import {keyOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {replayLogs} from '../../../src/codecs/registry-hive/replay-logs.js'
import {faultOf} from '../../helpers/faults.js'
import {hiveOf, logOf, oldLogOf, sealed, sealLogEntry} from '../../helpers/hives.js'

const HIVE = hiveOf(keyOf({name: 'ROOT'}))

interface Draft {
  readonly sequence: number
  readonly dataBytes?: number
  readonly flags?: number
  readonly pages?: readonly (readonly [offset: number, bytes: Uint8Array])[]
}

/** An entry of a log, as section 2.2 of the registry hive format page has it. */
function entryOf({sequence, dataBytes = 4096, flags = 0, pages = []}: Draft): Buffer {
  const head = Buffer.alloc(40 + pages.length * 8)
  head.write('HvLE')
  head.writeUInt32LE(flags, 8)
  head.writeUInt32LE(sequence, 12)
  head.writeUInt32LE(dataBytes, 16)
  head.writeUInt32LE(pages.length, 20)
  for (const [index, [offset, bytes]] of pages.entries()) {
    head.writeUInt32LE(offset, 40 + index * 8)
    head.writeUInt32LE(bytes.byteLength, 44 + index * 8)
  }
  const whole = Buffer.concat([head, ...pages.map(([, bytes]) => bytes)])
  const entry = Buffer.concat([whole, Buffer.alloc((512 - (whole.byteLength % 512)) % 512)])
  entry.writeUInt32LE(entry.byteLength, 4)
  return sealLogEntry(entry)
}

const read = (...entries: readonly Buffer[]) => readEntries(findLog(logOf(HIVE, 7, entries))!)

/** The entry with another number somewhere, and hashes that fit. */
function altered(entry: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(entry)
  copy.writeUInt32LE(value, at)
  return sealLogEntry(copy)
}

describe('entries of a log', () => {
  it('give what they say, and where their pages belong', () => {
    const pages = [
      [0, Buffer.alloc(512, 'a')],
      [1024, Buffer.alloc(3000, 'b')],
    ] as const
    const {entries, isCutShort} = read(entryOf({sequence: 7, dataBytes: 8192, flags: 1, pages}), entryOf({sequence: 8}))
    assert.equal(isCutShort, false)
    assert.deepEqual(
      entries.map(({pages: found, ...rest}) => ({
        ...rest,
        pages: found.map(({offset, bytes}) => [offset, Buffer.from(bytes)]),
      })),
      [
        {sequence: 7, dataBytes: 8192, flags: 1, pages},
        {sequence: 8, dataBytes: 4096, flags: 0, pages: []},
      ],
    )
  })

  it('may be none, behind a head alone', () => {
    assert.deepEqual(read(), {entries: [], isCutShort: false})
  })

  const page = (offset: number, length: number) => entryOf({sequence: 8, pages: [[offset, Buffer.alloc(length, 1)]]})
  for (const [note, second, isCutShort] of [
    ['that is not signed', altered(page(0, 512), 0, 0x4c764878), false],
    ['whose head was changed', Buffer.from(page(0, 512)).fill(9, 20, 21), true],
    ['whose pages were changed', Buffer.from(page(0, 512)).fill(9, 100, 101), true],
    ['of another sequence', altered(page(0, 512), 12, 9), false],
    ['that is shorter than its head', altered(page(0, 512), 4, 0), true],
    ['that is no whole number of sectors', altered(page(0, 512), 4, 600), true],
    ['that is longer than the log', altered(page(0, 512), 4, 1536), true],
    ['whose data is no whole number of pages', altered(page(0, 512), 16, 4097), true],
    ['with more pages than it has room for', altered(page(0, 512), 20, 124), true],
    ['with a page beyond its end', altered(page(0, 512), 44, 1024), true],
    ['with a page beyond the data', altered(page(0, 512), 40, 3585), true],
  ] as const)
    it(`end before one ${note}`, () => {
      const found = read(entryOf({sequence: 7}), second, entryOf({sequence: 9}))
      assert.equal(found.entries.length, 1)
      assert.equal(found.isCutShort, isCutShort)
    })

  for (const [note, second] of [
    ['at the end of the data', page(3584, 512)],
    ['that fills the entry', page(0, 1024 - 48)],
  ] as const)
    it(`may have a page ${note}`, () => {
      assert.equal(read(entryOf({sequence: 7}), second).entries.length, 2)
    })

  it('may just fill an entry with pages of no bytes', () => {
    const pages = Array.from({length: 59}, () => [0, Buffer.alloc(0)] as const)
    assert.equal(read(entryOf({sequence: 7, pages})).entries[0]?.pages.length, 59)
    assert.equal(read(altered(entryOf({sequence: 7, pages}), 20, 60)).entries.length, 0)
  })

  it('begin anew after the last sequence', () => {
    const log = findLog(logOf(HIVE, 0xffffffff, [entryOf({sequence: 0xffffffff}), entryOf({sequence: 0})]))!
    assert.deepEqual(
      readEntries(log).entries.map(({sequence}) => sequence),
      [0xffffffff, 0],
    )
  })

  for (const [length, isCutShort] of [
    [39, false],
    [40, true],
  ] as const)
    it(`are ${isCutShort ? '' : 'not '}missing where ${length} bytes are left of one`, () => {
      assert.equal(read(entryOf({sequence: 7}), entryOf({sequence: 8}).subarray(0, length)).isCutShort, isCutShort)
    })
})

describe('pages of an old log', () => {
  const state = Buffer.concat([HIVE, Buffer.alloc(4096, 'second')]).fill('first', 4096, 8192)
  const log = (bits: readonly number[], head: Readonly<Record<number, number>> = {}) => {
    const bytes = oldLogOf(state, {28: 1, 40: 8192, ...head})
    const start = Math.max(1, head[44] ?? 1) * 512
    const whole = Buffer.concat([bytes.subarray(0, 512), Buffer.alloc(start - 512), bytes.subarray(512)])
    whole.writeUInt16LE(
      bits.reduce((sum, bit) => sum | (1 << bit), 0),
      start + 4,
    )
    return whole
  }
  const pagesOf = (bytes: Uint8Array) => findOldPages(findLog(bytes)!)

  it('are those whose bits are set, one after the other', () => {
    const pages = pagesOf(log([0, 7, 8, 15]))
    assert.deepEqual(
      pages?.map(({offset}) => offset),
      [0, 3584, 4096, 7680],
    )
    const at = 1024
    for (const [index, page] of pages.entries())
      assert.ok(Buffer.from(page.bytes).equals(log([]).subarray(at + index * 512, at + index * 512 + 512)))
  })

  it('may be none', () => {
    assert.deepEqual(pagesOf(log([])), [])
  })

  for (const factor of [0, 1, 4])
    it(`stand behind a head of ${Math.max(1, factor)} sectors`, () => {
      assert.deepEqual(
        pagesOf(log([1], {44: factor}))?.map(({offset}) => offset),
        [512],
      )
    })

  it('are none of a log that is cut', () => {
    const bytes = log([0, 1])
    assert.equal(pagesOf(bytes.subarray(0, 1024 + 1024))?.length, 2)
    assert.equal(pagesOf(bytes.subarray(0, 1024 + 1023)), undefined)
    assert.deepEqual(pagesOf(log([]).subarray(0, 512 + 6)), [])
    assert.equal(pagesOf(log([]).subarray(0, 512 + 5)), undefined)
  })

  it('are none without the signature, nor for data of half a page', () => {
    assert.equal(pagesOf(Buffer.from(log([0])).fill('d', 512, 513)), undefined)
    assert.equal(pagesOf(sealed(log([0]), {40: 4096 + 2048})), undefined)
  })

  it('are no pages of what is no log', () => {
    assert.equal(findLog(Buffer.alloc(600)), undefined)
    assert.equal(findLog(HIVE.subarray(0, 511)), undefined)
  })
})

describe('a hive behind its logs', () => {
  const large = hiveOf(
    keyOf({name: 'ROOT', subkeys: Array.from({length: 60}, (_, index) => keyOf({name: `k${index}`}))}),
  )
  const whole = (hive: Buffer): readonly [number, Buffer][] => [[0, hive.subarray(4096)]]
  const dirty = (fields: Readonly<Record<number, number>> = {}) => sealed(HIVE, {4: 8, 8: 7, ...fields})
  const grown = (flags: number) =>
    entryOf({sequence: 8, dataBytes: large.byteLength - 4096, flags, pages: whole(large)})

  it('has the sequence of the last entry, its length, and the version and root of the log', () => {
    const log = sealed(logOf(HIVE, 7, [entryOf({sequence: 7, pages: whole(HIVE)}), grown(0)]), {24: 4})
    const {bytes, replayed, leftOut} = replayLogs(dirty({28: 0, 48: 0x41}), [log])
    const found = Buffer.from(bytes)
    assert.deepEqual([replayed, leftOut], [2, 0])
    assert.deepEqual(
      [4, 8, 24, 28, 36, 40, 48].map((at) => found.readUInt32LE(at)),
      [8, 8, 4, 0, 32, large.byteLength - 4096, 0x41],
    )
    assert.ok(found.subarray(4096).equals(large.subarray(4096)))
  })

  it('has all of the head of the log where its own is damaged', () => {
    const log = sealed(
      logOf(
        HIVE,
        7,
        [grown(0)].map((entry) => altered(entry, 12, 7)),
      ),
      {48: 0x42, 44: 3},
    )
    const {bytes} = replayLogs(dirty().fill(1, 60, 61), [log])
    const found = Buffer.from(bytes)
    assert.deepEqual(
      [4, 8, 28, 44, 48].map((at) => found.readUInt32LE(at)),
      [7, 7, 0, 3, 0x42],
    )
  })

  for (const [own, entry, flags] of [
    [0, 1, 1],
    [1, 0, 0],
    [2, 1, 3],
    [3, 2, 2],
    [0x80000002, 0, 0x80000002],
  ] as const)
    it(`has flags ${flags.toString(16)} after an entry of ${entry} where it had ${own.toString(16)}`, () => {
      const {bytes} = replayLogs(dirty({144: own}), [
        logOf(HIVE, 7, [altered(grown(0), 12, 7), altered(grown(entry), 12, 8)]),
      ])
      assert.equal(Buffer.from(bytes).readUInt32LE(144), flags)
    })

  it('may shrink with the last entry, and keeps room for the largest', () => {
    const small = entryOf({sequence: 8, pages: whole(HIVE)})
    const {bytes} = replayLogs(dirty(), [logOf(HIVE, 7, [altered(grown(0), 12, 7), small])])
    assert.equal(bytes.byteLength, large.byteLength)
    assert.equal(Buffer.from(bytes).readUInt32LE(40), 4096)
  })

  it('keeps what lies behind it, where it does not grow', () => {
    const hive = Buffer.concat([dirty(), Buffer.alloc(9000, 'behind')])
    const {bytes} = replayLogs(hive, [logOf(HIVE, 7, [entryOf({sequence: 7, pages: whole(HIVE)})])])
    assert.ok(Buffer.from(bytes).subarray(8192).equals(hive.subarray(8192)))
  })

  it('leaves the given bytes alone', () => {
    const hive = dirty()
    const before = Buffer.from(hive)
    replayLogs(hive, [logOf(HIVE, 7, [entryOf({sequence: 7, pages: [[0, Buffer.alloc(512, 'x')]]})])])
    assert.ok(hive.equals(before))
  })

  it('may grow to just the limit', () => {
    const logs = [logOf(HIVE, 7, [altered(grown(0), 12, 7)])]
    const limit = large.byteLength
    assert.equal(replayLogs(dirty(), logs, {maxBytes: limit}).bytes.byteLength, limit)
    assert.equal(faultOf(() => replayLogs(dirty(), logs, {maxBytes: limit - 1})).code, 'LIMIT_EXCEEDED')
  })

  describe('of Windows 8 and before', () => {
    const old = (time: number, fields: Readonly<Record<number, number>> = {}) =>
      oldLogOf(large, {4: 5, 8: 5, 12: time, 28: 1, ...fields})
    const takenFrom = (hive: Buffer, logs: readonly Buffer[]) => {
      const {replayed, leftOut, bytes} = replayLogs(hive, logs)
      return [replayed, leftOut, Buffer.from(bytes).readUInt32LE(12)]
    }
    const spoilt = (log: Buffer) => Buffer.from(log).fill('x', 512, 516)
    /** Its first bin is of time 7. */
    const headless = Buffer.from(dirty()).fill(0, 0, 512)
    headless.writeUInt32LE(7, 4096 + 20)

    for (const [note, hive, logs, expected] of [
      ['the log of its own time', dirty({12: 7}), [old(6), old(7), old(8)], [1, 0, 7]],
      ['none of another time', dirty({12: 7}), [old(6), old(8)], [0, 2, 7]],
      ['none that was not ended', dirty({12: 7}), [old(7, {4: 6})], [0, 1, 7]],
      ['the latest, without a head', headless, [old(8), old(9), old(7)], [1, 0, 9]],
      ['one as old as its first bin, without a head', headless, [old(6), old(7)], [1, 0, 7]],
      ['none older than its first bin, without a head', headless, [old(6)], [0, 1, 0]],
      ['the next where the latest is damaged, which is told', headless, [old(8), spoilt(old(9))], [1, 1, 8]],
      ['none without a head, where the first bin is cut', headless.subarray(0, 4096 + 27), [old(9)], [0, 1, 0]],
      [
        'one without a head, where the time of the first bin is there',
        headless.subarray(0, 4096 + 28),
        [old(9)],
        [1, 0, 9],
      ],
    ] as const)
      it(`takes ${note}`, () => {
        assert.deepEqual(takenFrom(hive, logs), expected)
      })

    it('has the length of the log, and no sequence of its own', () => {
      const {bytes} = replayLogs(dirty({12: 7}), [old(7, {144: 0x10})])
      assert.deepEqual(
        [4, 8, 28, 40, 144].map((at) => Buffer.from(bytes).readUInt32LE(at)),
        [5, 5, 0, large.byteLength - 4096, 0x10],
      )
      assert.equal(bytes.byteLength, large.byteLength)
    })

    it('takes no log of it beside one of Windows 8.1', () => {
      const recent = logOf(HIVE, 7, [entryOf({sequence: 7, pages: whole(HIVE)})])
      assert.deepEqual(takenFrom(dirty({12: 7}), [old(7), recent]), [1, 0, 7])
      assert.deepEqual(replayLogs(dirty({12: 7}), [old(7), logOf(HIVE, 7, [])]).replayed, 0)
    })
  })

  it('takes the log with the later entries alone, without a head', () => {
    const hive = dirty().fill(0, 0, 512)
    const log = (sequence: number, name: number) =>
      sealed(logOf(HIVE, sequence, [altered(grown(0), 12, sequence)]), {48: name})
    for (const logs of [
      [log(7, 1), log(9, 2)],
      [log(9, 2), log(7, 1)],
      [log(9, 2), sealed(logOf(HIVE, 11, []), {48: 3})],
      [sealed(logOf(HIVE, 11, []), {48: 3}), log(9, 2)],
    ]) {
      const {bytes, replayed} = replayLogs(hive, logs)
      assert.deepEqual([Buffer.from(bytes).readUInt32LE(48), Buffer.from(bytes).readUInt32LE(4), replayed], [2, 9, 1])
    }
  })

  it('takes the later log around the end of the sequences, without a head', () => {
    const hive = dirty().fill(0, 0, 512)
    const log = (sequence: number) => logOf(HIVE, sequence, [altered(grown(0), 12, sequence)])
    assert.equal(Buffer.from(replayLogs(hive, [log(0xffffffff), log(1)]).bytes).readUInt32LE(4), 1)
  })

  it('has nothing taken and all left out where no log fits', () => {
    const hive = dirty()
    for (const [logs, leftOut] of [
      [[], 0],
      [[Buffer.alloc(0)], 0],
      [[Buffer.alloc(100, 1)], 1],
      [[logOf(HIVE, 6, [entryOf({sequence: 6})]), Buffer.alloc(100, 1)], 2],
    ] as const)
      assert.deepEqual(replayLogs(hive, logs), {bytes: hive, replayed: 0, leftOut})
  })
})

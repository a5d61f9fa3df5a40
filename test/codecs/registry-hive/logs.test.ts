import assert from 'node:assert/strict'
import fc from 'fast-check'
import {baseBlockChecksum, isDirty} from '../../../src/codecs/registry-hive/base-block.js'
import {keyOf, valueOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {marvin32} from '../../../src/codecs/registry-hive/marvin32.js'
import {openHive as openWithLogs} from '../../../src/codecs/registry-hive/open-hive.js'
import {replayLogs} from '../../../src/codecs/registry-hive/replay-logs.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {TransshipError} from '../../../src/model/errors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {describeTree, descriptorOf, hiveOf, logEntry, logOf, oldLogOf, openHive, sealed} from '../../helpers/hives.js'

/** Four states of one hive, of growing size, each after one write. */
const STATES = [1, 2, 200, 400].map((count) =>
  hiveOf(
    keyOf({
      name: 'ROOT',
      security: descriptorOf(18),
      subkeys: Array.from({length: count}, (_, index) =>
        keyOf({name: `k${index}`, values: [valueOf('count', 4, Uint8Array.of(count & 255))]}),
      ),
    }),
  ),
)

/** The first state, as a crash leaves it: the first sequence is ahead and the data partly written. */
function dirty(primary: number, secondary: number): Buffer {
  const hive = sealed(STATES[0]!, {4: primary, 8: secondary})
  hive.fill(0xaa, 4096 + 512, 4096 + 1024)
  return hive
}

/** An entry that makes state `index` of anything. */
function entryOf(index: number, sequence: number): Buffer {
  return logEntry(STATES[index]!, sequence)
}

function newLog(sequence: number, entries: readonly Buffer[]): Buffer {
  return logOf(STATES[0]!, sequence, entries)
}

/** An old log that holds all pages of state `index`. */
function oldLog(index: number, fields: Readonly<Record<number, number>> = {}): Buffer {
  return oldLogOf(STATES[index]!, {4: 5, 8: 5, 28: 1, ...fields})
}

describe('hives with logs', () => {
  for (const {input, hash} of [
    {input: '', hash: 0x30ed35c100cd3c7dn},
    {input: 'af', hash: 0x48e73fc77d75ddc1n},
    {input: '37f495', hash: 0xf0b07c789b8cf7e8n},
    {input: '8642dc59', hash: 0x7008f2e87e9cf556n},
    {input: '153fb79826', hash: 0xe6c08c6da2afa997n},
  ])
    it(`hashes '${input}' as .NET's own tests say`, () => {
      assert.equal(marvin32(Buffer.from(input, 'hex'), 0x004fb61a001bdbccn), hash)
    })

  for (const {title, hive, logs, state, replayed} of [
    {title: 'one log', hive: dirty(3, 2), logs: [newLog(2, [entryOf(1, 2)])], state: 1, replayed: 1},
    {
      title: 'two logs, the earlier first, whichever is given first',
      hive: dirty(3, 2),
      logs: [newLog(3, [entryOf(2, 3), entryOf(3, 4)]), newLog(2, [entryOf(1, 2)])],
      state: 3,
      replayed: 3,
    },
    {
      title: 'no entry behind a gap',
      hive: dirty(3, 2),
      logs: [newLog(2, [entryOf(1, 2)]), newLog(4, [entryOf(3, 4)])],
      state: 1,
      replayed: 1,
    },
    {
      title: 'no entry of earlier use behind the last',
      hive: dirty(9, 8),
      logs: [newLog(8, [entryOf(1, 8), entryOf(3, 5)])],
      state: 1,
      replayed: 1,
    },
    {
      title: 'no entry whose hash is wrong',
      hive: dirty(3, 2),
      logs: [newLog(2, [entryOf(1, 2), Buffer.from(entryOf(3, 3)).fill(1, 100, 101)])],
      state: 1,
      replayed: 1,
    },
    {
      title: 'the newest log alone when the head of the hive is damaged',
      hive: Buffer.concat([Buffer.from('junk'), dirty(3, 2).subarray(4)]),
      logs: [newLog(2, [entryOf(1, 2)]), newLog(3, [entryOf(2, 3)])],
      state: 2,
      replayed: 1,
    },
    {title: 'an old log', hive: dirty(6, 5), logs: [oldLog(3)], state: 3, replayed: 1},
    {title: 'an old log of Windows 2000', hive: dirty(6, 5), logs: [oldLog(1, {28: 2})], state: 1, replayed: 1},
    {
      title: 'an old log for a hive without a head',
      hive: Buffer.from(dirty(6, 5)).fill(0, 0, 512),
      logs: [oldLog(2)],
      state: 2,
      replayed: 1,
    },
    {
      title: 'the latest old log for a hive whose head is damaged, though its first bin is older',
      hive: Buffer.from(dirty(6, 5)).fill(1, 60, 61),
      logs: [oldLog(1, {12: 7}), oldLog(2, {12: 9}), oldLog(3, {12: 8})],
      state: 2,
      replayed: 1,
    },
    ...[0, 1, 2].flatMap((minor) => [
      {
        title: `an old log for a damaged head of version 1.${minor}`,
        hive: Buffer.from(dirty(6, 5)).fill(minor, 24, 25),
        logs: [oldLog(2)],
        state: 2,
        replayed: 1,
      },
      {
        title: `a new log for a damaged head of version 1.${minor}`,
        hive: Buffer.from(dirty(6, 5)).fill(minor, 24, 25),
        logs: [newLog(5, [entryOf(3, 5)])],
        state: 3,
        replayed: 1,
      },
      {
        title: `a new log for a dirty head of version 1.${minor} whose checksum is right`,
        hive: sealed(dirty(6, 5), {24: minor}),
        logs: [newLog(5, [entryOf(3, 5)])],
        state: 3,
        replayed: 1,
      },
    ]),
    {
      title: 'two logs whose sequences begin anew between them',
      hive: dirty(0xffffffff, 0xfffffffe),
      logs: [newLog(0, [entryOf(3, 0)]), newLog(0xfffffffe, [entryOf(1, 0xfffffffe), entryOf(2, 0xffffffff)])],
      state: 3,
      replayed: 3,
    },
  ])
    it(`takes ${title}`, () => {
      const result = replayLogs(hive, logs)
      assert.equal(result.replayed, replayed)
      const read = openHive(result.bytes)
      requireSound(read)
      assert.ok(!isDirty(read.header))
      assert.deepEqual(describeTree(read.root), describeTree(openHive(STATES[state]!).root))
    })

  for (const {title, hive, logs} of [
    {title: 'a clean hive, whatever its logs hold', hive: STATES[0]!, logs: [newLog(1, [entryOf(3, 1)])]},
    {title: 'a dirty hive without logs', hive: dirty(3, 2), logs: []},
    {
      title: 'a clean hive of version 1.2, whatever its logs hold',
      hive: sealed(STATES[0]!, {24: 2}),
      logs: [newLog(1, [entryOf(3, 1)])],
    },
    {title: 'a dirty hive whose log is older', hive: dirty(9, 8), logs: [newLog(2, [entryOf(1, 2)])]},
    {title: 'a dirty hive whose old log was not ended', hive: dirty(6, 5), logs: [oldLog(1, {8: 4})]},
    {title: 'a dirty hive whose old log is of another time', hive: dirty(6, 5), logs: [oldLog(1, {12: 1})]},
    {
      title: 'a dirty hive whose log has a damaged head',
      hive: dirty(3, 2),
      logs: [newLog(2, [entryOf(1, 2)]).fill(1, 60, 61)],
    },
    {title: 'a dirty hive whose log is empty', hive: dirty(3, 2), logs: [Buffer.alloc(0)]},
  ])
    it(`leaves ${title} as it is`, () => {
      const result = replayLogs(hive, logs)
      assert.equal(result.replayed, 0)
      assert.ok(hive.equals(result.bytes))
    })

  for (const {title, hive = dirty(3, 2), logs, leftOut} of [
    {title: 'a whole log', logs: [newLog(2, [entryOf(1, 2)])], leftOut: 0},
    {title: 'entries of earlier use', hive: dirty(9, 8), logs: [newLog(8, [entryOf(1, 8), entryOf(3, 5)])], leftOut: 0},
    {title: 'an empty log beside it', logs: [newLog(2, [entryOf(1, 2)]), Buffer.alloc(0)], leftOut: 0},
    {title: 'an older log beside it', logs: [newLog(2, [entryOf(1, 2)]), newLog(1, [entryOf(3, 1)])], leftOut: 0},
    {
      title: 'a log with a damaged head beside it',
      logs: [newLog(2, [entryOf(1, 2)]), newLog(3, [entryOf(2, 3)]).fill(1, 60, 61)],
      leftOut: 1,
    },
    {
      title: 'a damaged second entry',
      logs: [newLog(2, [entryOf(1, 2), Buffer.from(entryOf(3, 3)).fill(1, 100, 101)])],
      leftOut: 1,
    },
    {title: 'a cut second entry', logs: [newLog(2, [entryOf(1, 2), entryOf(3, 3).subarray(0, 512)])], leftOut: 1},
    {title: 'a log behind a gap', logs: [newLog(2, [entryOf(1, 2)]), newLog(4, [entryOf(3, 4)])], leftOut: 1},
  ])
    it(`counts what is left out of ${title}: ${leftOut}`, () => {
      const result = replayLogs(hive, logs)
      assert.equal(result.replayed, 1)
      assert.equal(result.leftOut, leftOut)
    })

  for (const {title, logs, options, outcome} of [
    {title: 'no logs', logs: [], options: {acceptDirty: true}, outcome: ['hive-dirty']},
    {title: 'no logs, strictly', logs: [], options: {}, outcome: 'HIVE_DIRTY'},
    {
      title: 'a damaged log',
      logs: [newLog(2, [entryOf(1, 2)]).fill(1, 60, 61)],
      options: {acceptDirty: true},
      outcome: 'HIVE_DIRTY',
    },
    {title: 'a log without entries', logs: [newLog(2, [])], options: {acceptDirty: true}, outcome: 'HIVE_DIRTY'},
    {title: 'an empty log', logs: [Buffer.alloc(0)], options: {acceptDirty: true}, outcome: 'HIVE_DIRTY'},
    {title: 'an older log', logs: [newLog(1, [entryOf(1, 1)])], options: {acceptDirty: true}, outcome: 'HIVE_DIRTY'},
    {
      title: 'a damaged log that is ignored',
      logs: [newLog(2, []).fill(1, 60, 61)],
      options: {ignoreLogs: true},
      outcome: ['hive-dirty'],
    },
    {
      title: 'a whole log that is ignored',
      logs: [newLog(2, [entryOf(1, 2)])],
      options: {ignoreLogs: true},
      outcome: ['hive-dirty'],
    },
    {title: 'a whole log', logs: [newLog(2, [entryOf(1, 2)])], options: {}, outcome: ['hive-logs-replayed']},
    {
      title: 'a whole log and a damaged one',
      logs: [newLog(2, [entryOf(1, 2)]), newLog(3, [entryOf(2, 3)]).fill(1, 60, 61)],
      options: {},
      outcome: ['hive-logs-replayed', 'hive-log-left-out'],
    },
  ])
    it(`a dirty hive with ${title}: ${String(outcome)}`, () => {
      const codes: string[] = []
      const open = (): unknown =>
        openWithLogs(sealed(STATES[0]!, {4: 3, 8: 2}), {
          subject: 'hive',
          logs,
          ...options,
          onEvent: (event) => {
            if (event.kind === 'note') codes.push(event.code)
          },
        })
      if (typeof outcome === 'string') assert.throws(open, {code: outcome})
      else {
        open()
        assert.deepEqual(codes, outcome)
      }
    })

  for (const {title, spoil} of [
    {title: 'an unknown length', spoil: {508: 0}},
    {title: 'a length that is too small', spoil: {40: 4096}},
    {title: 'a length that is too large', spoil: {40: 2 ** 24}},
  ])
    it(`reads all whole bins of a hive whose damaged head gives ${title}`, () => {
      const hive = Buffer.from(STATES[3]!)
      for (const [offset, value] of Object.entries(spoil)) hive.writeUInt32LE(value, Number(offset))
      const codes: string[] = []
      const read = openWithLogs(Buffer.concat([hive, Buffer.alloc(9000, 1)]), {
        subject: 'hive',
        acceptDirty: true,
        onEvent: (event) => {
          if (event.kind === 'note') codes.push(event.code)
        },
      })
      assert.deepEqual(describeTree(read.root), describeTree(openHive(STATES[3]!).root))
      assert.deepEqual(codes, 508 in spoil ? ['hive-dirty'] : ['hive-dirty', 'hive-length'])
    })

  it('reads a last bin that reaches beyond the stated length when asked to, and says so', () => {
    const large = hiveOf(keyOf({name: 'ROOT', values: [valueOf('large', 3, Buffer.alloc(10_000, 1))]}))
    const hive = sealed(large, {40: large.readUInt32LE(40) - 4096})
    assert.throws(() => openWithLogs(hive, {subject: 'hive'}), {code: 'HIVE_CORRUPT'})
    const codes: string[] = []
    const read = openWithLogs(hive, {
      subject: 'hive',
      acceptLonger: true,
      onEvent: (event) => {
        if (event.kind === 'note') codes.push(event.code)
      },
    })
    assert.deepEqual(describeTree(read.root), describeTree(openHive(large).root))
    assert.deepEqual(codes, ['hive-length'])
  })

  it('refuses a dirty hive, or reads it with a remark when asked to', () => {
    const hive = sealed(STATES[0]!, {4: 3, 8: 2})
    assert.throws(() => openHive(hive), {code: 'HIVE_DIRTY'})
    const remarks: string[] = []
    const read = openHive(hive, {acceptDirty: true, onRemark: (remark) => remarks.push(remark.code)})
    assert.equal(read.root.subkeys().length, 1)
    assert.deepEqual(remarks, ['hive-dirty'])
  })

  it('survives logs with any byte changed', () => {
    const logs = [newLog(2, [entryOf(1, 2), entryOf(3, 3)]), oldLog(2)]
    fc.assert(
      fc.property(fc.nat({max: 1}), fc.nat(), fc.nat({max: 255}), fc.boolean(), (which, at, byte, cut) => {
        const log = Buffer.from(logs[which]!)
        log.writeUInt8(byte, at % Math.min(log.byteLength, 700))
        if (which === 1 || cut) log.writeUInt32LE(baseBlockChecksum(log), 508)
        try {
          openHive(replayLogs(dirty(6, which === 0 ? 2 : 5), [log]).bytes)
        } catch (error) {
          assert.ok(error instanceof TransshipError, String(error))
        }
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})

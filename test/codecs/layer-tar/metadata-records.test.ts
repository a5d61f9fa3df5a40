import assert from 'node:assert/strict'
import {
  decodeMetadata,
  encodeMetadata,
  hasRecord,
  KEY,
  layoutFrameOf,
  modificationTimeOf,
} from '../../../src/codecs/layer-tar/metadata-records.js'
import {readTar, type TarMember} from '../../../src/codecs/tar/tar-reader.js'
import {UNIX_EPOCH, UNSTATED_TIME} from '../../../src/model/windows-metadata.js'
import {chunked} from '../../helpers/bytes.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {paxMember, RAW_END, rawMember, type RawHeader} from '../../helpers/raw-tar.js'
import {SECURITY_DESCRIPTORS} from '../../helpers/security-descriptors.js'

type Records = Readonly<Record<string, string>>

/** A member with these records; its own time is 5 seconds. */
async function memberOf(records: Records, header: Partial<RawHeader> = {}): Promise<TarMember> {
  const {patch = {}, ...rest} = header
  const own = rawMember({name: 'Files/a', ...rest, patch: {136: '00000000005\0', ...patch}})
  const parts = Object.keys(records).length === 0 ? [own, RAW_END] : [paxMember(Object.entries(records)), own, RAW_END]
  for await (const item of readTar(chunked(Buffer.concat(parts)), {title: 'x'})) if (item.kind === 'member') return item
  return assert.fail('no member')
}

const decoded = async (records: Records, header: Partial<RawHeader> = {}) =>
  decodeMetadata(await memberOf(records, header))
const second = (count: number) => UNIX_EPOCH + BigInt(count) * 10_000_000n
const SOUND = SECURITY_DESCRIPTORS[0]!.bytes

describe('what the records of a layer say', () => {
  it('is no more than the time where there are none', async () => {
    const times = {creation: second(5), lastAccess: UNSTATED_TIME, lastWrite: second(5), change: UNSTATED_TIME}
    assert.deepEqual(await decoded({}), {attributes: 0, times})
    assert.deepEqual(await decoded({}, {type: '5'}), {attributes: 0x10, times})
  })

  for (const [text, attributes] of [
    ['0', 0],
    ['32', 32],
    ['4294967295', 0xffffffff],
    ['0000000016', 16],
    ['4294967296', undefined],
    ['00000000032', undefined],
    ['-1', undefined],
    ['0x20', undefined],
    ['32 ', undefined],
    ['', undefined],
  ] as const)
    it(`are the attributes: '${text}'`, async () => {
      if (attributes !== undefined) assert.equal((await decoded({[KEY.fileAttributes]: text})).attributes, attributes)
      else
        assert.deepEqual(await lateFaultOf(decoded({[KEY.fileAttributes]: text})), {
          code: 'LAYER_CORRUPT',
          at: {path: 'Files/a', offset: 0},
        })
    })

  it('are the attributes of a folder too, which may be none', async () => {
    assert.equal((await decoded({[KEY.fileAttributes]: '32'}, {type: '5'})).attributes, 32)
  })

  it('are the four times, each by its key', async () => {
    const records = {[KEY.creationTime]: '1', [KEY.accessTime]: '2', [KEY.modificationTime]: '3', [KEY.changeTime]: '4'}
    assert.deepEqual((await decoded(records)).times, {
      creation: second(1),
      lastAccess: second(2),
      lastWrite: second(3),
      change: second(4),
    })
  })

  it('that are empty state no time', async () => {
    const empty = {[KEY.creationTime]: '', [KEY.accessTime]: '', [KEY.modificationTime]: '', [KEY.changeTime]: ''}
    assert.deepEqual((await decoded(empty)).times, (await decoded({})).times)
  })

  for (const format of ['gnu', 'star'] as const)
    it(`leave times to the fields of a ${format} header`, async () => {
      const [atime, ctime] = format === 'gnu' ? [345, 357] : [476, 488]
      const header = {format, patch: {[atime]: '00000000006\0', [ctime]: '00000000007\0'}}
      const {times} = await decoded({}, header)
      assert.deepEqual([times.lastAccess, times.change], [second(6), second(7)])
      const stated = await decoded({[KEY.accessTime]: '8', [KEY.changeTime]: '9'}, header)
      assert.deepEqual([stated.times.lastAccess, stated.times.change], [second(8), second(9)])
    })

  it('are exact times, where there are four, whatever else is said', async () => {
    const {times} = await decoded({[KEY.times]: '-1,0,9223372036854775807,4', [KEY.modificationTime]: '3'})
    assert.deepEqual(times, {creation: -1n, lastAccess: 0n, lastWrite: 2n ** 63n - 1n, change: 4n})
  })

  for (const text of ['1,2,3', '1,2,3,4,5', '1,2,3,x', ' 1,2,3,4', '1,2,3,4 ', '1,,3,4', `1,2,3,${'1'.repeat(21)}`])
    it(`are no exact times: '${text}'`, async () => {
      assert.equal((await decoded({[KEY.times]: text})).times.lastWrite, second(5))
    })

  it('are refused where the time of making is none', async () => {
    assert.equal((await lateFaultOf(decoded({[KEY.creationTime]: '1.2.3'}))).code, 'LAYER_CORRUPT')
  })

  for (const [records, nanoseconds] of [
    [{}, 5_000_000_000n],
    [{mtime: '1.5'}, 1_500_000_000n],
    [{mtime: ''}, 5_000_000_000n],
    [{mtime: '-1'}, -1_000_000_000n],
  ] as const)
    it(`are the time of change: ${JSON.stringify(records)}`, async () => {
      assert.equal(modificationTimeOf(await memberOf(records)), nanoseconds)
    })

  it('are the security descriptor', async () => {
    const {securityDescriptor} = await decoded({[KEY.securityDescriptor]: SOUND.toString('base64')})
    assert.ok(Buffer.from(securityDescriptor ?? []).equals(SOUND))
  })

  it('are the extended attributes, in the order of their names', async () => {
    const records = {
      [`${KEY.extendedAttribute}b`]: 'Ag==',
      [`${KEY.extendedAttribute}A`]: '',
      [`${KEY.extendedAttribute}a`]: 'AQ==',
    }
    assert.deepEqual((await decoded(records)).extendedAttributes, [
      {name: 'A', flags: 0, value: Buffer.of()},
      {name: 'a', flags: 0, value: Buffer.of(1)},
      {name: 'b', flags: 0, value: Buffer.of(2)},
    ])
  })

  for (const [key, text, code] of [
    [KEY.securityDescriptor, 'AQI', 'DESCRIPTOR_CORRUPT'],
    [KEY.securityDescriptor, 'AQI=', 'DESCRIPTOR_CORRUPT'],
    [KEY.securityDescriptor, '', 'DESCRIPTOR_CORRUPT'],
    [`${KEY.extendedAttribute}a`, 'AQI', 'ATTRIBUTES_CORRUPT'],
    [KEY.extendedAttribute, 'AQI=', 'ATTRIBUTES_CORRUPT'],
  ] as const)
    it(`are refused by code, naming the entry: ${key} '${text}'`, async () => {
      assert.deepEqual(await lateFaultOf(decoded({[key]: text})), {code, at: {path: 'Files/a', offset: 0}})
    })

  it('are the form of a layout', async () => {
    assert.deepEqual(Buffer.from(layoutFrameOf(await memberOf({[KEY.layout]: 'AQI='})) ?? []), Buffer.of(1, 2))
    assert.equal(layoutFrameOf(await memberOf({})), undefined)
    const bad = await memberOf({[KEY.layout]: '%'})
    assert.equal((await lateFaultOf(Promise.resolve().then(() => layoutFrameOf(bad)))).code, 'LAYER_CORRUPT')
  })
})

describe('the records of an entry', () => {
  const times = {creation: second(1), lastAccess: second(2), lastWrite: second(3), change: second(4)}
  const options = {keepFrames: true, isHardLink: false, layout: undefined}
  const written = (change: Partial<typeof times>, keepFrames = true) =>
    encodeMetadata({attributes: 0, times: {...times, ...change}}, {...options, keepFrames})[KEY.times]

  it('have the keys that readers know', () => {
    assert.deepEqual(KEY, {
      fileAttributes: 'MSWINDOWS.fileattr',
      creationTime: 'LIBARCHIVE.creationtime',
      securityDescriptor: 'MSWINDOWS.rawsd',
      sddl: 'MSWINDOWS.sd',
      mountPoint: 'MSWINDOWS.mountpoint',
      extendedAttribute: 'MSWINDOWS.xattr.',
      accessTime: 'atime',
      changeTime: 'ctime',
      modificationTime: 'mtime',
      layout: 'TRANSSHIP.layout',
      times: 'TRANSSHIP.times',
    })
  })

  for (const [index, time] of ['9223372036854775808', '-9223372036854775809', '99999999999999999999'].entries())
    it(`are refused with a time of more than 64 bits: ${time}`, async () => {
      const stated = ['1', '1', '1', '1'].toSpliced(index, 1, time).join(',')
      await assert.rejects(decoded({[KEY.times]: stated}), {code: 'LAYER_CORRUPT', message: /TRANSSHIP\.times/})
    })

  it('state attributes without a sign', () => {
    const [top] = [encodeMetadata({attributes: -1, times}, options)[KEY.fileAttributes]]
    assert.equal(top, '4294967295')
  })

  /** Go's clock: 2^63 nanoseconds around 1970. */
  const last = UNIX_EPOCH + (2n ** 63n - 1n) / 100n
  const first = UNIX_EPOCH - 2n ** 63n / 100n
  for (const name of ['creation', 'lastAccess', 'lastWrite', 'change'] as const)
    it(`state exact times where one is none that a tar holds: ${name}`, () => {
      for (const time of [last, first, second(0)]) assert.equal(written({[name]: time}), undefined)
      for (const time of [last + 1n, first - 1n, 0n, -1n, 2n ** 63n - 1n]) {
        const changed = {...times}
        changed[name] = time
        const {creation, lastAccess, lastWrite, change} = changed
        assert.equal(written({[name]: time}), `${creation},${lastAccess},${lastWrite},${change}`)
        assert.equal(written({[name]: time}, false), undefined)
      }
    })

  for (const [name, fits] of [
    ['a', true],
    ['A.B c', true],
    ['\xff', true],
    ['', false],
    ['a=b', false],
    ['=', false],
    ['a\0', false],
  ] as const)
    it(`${fits ? 'may' : 'cannot'} have an extended attribute ${JSON.stringify(name)}`, () => {
      assert.equal(hasRecord(name), fits)
    })
})

import assert from 'node:assert/strict'
import {MAX_HIVE_BYTES} from '../../../src/codecs/registry-hive/open-hive.js'
import {keyOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {checkingHives} from '../../../src/formats/layer-blob/verify-hives.js'
import type {FileEntry, LayerEntry} from '../../../src/model/layer-entry.js'
import type {Fault} from '../../../src/model/transport.js'
import {collect} from '../../helpers/bytes.js'
import {directoryEntry} from '../../helpers/file-system-model.js'
import {deltaOf, descriptorOf, hiveOf, sealed} from '../../helpers/hives.js'
import {CONFIG, fileOf} from '../../helpers/layer-archives.js'
import {streamOf} from '../../helpers/streams.js'

const ROOT = keyOf({name: 'ROOT', security: descriptorOf(18)})
const WHOLE = hiveOf(ROOT)
const DELTA = deltaOf(ROOT)
const DIRTY = sealed(WHOLE, {4: WHOLE.readUInt32LE(8) + 1})
const SYSTEM = `${CONFIG}/SYSTEM`

/** A log of the form before Windows 8.1 that holds every page of the hive. */
function logOf(hive: Buffer): Buffer {
  const data = hive.subarray(4096)
  const head = Buffer.concat([Buffer.from('DIRT'), Buffer.alloc(data.byteLength / 4096, 0xff)])
  const base = sealed(hive.subarray(0, 512), {4: 5, 8: 5, 28: 1})
  return Buffer.concat([base, head, Buffer.alloc((512 - (head.byteLength % 512)) % 512), data])
}

async function check(entries: readonly LayerEntry[]): Promise<{passed: LayerEntry[]; faults: Fault[]}> {
  const passed: LayerEntry[] = []
  const faults: Fault[] = []
  for await (const entry of checkingHives(streamOf(...entries), (fault) => faults.push(fault))) {
    assert.deepEqual(faults, [], 'told before the end')
    passed.push(entry)
  }
  return {passed, faults}
}

const told = async (...entries: LayerEntry[]) =>
  (await check(entries)).faults.map(({code, subject}) => `${code} ${subject}`)

describe('hives that pass by', () => {
  it('go on with their bytes, and others as they are', async () => {
    const entries = [directoryEntry('Files'), fileOf('Files/a.txt', 'a'), fileOf(SYSTEM, WHOLE)]
    const {passed, faults} = await check(entries)
    assert.deepEqual(faults, [])
    assert.deepEqual([passed[0], passed[1]], [entries[0], entries[1]])
    const {content} = passed[2] as FileEntry
    assert.ok(content !== undefined && (await collect(content.open())).equals(WHOLE))
  })

  it('keep their holes', async () => {
    const hive = fileOf(SYSTEM, WHOLE)
    const ranges = [{offset: 0, length: WHOLE.byteLength}]
    const {passed} = await check([{...hive, content: {...hive.content!, ranges}}])
    assert.deepEqual((passed[0] as FileEntry).content?.ranges, ranges)
    const {passed: plain} = await check([hive])
    assert.equal('ranges' in ((plain[0] as FileEntry).content ?? {}), false)
  })

  it('are finished by a log in front of them, or behind', async () => {
    const log = fileOf(`${SYSTEM}.LOG1`, logOf(DIRTY))
    const hive = fileOf(SYSTEM, DIRTY)
    assert.deepEqual(await told(hive, log), [])
    assert.deepEqual(await told(log, hive), [])
    assert.deepEqual(await told(log, fileOf(`${SYSTEM}.LOG2`, ''), hive), [])
    assert.deepEqual(await told(fileOf(`${SYSTEM}.LOG2`, 'no log'), hive, log), [])
  })

  it('are not finished by the log of another, nor by one of no bytes', async () => {
    const hive = fileOf(SYSTEM, DIRTY)
    for (const other of [
      fileOf(`${CONFIG}/SOFTWARE.LOG1`, logOf(DIRTY)),
      fileOf('Hives/System_Base.LOG1', logOf(DIRTY)),
      fileOf(`${SYSTEM}.LOG1`, ''),
    ]) {
      assert.deepEqual(await told(hive, other), [`HIVE_DIRTY ${SYSTEM}`])
      assert.deepEqual(await told(other, hive), [`HIVE_DIRTY ${SYSTEM}`])
    }
  })

  it('that are whole do not ask what is in their logs', async () => {
    const log = fileOf(`${SYSTEM}.LOG1`, 'no log')
    assert.deepEqual(await told(fileOf(SYSTEM, WHOLE), log), [])
    assert.deepEqual(await told(log, fileOf(SYSTEM, WHOLE)), [])
  })

  it('have logs of transactions that are not read', async () => {
    const guid = '{53b39e88-18c4-11ea-a811-000d3aa4692b}'
    const {content: _content, ...bare} = fileOf(`${SYSTEM}${guid}.TM.blf`, '')
    const content = {size: 10, open: () => assert.fail('nobody reads it')}
    assert.deepEqual(await told({...bare, content}), [])
  })

  it('may have no content', async () => {
    const {content: _content, ...bare} = fileOf(SYSTEM, '')
    assert.deepEqual(await told(bare, fileOf(`${CONFIG}/SAM`, '')), [])
  })

  it('are not read beyond their limit, and that is told', async () => {
    const size = MAX_HIVE_BYTES + 1
    const content = {size, open: () => assert.fail('nobody reads it')}
    const {faults} = await check([{...fileOf(SYSTEM, ''), content}])
    assert.deepEqual(
      faults.map(({code, subject}) => [code, subject]),
      [['LIMIT_EXCEEDED', SYSTEM]],
    )
    for (const number of [size, MAX_HIVE_BYTES]) assert.ok(faults[0]?.message.includes(String(number)))
  })

  it('of the files of a delta are files like any other, wherever the delta stands', async () => {
    const broken = fileOf(SYSTEM, 'no hive')
    assert.deepEqual(await told(broken), [`HIVE_CORRUPT ${SYSTEM}`])
    for (const delta of [fileOf('Hives/System_Delta', DELTA), fileOf('Hives/Sam_Delta', '')]) {
      assert.deepEqual(await told(broken, delta), [])
      assert.deepEqual(await told(delta, broken), [])
      assert.deepEqual(await told(delta, fileOf(SYSTEM, DIRTY)), [])
    }
    assert.deepEqual(await told(broken, fileOf('Hives/System_Base', WHOLE)), [`HIVE_CORRUPT ${SYSTEM}`])
    const log = fileOf('Hives/System_Delta.LOG1', '')
    assert.deepEqual(await told(broken, log), [`HIVE_CORRUPT ${SYSTEM}`])
  })

  it('have each its own fault, and those that need logs come last', async () => {
    const faults = await told(
      fileOf(SYSTEM, DIRTY),
      fileOf(`${CONFIG}/SAM`, 'no hive'),
      fileOf('Hives/Software_Delta', 'none'),
      fileOf('Hives/Software_Base', 'none'),
    )
    assert.deepEqual(faults, ['HIVE_CORRUPT Hives/Software_Delta', 'HIVE_CORRUPT Hives/Software_Base'])
    assert.deepEqual(await told(fileOf(SYSTEM, DIRTY), fileOf(`${CONFIG}/SAM`, 'no hive')), [
      `HIVE_CORRUPT ${CONFIG}/SAM`,
      `HIVE_DIRTY ${SYSTEM}`,
    ])
  })
})

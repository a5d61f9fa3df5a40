import assert from 'node:assert/strict'
import path from 'node:path'
import {baseBlockChecksum} from '../../../src/codecs/registry-hive/base-block.js'
import {keyOf, valueOf} from '../../../src/codecs/registry-hive/hive-key.js'
import {convert} from '../../../src/convert/convert.js'
import {verify} from '../../../src/convert/verify.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {deltaOf, descriptorOf, hiveOf, text} from '../../helpers/hives.js'
import {CONFIG, fileOf, saveImage} from '../../helpers/layer-archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const root = keyOf({
  name: 'ROOT',
  security: descriptorOf(18),
  subkeys: [keyOf({name: 'Setup', security: descriptorOf(18), values: [valueOf('Type', 1, text('full'))]})],
})
const whole = hiveOf(root)
const delta = deltaOf(root)

/** The signature of the root key is at the first cell of the first bin. */
function damaged(hive: Buffer): Buffer {
  const copy = Buffer.from(hive)
  copy.write('xx', 4096 + 32 + 4, 'latin1')
  return copy
}

/** As a crash leaves it: its two sequence numbers differ. */
function unfinished(hive: Buffer): Buffer {
  const copy = Buffer.from(hive)
  copy.writeUInt32LE(copy.readUInt32LE(8) + 1, 4)
  copy.writeUInt32LE(baseBlockChecksum(copy), 508)
  return copy
}

/** A log of the form before Windows 8.1 that holds every page of the hive. */
function logOf(hive: Buffer): Buffer {
  const data = hive.subarray(4096)
  const base = Buffer.from(hive.subarray(0, 512))
  base.writeUInt32LE(5, 4)
  base.writeUInt32LE(5, 8)
  base.writeUInt32LE(1, 28)
  base.writeUInt32LE(baseBlockChecksum(base), 508)
  const head = Buffer.concat([Buffer.from('DIRT', 'latin1'), Buffer.alloc(data.byteLength / 4096, 0xff)])
  return Buffer.concat([base, head, Buffer.alloc((512 - (head.byteLength % 512)) % 512), data])
}

const SYSTEM = `${CONFIG}/SYSTEM`
const ROWS: readonly {title: string; entries: readonly LayerEntry[]; faults: readonly string[]}[] = [
  {title: 'sound hives of a base', entries: [fileOf(SYSTEM, whole)], faults: []},
  {
    title: 'a sound delta, and one of no bytes',
    entries: [fileOf('Hives/Sam_Delta', ''), fileOf('Hives/System_Delta', delta)],
    faults: [],
  },
  {
    title: 'a damaged delta',
    entries: [fileOf('Hives/System_Delta', damaged(delta))],
    faults: ['HIVE_CORRUPT Hives/System_Delta'],
  },
  {
    title: 'a damaged base hive',
    entries: [fileOf('Hives/Software_Base', damaged(whole))],
    faults: ['HIVE_CORRUPT Hives/Software_Base'],
  },
  {title: 'text in place of a hive', entries: [fileOf(SYSTEM, 'not a hive')], faults: [`HIVE_CORRUPT ${SYSTEM}`]},
  {
    title: 'all faults, not the first',
    entries: [fileOf(`${CONFIG}/SAM`, damaged(whole)), fileOf(SYSTEM, damaged(whole))],
    faults: [`HIVE_CORRUPT ${CONFIG}/SAM`, `HIVE_CORRUPT ${SYSTEM}`],
  },
  {
    title: 'an unfinished hive without logs',
    entries: [fileOf(SYSTEM, unfinished(whole))],
    faults: [`HIVE_DIRTY ${SYSTEM}`],
  },
  {
    title: 'an unfinished hive with the log that finishes it',
    entries: [fileOf(SYSTEM, unfinished(whole)), fileOf(`${SYSTEM}.LOG1`, logOf(unfinished(whole)))],
    faults: [],
  },
  {
    title: 'a file of that name in a delta, which no container loads',
    entries: [fileOf(SYSTEM, 'text'), fileOf('Hives/System_Delta', delta)],
    faults: [],
  },
]

describe('verifying registry hives', () => {
  const folder = temporaryFolder()

  for (const [index, {title, entries, faults}] of ROWS.entries())
    it(`finds ${faults.length === 0 ? 'no fault' : faults.join(' and ')} in ${title}, wherever the layer is stored`, async () => {
      const archive = await saveImage(path.join(folder.path, `${index}.tar`), [entries])
      const inbox = `inbox:${path.join(folder.path, `repository-${index}`)}`
      const layout = `layout:${path.join(folder.path, `layout-${index}`)}`
      await convert(archive, inbox)
      await convert(archive, layout)
      for (const reference of [archive, inbox, layout]) {
        const report = await verify(reference)
        const found = report.faults.map(
          ({code, subject}) => `${code} ${subject.replace(/^.*?(?=Files\/|Hives\/)/, '')}`,
        )
        assert.deepEqual(found, faults, `${reference}: ${JSON.stringify(report.faults)}`)
      }
    })

  it('tells the offset of the fault', async () => {
    const archive = await saveImage(path.join(folder.path, 'offset.tar'), [[fileOf(SYSTEM, damaged(whole))]])
    const [fault] = (await verify(archive)).faults
    assert.match(fault?.message ?? '', /offset 41\d\d\b/)
  })
})

import assert from 'node:assert/strict'
import {baseBlockChecksum} from '../../../src/codecs/registry-hive/base-block.js'
import {
  findKey,
  keyOf,
  valueOf,
  valueTombstone,
  type HiveKey,
  type KeyDraft,
} from '../../../src/codecs/registry-hive/hive-key.js'
import {flatten} from '../../../src/codecs/registry-hive/layered-keys.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {deltaOf, descriptorOf, hiveOf, openHive, sealed, text} from '../../helpers/hives.js'

/*
 * What Windows 10 left in the System_Delta of a container's scratch space, made again: the layer bytes, the deletions and
 * the oddities that the registry hive format page, section 3.2, reports of the one differencing hive that is public.
 */

const key = (name: string, draft: Omit<KeyDraft, 'name'> = {}): HiveKey =>
  keyOf({name, security: descriptorOf(18), lastWrite: 132_400_000_000_000_000n, ...draft})
const promoted = (name: string, draft: Omit<KeyDraft, 'name'> = {}): HiveKey =>
  key(name, {inheritsClass: true, ...draft})
const replaced = (name: string, draft: Omit<KeyDraft, 'name'> = {}): HiveKey =>
  key(name, {disposition: 'supersede-tree', ...draft})
const deleted = (name: string): HiveKey => key(name, {disposition: 'tombstone', lastWrite: 0n})

const delta = key('ROOT', {
  flags: 8,
  subkeys: [
    promoted('ControlSet001', {
      subkeys: [
        promoted('Control', {
          subkeys: [
            key('SystemInformation', {values: [valueOf('ComputerHardwareId', 1, text('{id}'))]}),
            promoted('WMI', {
              subkeys: [
                promoted('Autologger', {
                  subkeys: [
                    replaced('{11111111-0000-0000-0000-000000000000}', {
                      values: [valueOf('Enabled', 4, Uint8Array.of(1, 0, 0, 0))],
                      subkeys: [replaced('Filters')],
                    }),
                    deleted('{BA84F32B-0000-0000-0000-000000000000}'),
                  ],
                }),
              ],
            }),
          ],
        }),
        promoted('Services', {
          subkeys: [
            deleted('XBOXGIP'),
            promoted('tombstoned', {
              values: [valueTombstone('displayname'), valueOf('start', 4, Uint8Array.of(3, 0, 0, 0))],
            }),
            replaced('xboxgipsvc', {inheritsClass: true, subkeys: [replaced('a_subkey')]}),
          ],
        }),
      ],
    }),
  ],
})

/** What offreg and the kernel leave in the head, in volatile fields and behind the data. */
function asWindowsLeavesIt(bytes: Buffer): Buffer {
  const hive = Buffer.concat([bytes, Buffer.alloc(8192, 'remnant ')])
  hive.writeUInt32LE(6, 4)
  hive.writeUInt32LE(6, 8)
  hive.write('OfRg', 176, 'latin1')
  hive.writeUInt32LE(1, 180)
  const root = 4096 + hive.readUInt32LE(36) + 4
  hive.writeUInt8(2, root + 12)
  hive.writeUInt32LE(1, root + 24)
  hive.writeUInt32LE(0x80000180, root + 32)
  hive.writeUInt32LE(baseBlockChecksum(hive), 508)
  return hive
}

describe('a delta as Windows writes it', () => {
  const written = deltaOf(delta)
  const hive = openHive(asWindowsLeavesIt(written))
  const at = (...path: string[]): HiveKey => {
    const found = findKey(hive.root, path)
    assert.ok(found, path.join('\\'))
    return found
  }
  const services = ['ControlSet001', 'Services']
  const autologger = ['ControlSet001', 'Control', 'WMI', 'Autologger']

  it('is read as a sound delta, whatever lies in volatile fields and behind the data', () => {
    requireSound(hive)
    assert.ok(hive.isLayered)
    assert.equal(hive.header.minorVersion, 6)
    assert.ok(deltaOf(hive.root).equals(written))
  })

  for (const {path, layerByte, disposition, inherits, note} of [
    {path: [], layerByte: 0x00, disposition: 'merge', inherits: false, note: 'the root'},
    {path: ['ControlSet001'], layerByte: 0x80, disposition: 'merge', inherits: true, note: 'a promoted key'},
    {
      path: ['ControlSet001', 'Control', 'SystemInformation'],
      layerByte: 0x00,
      disposition: 'merge',
      inherits: false,
      note: 'a created key',
    },
    {
      path: [...autologger, '{11111111-0000-0000-0000-000000000000}'],
      layerByte: 0x03,
      disposition: 'supersede-tree',
      inherits: false,
      note: 'a key deleted and made again',
    },
    {
      path: [...autologger, '{BA84F32B-0000-0000-0000-000000000000}'],
      layerByte: 0x01,
      disposition: 'tombstone',
      inherits: false,
      note: 'a deleted key',
    },
    {
      path: [...services, 'xboxgipsvc'],
      layerByte: 0x83,
      disposition: 'supersede-tree',
      inherits: true,
      note: 'a key made again that inherits its class',
    },
    {
      path: [...services, 'xboxgipsvc', 'a_subkey'],
      layerByte: 0x03,
      disposition: 'supersede-tree',
      inherits: false,
      note: 'a subkey of one made again',
    },
  ])
    it(`has 0x${layerByte.toString(16).padStart(2, '0')} for ${note}`, () => {
      const found = at(...path)
      assert.deepEqual([found.disposition, found.inheritsClass], [disposition, inherits])
      const stored = 'offset' in found ? hive.cells.cell(Number(found.offset), 0, 'key').readUInt8(13) : -1
      assert.equal(stored, layerByte)
    })

  it('marks a deleted value by flags 3, type 0, size 0 and no data', () => {
    const [value] = at(...services, 'tombstoned').values()
    assert.deepEqual([value?.name, value?.isTombstone, value?.type], ['displayname', true, 0])
    const node = written.indexOf('displayname') - 20
    assert.equal(written.toString('latin1', node, node + 2), 'vk')
    assert.deepEqual(
      [written.readUInt32LE(node + 4), written.readUInt32LE(node + 8), written.readUInt16LE(node + 16)],
      [0, 0xffffffff, 3],
    )
  })

  it('hides what it deletes and keeps the rest of the base', () => {
    const service = (name: string): HiveKey =>
      key(name, {
        values: [valueOf('DisplayName', 1, text(name)), valueOf('Start', 4, Uint8Array.of(2, 0, 0, 0))],
        subkeys: [key('Parameters')],
      })
    const base = key('ROOT', {
      flags: 8,
      subkeys: [
        key('ControlSet001', {
          subkeys: [key('Services', {subkeys: ['tombstoned', 'untouched', 'XboxGip', 'xboxgipsvc'].map(service)})],
        }),
      ],
    })
    const flat = openHive(hiveOf(flatten(base, hive.root)))
    requireSound(flat)
    const found = findKey(flat.root, services)
    assert.deepEqual(
      found?.subkeys().map((each) => [each.name, each.values().map((value) => value.name), each.subkeys().length]),
      [
        ['tombstoned', ['start'], 1],
        ['untouched', ['DisplayName', 'Start'], 1],
        ['xboxgipsvc', [], 1],
      ],
    )
    assert.deepEqual([flat.header.minorVersion, flat.header.flags], [5, 0])
    assert.ok(hiveOf(flatten(flat.root, hive.root)).equals(hiveOf(flat.root)), 'applying it again changes nothing')
  })

  for (const {title, spoil} of [
    {title: 'a deleted root', spoil: key('ROOT', {disposition: 'tombstone'})},
    {title: 'a root that replaces only itself', spoil: key('ROOT', {disposition: 'supersede-local'})},
    {
      title: 'a deleted key with subkeys',
      spoil: key('ROOT', {subkeys: [key('k', {disposition: 'tombstone', subkeys: [key('x')]})]}),
    },
    {
      title: 'a key that merges inside one that replaces',
      spoil: key('ROOT', {subkeys: [replaced('k', {subkeys: [key('x')]})]}),
    },
  ])
    it(`refuses ${title}`, () => {
      assert.throws(
        () => {
          requireSound(openHive(deltaOf(spoil)))
        },
        {code: 'HIVE_CORRUPT'},
      )
    })

  it('refuses layer bits that nobody knows', () => {
    const odd = Buffer.from(deltaOf(key('ROOT')))
    odd.writeUInt8(0x04, 4096 + 36 + 13)
    assert.throws(() => openHive(odd), {code: 'HIVE_CORRUPT'})
  })

  const marked = key('ROOT', {
    subkeys: [key('gone', {disposition: 'tombstone'}), key('kept', {values: [valueTombstone('value')]})],
  })
  for (const {title, fields, options, isLayered} of [
    {title: 'version 1.6 and flag', fields: {}, options: {}, isLayered: true},
    {title: 'version 1.6 alone', fields: {144: 0}, options: {}, isLayered: true},
    {title: 'the flag alone', fields: {24: 5}, options: {}, isLayered: true},
    {title: 'its place alone', fields: {24: 5, 144: 0}, options: {isDelta: true}, isLayered: true},
    {title: 'its place alone, in version 1.3', fields: {24: 3, 144: 0}, options: {isDelta: true}, isLayered: true},
    {title: 'nothing', fields: {24: 5, 144: 0}, options: {}, isLayered: false},
    {title: 'another flag', fields: {24: 5, 144: 1}, options: {}, isLayered: false},
  ])
    it(`${isLayered ? 'takes' : 'ignores, with remarks,'} layer bits when ${title} says that there are layers`, () => {
      const remarks: string[] = []
      const hive = openHive(sealed(deltaOf(marked), fields), {
        ...options,
        onRemark: ({code, message}) => remarks.push(`${code}: ${message}`),
      })
      requireSound(hive)
      const [gone, kept] = hive.root.subkeys()
      assert.equal(gone?.disposition, isLayered ? 'tombstone' : 'merge')
      assert.equal(kept?.values()[0]?.isTombstone, isLayered)
      assert.equal(hive.isDelta, isLayered)
      const stray = remarks.filter((remark) => remark.startsWith('hive-stray-layer-bits'))
      if (isLayered) assert.deepEqual(stray, [])
      else {
        assert.ok(
          stray.some((remark) => remark.includes(`The key 'ROOT\\gone' has layer bits`)),
          stray.join('\n'),
        )
        assert.ok(stray.some((remark) => remark.includes(`The value "value" of the key 'ROOT\\kept'`)))
      }
    })

  for (const {title, fields, isDelta} of [
    {title: 'both signs', fields: {}, isDelta: true},
    {title: 'the version', fields: {144: 0}, isDelta: false},
    {title: 'the flag, which meant another thing before', fields: {24: 5}, isDelta: false},
  ])
    it(`${isDelta ? 'takes' : 'does not take'} a hive without marks for a delta by ${title}`, () => {
      const plain = key('ROOT', {subkeys: [key('a', {values: [valueOf('v', 1, text('x'))]})]})
      const hive = openHive(sealed(deltaOf(plain), fields))
      assert.ok(hive.isLayered)
      requireSound(hive)
      assert.equal(hive.isDelta, isDelta)
    })
})

import {InputError} from '../../model/errors.js'
import {formatAccessMask} from './access-mask.js'
import {acesOf, Control, decodeHead, descriptorCorrupt} from './descriptor-parts.js'
import {decodeSid} from './sid.js'

/** ACE types by number; those with an object's GUIDs are written with them. Source: [MS-DTYP] 2.4.4.1; sddl.h. */
const ACE_TYPES: Readonly<Record<number, {readonly name: string; readonly isObject?: true; readonly isLabel?: true}>> =
  {
    0x00: {name: 'A'},
    0x01: {name: 'D'},
    0x02: {name: 'AU'},
    0x03: {name: 'AL'},
    0x05: {name: 'OA', isObject: true},
    0x06: {name: 'OD', isObject: true},
    0x07: {name: 'OU', isObject: true},
    0x08: {name: 'OL', isObject: true},
    0x11: {name: 'ML', isLabel: true},
  }

/** ACE flags, in the order that Windows writes them. Source: sddl.h. */
const ACE_FLAGS = [
  [0x01, 'OI'],
  [0x02, 'CI'],
  [0x04, 'NP'],
  [0x08, 'IO'],
  [0x10, 'ID'],
  [0x40, 'SA'],
  [0x80, 'FA'],
] as const

/**
 * A self-relative security descriptor as text: `O:…G:…D:…S:…`. Rights and SIDs have letters where SDDL has them. ACEs that
 * SDDL has no plain form for (conditions, attributes) are written as `(XX;…)` in hexadecimal, for the eye only: the bytes
 * are what is kept. Throws `DESCRIPTOR_CORRUPT`. Source: [MS-DTYP] 2.5.1 and 2.4.6.
 */
export function formatSddl(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const {control, owner, group, dacl, sacl} = decodeHead(view)
  const parts: string[] = []
  if (owner !== 0) parts.push(`O:${decodeSid(view, owner).text}`)
  if (group !== 0) parts.push(`G:${decodeSid(view, group).text}`)
  if ((control & Control.daclPresent) !== 0) {
    const flags = flagsOf(control, [
      [Control.daclProtected, 'P'],
      [Control.daclInheritRequested, 'AR'],
      [Control.daclInherited, 'AI'],
    ])
    // No list at all grants everything; an empty one nothing.
    parts.push(`D:${flags}${dacl === 0 ? 'NO_ACCESS_CONTROL' : formatAcl(view, dacl)}`)
  }
  if ((control & Control.saclPresent) !== 0 && sacl !== 0) {
    const flags = flagsOf(control, [
      [Control.saclProtected, 'P'],
      [Control.saclInheritRequested, 'AR'],
      [Control.saclInherited, 'AI'],
    ])
    parts.push(`S:${flags}${formatAcl(view, sacl)}`)
  }
  return parts.join('')
}

/** The same, undefined for a descriptor that is damaged: showing it is no reason to fail. */
export function findSddl(bytes: Uint8Array): string | undefined {
  try {
    return formatSddl(bytes)
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

function flagsOf(bits: number, letters: readonly (readonly [number, string])[]): string {
  return letters.map(([bit, letter]) => ((bits & bit) === 0 ? '' : letter)).join('')
}

function formatAcl(view: DataView, start: number): string {
  return Array.from(acesOf(view, start), formatAce).join('')
}

/** One ACE. Source: [MS-DTYP] 2.4.4. */
function formatAce(view: DataView): string {
  const type = view.getUint8(0) //  0  AceType
  const flags = flagsOf(view.getUint8(1), ACE_FLAGS) //  1  AceFlags
  const known = ACE_TYPES[type]
  if (known === undefined) {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    return `(0x${type.toString(16)};${flags};${Buffer.from(bytes).toString('hex')};;;)`
  }
  const mask = view.getUint32(4, true) //  4  Mask
  let offset = 8
  const guids = ['', '']
  if (known.isObject === true) {
    if (view.byteLength < 12) throw descriptorCorrupt('an entry of a list is cut off', offset)
    const present = view.getUint32(8, true) //  8  Flags: 1 = ObjectType, 2 = InheritedObjectType
    offset = 12
    for (const index of [0, 1])
      if ((present & (1 << index)) !== 0) {
        if (offset + 16 > view.byteLength) throw descriptorCorrupt('an entry of a list is cut off', offset)
        guids[index] = formatGuid(view, offset)
        offset += 16
      }
  }
  const {text} = decodeSid(view, offset)
  return `(${known.name};${flags};${formatAccessMask(mask, {isLabel: known.isLabel ?? false})};${guids.join(';')};${text})`
}

/** GUID: three little-endian numbers, then eight bytes. Source: [MS-DTYP] 2.3.4.2. */
function formatGuid(view: DataView, offset: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const byte = (index: number) => hex(view.getUint8(offset + index), 2)
  const head = [
    hex(view.getUint32(offset, true), 8),
    hex(view.getUint16(offset + 4, true), 4),
    hex(view.getUint16(offset + 6, true), 4),
  ]
  return [...head, byte(8) + byte(9), [10, 11, 12, 13, 14, 15].map(byte).join('')].join('-')
}

import {acesOf, Control, decodeHead, descriptorCorrupt} from './descriptor-parts.js'
import {requireSid} from './sid.js'

/** ACE types whose SID follows the access mask: allowed, denied, audit, alarm, their callback forms, label. Source: [MS-DTYP] 2.4.4.1. */
const PLAIN_ACES = new Set([0x00, 0x01, 0x02, 0x03, 0x09, 0x0a, 0x0d, 0x0e, 0x11])
/** And those with flags and up to two GUIDs before it. */
const OBJECT_ACES = new Set([0x05, 0x06, 0x07, 0x08, 0x0b, 0x0c, 0x0f, 0x10])
const GUID_BYTES = 16

/**
 * Refuses bytes that are no self-relative security descriptor, as Windows refuses to apply them: a wrong revision, offsets
 * that lead outside, damaged SIDs and lists (`DESCRIPTOR_CORRUPT`). What the lists grant does not matter here.
 * Source: [MS-DTYP] 2.4.6; RtlValidRelativeSecurityDescriptor.
 */
export function requireDescriptor(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const {control, owner, group, dacl, sacl} = decodeHead(view)
  if (owner !== 0) requireSid(view, owner)
  if (group !== 0) requireSid(view, group)
  if ((control & Control.daclPresent) !== 0 && dacl !== 0) requireAcl(view, dacl)
  if ((control & Control.saclPresent) !== 0 && sacl !== 0) requireAcl(view, sacl)
}

function requireAcl(view: DataView, start: number): void {
  for (const ace of acesOf(view, start)) {
    const type = ace.getUint8(0)
    if (PLAIN_ACES.has(type)) requireSid(ace, 8)
    else if (OBJECT_ACES.has(type)) requireSid(ace, objectSidOffset(ace))
  }
}

/** Behind the flags: 1 = ObjectType, 2 = InheritedObjectType. Source: [MS-DTYP] 2.4.4.3. */
function objectSidOffset(ace: DataView): number {
  if (ace.byteLength < 12) throw descriptorCorrupt('an entry of a list is cut off', 8)
  const present = ace.getUint32(8, true)
  return 12 + GUID_BYTES * ((present & 1) + ((present >>> 1) & 1))
}

import {InputError} from '../../model/errors.js'

/** SECURITY_DESCRIPTOR_CONTROL bits that are looked at. Source: [MS-DTYP] 2.4.6. */
export const Control = {
  daclPresent: 0x4,
  saclPresent: 0x10,
  daclInheritRequested: 0x100,
  saclInheritRequested: 0x200,
  daclInherited: 0x400,
  saclInherited: 0x800,
  daclProtected: 0x1000,
  saclProtected: 0x2000,
  selfRelative: 0x8000,
} as const

const HEAD_BYTES = 20
const ACL_HEAD_BYTES = 8
/** MIN_ACL_REVISION and MAX_ACL_REVISION. Source: winnt.h. */
const [MIN_ACL_REVISION, MAX_ACL_REVISION] = [2, 4]
/** Head and access mask, which every type has but those that only applications know. */
const MIN_ACE_BYTES = 8

export interface DescriptorHead {
  readonly control: number
  readonly owner: number
  readonly group: number
  readonly sacl: number
  readonly dacl: number
}

/** Head of a self-relative SECURITY_DESCRIPTOR; 20 bytes, little-endian. Source: [MS-DTYP] 2.4.6. */
export function decodeHead(view: DataView): DescriptorHead {
  if (view.byteLength < HEAD_BYTES) throw descriptorCorrupt('its header is cut off', 0)
  const head = {
    revision: view.getUint8(0), //   0  Revision
    //                                1  Sbz1: resource manager control, or zero
    control: view.getUint16(2, true), //  2  Control
    owner: view.getUint32(4, true), //  4  OffsetOwner, 0 = none
    group: view.getUint32(8, true), //  8  OffsetGroup, 0 = none
    sacl: view.getUint32(12, true), // 12  OffsetSacl
    dacl: view.getUint32(16, true), // 16  OffsetDacl
  }
  if (head.revision !== 1) throw descriptorCorrupt(`its revision is ${head.revision}`, 0)
  if ((head.control & Control.selfRelative) === 0) throw descriptorCorrupt('it is not self-relative', 2)
  return head
}

/** The ACEs of an ACL: 8 bytes of head, then each with its length. Source: [MS-DTYP] 2.4.5. */
export function* acesOf(view: DataView, start: number): Generator<DataView> {
  if (start + ACL_HEAD_BYTES > view.byteLength) throw descriptorCorrupt('a list is cut off', start)
  const revision = view.getUint8(start) //  0  AclRevision
  const end = start + view.getUint16(start + 2, true) //  2  AclSize
  const count = view.getUint16(start + 4, true) //  4  AceCount
  if (revision < MIN_ACL_REVISION || revision > MAX_ACL_REVISION)
    throw descriptorCorrupt(`the revision of a list is ${revision}`, start)
  if (end > view.byteLength || end < start + ACL_HEAD_BYTES) throw descriptorCorrupt('a list is cut off', start)
  let offset = start + ACL_HEAD_BYTES
  for (let index = 0; index < count; index++) {
    const size = offset + 4 <= end ? view.getUint16(offset + 2, true) : 0 //  2  AceSize
    if (size < MIN_ACE_BYTES || offset + size > end) throw descriptorCorrupt('an entry of a list is cut off', offset)
    yield new DataView(view.buffer, view.byteOffset + offset, size)
    offset += size
  }
}

export function descriptorCorrupt(why: string, offset: number): InputError {
  return new InputError('DESCRIPTOR_CORRUPT', {
    what: 'A security descriptor is damaged.',
    why: `At byte ${offset}, ${why}.`,
  })
}

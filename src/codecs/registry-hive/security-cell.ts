import {type HiveCells} from './hive-cells.js'
import {corruptAt, hex} from './hive-fault.js'

/** Bytes of a security cell before the descriptor. */
export const SECURITY_CELL_BYTES = 20
const DESCRIPTOR_HEAD_BYTES = 20
const SELF_RELATIVE = 0x8000

/** The security descriptor in the cell at `offset`, verbatim. Throws `HIVE_CORRUPT`. Source: section 1.7. */
export function readSecurity(cells: HiveCells, offset: number, from: number): Uint8Array {
  const cell = cells.cell(offset, from, 'A security descriptor', SECURITY_CELL_BYTES)
  if (cell.toString('latin1', 0, 2) !== 'sk') {
    throw corruptAt(offset, `Expected a security cell at ${hex(offset)}.`) //  0  "sk"
  }
  //                                       2  reserved
  //                                       4  next security cell
  //                                       8  previous security cell
  //                                      12  reference count
  const length = cell.readUInt32LE(16) // 16  descriptor length, bytes
  if (length > cell.byteLength - SECURITY_CELL_BYTES) {
    throw corruptAt(offset, `A security descriptor has ${length} bytes, but its cell only ${cell.byteLength}.`)
  }
  const descriptor = Buffer.from(cell.subarray(SECURITY_CELL_BYTES, SECURITY_CELL_BYTES + length))
  requireSelfRelative(descriptor, offset)
  return descriptor
}

/** Only its frame is looked at: what is in it is passed on as it is. Source: MS-DTYP 2.4.6. */
function requireSelfRelative(descriptor: Buffer, offset: number): void {
  if (descriptor.byteLength < DESCRIPTOR_HEAD_BYTES || descriptor.readUInt8(0) !== 1) {
    throw corruptAt(offset, 'A security descriptor has no revision 1 header.')
  }
  if ((descriptor.readUInt16LE(2) & SELF_RELATIVE) === 0) {
    throw corruptAt(offset, 'A security descriptor is not self-relative.')
  }
  for (const field of [4, 8, 12, 16]) {
    const part = descriptor.readUInt32LE(field)
    if (part >= descriptor.byteLength) {
      throw corruptAt(offset, `Part of a security descriptor is at byte ${part} of ${descriptor.byteLength}.`)
    }
  }
}

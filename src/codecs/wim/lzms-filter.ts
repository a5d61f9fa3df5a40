/** A second reference to one target within so many bytes makes x86 code likely. */
const WINDOW_BYTES = 65535
/** So far behind likely code, what looks like an instruction is one. */
const REACH_BYTES = 1023
/** Nothing is translated in the last bytes. */
const TAIL_BYTES = 16

const lastUses = new Int32Array(65536)

/**
 * Undoes what the packer did to addresses of x86 code, in place. Whether bytes are code is found out from the bytes: the
 * addresses that they would refer to occur more than once. Source: wimlib src/lzms_common.c, lzms_x86_filter.
 */
export function untranslateAddresses(bytes: Uint8Array): void {
  if (bytes.length <= TAIL_BYTES + 1) return
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - TAIL_BYTES
  lastUses.fill(-WINDOW_BYTES - 1)
  let lastCode = -REACH_BYTES - 1
  // The first byte is never looked at.
  for (let at = 1; at < end;) {
    const opcodeBytes = opcodeAt(bytes, at)
    if (opcodeBytes <= 0) {
      at += 1 - opcodeBytes
      continue
    }
    // Calls are so frequent that more certainty is asked for.
    const reach = bytes[at] === 0xe8 ? REACH_BYTES >> 1 : REACH_BYTES
    const place = at + opcodeBytes
    if (at - lastCode <= reach) view.setUint32(place, view.getUint32(place, true) - at, true)
    const target = (at + view.getUint16(place, true)) & 0xffff
    const last = place + 3
    if (last - (lastUses[target] ?? 0) <= WINDOW_BYTES) lastCode = last
    lastUses[target] = last
    at = place + 4
  }
}

/** Bytes of an instruction in front of its address; else none, or how many bytes more to pass over, negative. */
function opcodeAt(bytes: Uint8Array, at: number): number {
  const [second = 0, third = 0] = [bytes[at + 1], bytes[at + 2]]
  switch (bytes[at]) {
    case 0x48: // REX.W: lea, and mov of the lower registers
    case 0x4c: {
      if ((third & 7) !== 5) return 0
      const isMove = second === 0x8b && bytes[at] === 0x48 && (third & 0xf0) === 0
      return second === 0x8d || isMove ? 3 : 0
    }
    case 0xe8: // call
      return 1
    case 0xe9: // jmp, which is left as it is, with its address
      return -4
    case 0xf0: // lock add
      return second === 0x83 && third === 0x05 ? 3 : 0
    case 0xff: // call, indirect
      return second === 0x15 ? 2 : 0
    default:
      return 0
  }
}

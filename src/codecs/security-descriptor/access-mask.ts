/** Rights that SDDL has two letters for as a whole. Source: sddl.h; winnt.h FILE_ALL_ACCESS, KEY_ALL_ACCESS and kin. */
const WHOLE = new Map([
  [0x1f01ff, 'FA'],
  [0x120089, 'FR'],
  [0x120116, 'FW'],
  [0x1200a0, 'FX'],
  [0xf003f, 'KA'],
  [0x20019, 'KR'],
  [0x20006, 'KW'],
])

/** Rights bit by bit, in the order that Windows writes them. Source: sddl.h. */
const BITS = [
  [0x80000000, 'GR'],
  [0x40000000, 'GW'],
  [0x20000000, 'GX'],
  [0x10000000, 'GA'],
  [0x1, 'CC'],
  [0x2, 'DC'],
  [0x4, 'LC'],
  [0x8, 'SW'],
  [0x10, 'RP'],
  [0x20, 'WP'],
  [0x40, 'DT'],
  [0x80, 'LO'],
  [0x100, 'CR'],
  [0x10000, 'SD'],
  [0x20000, 'RC'],
  [0x40000, 'WD'],
  [0x80000, 'WO'],
] as const

/** Rights of a mandatory label. Source: sddl.h. */
const LABEL_BITS = [
  [0x1, 'NW'],
  [0x2, 'NR'],
  [0x4, 'NX'],
] as const

/** An access mask (u32) as SDDL writes it: letters where they say all of it, else hexadecimal. */
export function formatAccessMask(mask: number, {isLabel}: {readonly isLabel: boolean}): string {
  const bits = isLabel ? LABEL_BITS : BITS
  const whole = isLabel ? undefined : WHOLE.get(mask)
  if (whole !== undefined || mask === 0) return whole ?? ''
  const named = bits.filter(([bit]) => (mask & bit) !== 0)
  const covered = named.reduce((sum, [bit]) => (sum | bit) >>> 0, 0)
  return covered === mask ? named.map(([, letters]) => letters).join('') : `0x${mask.toString(16)}`
}

import {InputError} from '../../model/errors.js'

/** Names that SDDL has for SIDs that are the same on every machine. Source: Microsoft, "SID Strings"; sddl.h. */
const ALIASES: Readonly<Record<string, string>> = {
  'S-1-1-0': 'WD',
  'S-1-3-0': 'CO',
  'S-1-3-1': 'CG',
  'S-1-3-4': 'OW',
  'S-1-5-2': 'NU',
  'S-1-5-4': 'IU',
  'S-1-5-6': 'SU',
  'S-1-5-7': 'AN',
  'S-1-5-9': 'ED',
  'S-1-5-10': 'PS',
  'S-1-5-11': 'AU',
  'S-1-5-12': 'RC',
  'S-1-5-18': 'SY',
  'S-1-5-19': 'LS',
  'S-1-5-20': 'NS',
  'S-1-5-32-544': 'BA',
  'S-1-5-32-545': 'BU',
  'S-1-5-32-546': 'BG',
  'S-1-5-32-547': 'PU',
  'S-1-5-32-548': 'AO',
  'S-1-5-32-549': 'SO',
  'S-1-5-32-550': 'PO',
  'S-1-5-32-551': 'BO',
  'S-1-5-32-552': 'RE',
  'S-1-5-32-554': 'RU',
  'S-1-5-32-555': 'RD',
  'S-1-5-32-556': 'NO',
  'S-1-15-2-1': 'AC',
  'S-1-16-4096': 'LW',
  'S-1-16-8192': 'ME',
  'S-1-16-8448': 'MP',
  'S-1-16-12288': 'HI',
  'S-1-16-16384': 'SI',
}

const HEAD_BYTES = 8
/** SID_MAX_SUB_AUTHORITIES. */
const MAX_PARTS = 15

/**
 * A SID as SDDL writes it: two letters where it has them, else `S-1-…`; and its length in bytes. Throws
 * `DESCRIPTOR_CORRUPT` when it is cut or of another revision. Source: [MS-DTYP] 2.4.2.2.
 */
export function decodeSid(view: DataView, offset: number): {readonly text: string; readonly sizeBytes: number} {
  const sizeBytes = requireSid(view, offset)
  const authority = view.getUint16(offset + 2) * 2 ** 32 + view.getUint32(offset + 4) //  2  IdentifierAuthority, big-endian
  // An authority that does not fit 32 bits is written in hexadecimal.
  const text = [authority < 2 ** 32 ? String(authority) : `0x${authority.toString(16).toUpperCase().padStart(12, '0')}`]
  for (let at = offset + HEAD_BYTES; at < offset + sizeBytes; at += 4) text.push(String(view.getUint32(at, true))) //  8  SubAuthority
  const sid = `S-1-${text.join('-')}`
  return {text: ALIASES[sid] ?? sid, sizeBytes}
}

/** The length of the SID there, bytes. Throws `DESCRIPTOR_CORRUPT`. Source: [MS-DTYP] 2.4.2.2. */
export function requireSid(view: DataView, offset: number): number {
  const revision = offset + HEAD_BYTES <= view.byteLength ? view.getUint8(offset) : undefined //  0  Revision
  const parts = revision === undefined ? 0 : view.getUint8(offset + 1) //  1  SubAuthorityCount
  const sizeBytes = HEAD_BYTES + parts * 4
  if (revision !== 1 || parts > MAX_PARTS || offset + sizeBytes > view.byteLength)
    throw new InputError('DESCRIPTOR_CORRUPT', {
      what: 'A security descriptor contains a damaged SID.',
      why: `At byte ${offset} of ${view.byteLength}.`,
    })
  return sizeBytes
}

/**
 * The byte structures of a transport layout: carriers (Win32 backup streams), reparse points, security descriptors and
 * lists of deletions.
 *
 * ```ts
 * import {readFile} from 'node:fs/promises'
 * import {decodeCarrier, formatSddl} from 'transship/codecs/transport-layout'
 *
 * const carrier = decodeCarrier(await readFile('Files/Windows/notepad.exe'), 'file')
 * console.log(carrier.data?.sizeBytes, carrier.securityDescriptor && formatSddl(carrier.securityDescriptor))
 * ```
 */
export {decodeCarrier} from '../codecs/carrier/decode-carrier.js'
export type {Carrier, CarrierKind, ContentExtent, StreamLocation} from '../codecs/carrier/carrier.js'
export {decodeTombstones, encodeTombstones} from '../codecs/tombstones/tombstones.js'
export {decodeReparsePoint, type ReparsePoint} from '../codecs/reparse-point/decode-reparse-point.js'
export {encodeReparsePoint, type LinkTarget} from '../codecs/reparse-point/encode-reparse-point.js'
export {formatSddl} from '../codecs/security-descriptor/format-sddl.js'

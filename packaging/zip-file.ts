import {crc32, deflateRawSync} from 'node:zlib'
import {
  DEFLATED,
  encodeCentralEntry,
  encodeEnd,
  encodeLocalHeader,
  type ZipEntry,
} from '../src/codecs/zip/zip-records.js'

/** Names are UTF-8. Source: APPNOTE 4.4.4, bit 11. */
const FLAG_UTF8 = 0x0800

/** A zip of files by name, with neither dates nor an order of its own: the same files give the same bytes. */
export function encodeZip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Uint8Array[] = []
  const entries: ZipEntry[] = []
  let offset = 0
  for (const [name, bytes] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const packed = deflateRawSync(bytes, {level: 9})
    const entry: ZipEntry = {
      name,
      method: DEFLATED,
      flags: FLAG_UTF8,
      crc: crc32(bytes),
      packedBytes: packed.length,
      sizeBytes: bytes.length,
      offset,
    }
    const header = encodeLocalHeader(entry)
    parts.push(header, packed)
    entries.push(entry)
    offset += header.length + packed.length
  }
  const central = Buffer.concat(entries.map(encodeCentralEntry))
  return Buffer.concat([...parts, central, encodeEnd({entries: entries.length, offset, sizeBytes: central.length})])
}

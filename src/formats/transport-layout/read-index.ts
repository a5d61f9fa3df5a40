import type {ByteSource} from '../../codecs/backup-stream/byte-source.js'
import {InputError} from '../../model/errors.js'
import type {LayoutFiles} from './layout-files.js'
import {PayloadIndex} from './payload-index.js'

/** An index takes some 200 bytes an entry; this is more entries than Windows layers have. */
const MAX_INDEX_BYTES = 1024 * 1024 * 1024

/** The index in a file; undefined when there is none. It is read by pages, each time anew. `LIMIT_EXCEEDED`, `METADATA_INVALID`. */
export function findIndex(files: LayoutFiles, name: string, place: string): PayloadIndex | undefined {
  const facts = files.find(name, place)
  if (facts === undefined) return undefined
  const {kind, sizeBytes} = facts
  if (kind !== 'file')
    throw new InputError('UNRECOGNISED_FORMAT', {what: `'${place}' is not a file.`, at: {path: place}})
  if (sizeBytes > MAX_INDEX_BYTES) {
    throw new InputError('LIMIT_EXCEEDED', {
      what: `'${place}' has ${sizeBytes} bytes; the limit is ${MAX_INDEX_BYTES}.`,
      at: {path: place},
    })
  }
  const source: ByteSource = {
    sizeBytes,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length)
      const file = files.open(name, sizeBytes, place)
      try {
        file.read(offset, bytes)
      } finally {
        file.close()
      }
      return bytes
    },
  }
  return new PayloadIndex(source)
}

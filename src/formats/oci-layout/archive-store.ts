import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import type {Archive} from '../archive-file/archive.js'
import type {ContentStore} from './content-store.js'

/** The OCI layout in a tar. */
export function archiveStore(archive: Archive): ContentStore {
  return {
    title: archive.path,
    findDocument: async ({digest}) => {
      const entry = archive.findBlob(digest)
      return entry === undefined ? undefined : archive.readDocument(entry)
    },
    findBlob: async ({digest}) => {
      const entry = archive.findBlob(digest)
      if (entry === undefined) return undefined
      const compression = detectCompression(await archive.readHead(entry, MAGIC_BYTES))
      return {compression, range: archive.rangeOf(entry), open: (options) => archive.stream(entry, options)}
    },
  }
}

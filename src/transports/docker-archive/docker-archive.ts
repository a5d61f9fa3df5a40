import {stat} from 'node:fs/promises'
import {isRedirectedArchive} from '../../disk/redirected-text.js'
import {findTarNames} from '../../formats/archive-file/tar-names.js'
import type {Transport} from '../../model/transport.js'
import {createDestination} from './destination.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'
import {listImages, openImage} from './source.js'
import {verifyArchive} from './verify.js'

/** Files that `docker save` makes, and everything that is made like them. */
export const dockerArchive: Transport = {
  name: NAME,
  grammar: GRAMMAR,
  parse: parseLocation,
  format: formatLocation,
  recognises: async (path) => {
    try {
      // What was one before PowerShell wrote it is recognised as well, so that opening it tells why it is none.
      return (await hasDocuments(path)) || (await isRedirectedArchive(path))
    } catch {
      // What cannot be read is not recognised; opening it by name tells why.
      return false
    }
  },
  list: listImages,
  open: openImage,
  create: createDestination,
  verify: verifyArchive,
}

/** An archive without these is an OCI layout in a tar, which is another transport's. */
const DOCUMENTS = ['manifest.json', 'repositories']

async function hasDocuments(path: string): Promise<boolean> {
  const names = (await stat(path)).isFile() ? await findTarNames(path) : undefined
  return DOCUMENTS.some((name) => names?.has(name))
}

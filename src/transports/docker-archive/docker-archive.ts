import {open} from 'node:fs/promises'
import {decompress} from '../../codecs/compression/decompress.js'
import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import {indexTar} from '../../codecs/tar/index-tar.js'
import {BLOCK_BYTES, findTarHeader} from '../../codecs/tar/tar-header.js'
import {readTar} from '../../codecs/tar/tar-reader.js'
import {SeekableFile} from '../shared/seekable-file.js'
import type {Transport} from '../transport.js'
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
      return await hasDocuments(path)
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
  if (!(await isFile(path))) return false
  const file = await SeekableFile.open(path)
  try {
    const compression = detectCompression(await file.read(0, MAGIC_BYTES))
    if (compression === 'none') {
      if (findTarHeader(await file.read(0, BLOCK_BYTES)) === undefined) return false
      return (await indexTar(file, {title: path})).some(({name}) => DOCUMENTS.includes(name.replace(/^\.\//, '')))
    }
    const plain = decompress(file.stream(0, file.size), compression, {title: path})
    for await (const item of readTar(plain, {title: path})) {
      if (item.kind === 'member' && DOCUMENTS.includes(item.name.replace(/^\.\//, ''))) return true
    }
    return false
  } finally {
    await file.close()
  }
}

async function isFile(path: string): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    return (await handle.stat()).isFile()
  } finally {
    await handle.close()
  }
}

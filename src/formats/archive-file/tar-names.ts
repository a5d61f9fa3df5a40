import {decompress} from '../../codecs/compression/decompress.js'
import {detectCompression, MAGIC_BYTES} from '../../codecs/compression/detect-compression.js'
import {indexTar} from '../../codecs/tar/index-tar.js'
import {BLOCK_BYTES, findTarHeader} from '../../codecs/tar/tar-header.js'
import {readTar} from '../../codecs/tar/tar-reader.js'
import {SeekableFile} from '../../disk/seekable-file.js'
import {LIMITS} from '../../model/limits.js'

/** Names of the members of a tar, compressed or not, without `./` in front; undefined when it is no tar. */
export async function findTarNames(path: string): Promise<ReadonlySet<string> | undefined> {
  const file = await SeekableFile.open(path)
  try {
    const compression = detectCompression(await file.read(0, MAGIC_BYTES))
    const names = new Set<string>()
    if (compression === 'none') {
      if (findTarHeader(await file.read(0, BLOCK_BYTES)) === undefined) return undefined
      for (const {name} of await indexTar(file, {title: path})) names.add(name.replace(/^\.\//, ''))
      return names
    }
    const plain = decompress(file.stream(0, file.size), compression, {title: path})
    for await (const item of readTar(plain, {title: path, maxEntries: LIMITS.archiveEntries.value})) {
      if (item.kind === 'member') names.add(item.name.replace(/^\.\//, ''))
    }
    return names
  } finally {
    await file.close()
  }
}

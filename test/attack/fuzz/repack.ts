import {encodePackage, partOf} from '../../../src/codecs/appx/encode-package.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {BLOCK_MAP, CONTENT_TYPES, MANIFEST} from '../../../src/codecs/appx/part-name.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {collect} from '../../helpers/bytes.js'

const MADE_ANEW = new Set<string>([BLOCK_MAP, CONTENT_TYPES])

/** A package with other bytes in its parts, its block map and the digest in its manifest made to fit them. */
export async function repacked(original: Buffer, change: (path: string, bytes: Buffer) => Buffer): Promise<Buffer> {
  const reader = await PackageReader.open(byteSourceOf(original), 'original')
  const parts: {path: string; bytes: Buffer}[] = []
  let manifest: Buffer = Buffer.alloc(0)
  for (const part of reader.parts()) {
    if (MADE_ANEW.has(part.path)) continue
    const bytes = Buffer.alloc(part.entry.sizeBytes)
    reader.read(part, reader.dataOf(part), 0, bytes)
    if (part.path === MANIFEST) manifest = bytes
    else parts.push({path: part.path, bytes: change(part.path, bytes)})
  }
  const stated = /sha256:[0-9a-f]{64}/.exec(manifest.toString('utf8'))?.[0] ?? 'none'
  const encoded = encodePackage(
    parts.map(({path, bytes}) => partOf(path, bytes)),
    {manifest: (digest) => change(MANIFEST, Buffer.from(manifest.toString('utf8').replaceAll(stated, digest)))},
  )
  return collect(encoded)
}

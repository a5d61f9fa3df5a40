import {encodePackage, partOf} from '../../../src/codecs/appx/encode-package.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {BLOCK_MAP, CONTENT_TYPES, MANIFEST} from '../../../src/codecs/appx/part-name.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {collect} from '../../helpers/bytes.js'

const MADE_ANEW = new Set<string>([BLOCK_MAP, CONTENT_TYPES])

/** The parts of a package by their names, without those that follow from the others. */
export async function partsIn(original: Buffer): Promise<Map<string, Buffer>> {
  const reader = await PackageReader.open(byteSourceOf(original), 'original')
  const parts = new Map<string, Buffer>()
  for (const part of reader.parts()) {
    if (MADE_ANEW.has(part.path)) continue
    const bytes = Buffer.alloc(part.entry.sizeBytes)
    reader.read(part, reader.dataOf(part), 0, bytes)
    parts.set(part.path, bytes)
  }
  return parts
}

/** A package of these parts, its block map and the digest in its manifest made to fit them. */
export async function packed(parts: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const manifest = (parts.get(MANIFEST) ?? Buffer.alloc(0)).toString('utf8')
  const stated = /sha256:[0-9a-f]{64}/.exec(manifest)?.[0] ?? 'none'
  const encoded = encodePackage(
    [...parts].filter(([name]) => name !== MANIFEST).map(([name, bytes]) => partOf(name, bytes)),
    {manifest: (digest) => Buffer.from(manifest.replaceAll(stated, digest))},
  )
  return collect(encoded)
}

import {spawnSync} from 'node:child_process'
import {decompress} from '../../src/codecs/compression/decompress.js'
import {dockerArchive} from '../../src/transports/docker-archive/docker-archive.js'
import {partsOf, sha256, type Parts} from './archives.js'
import {chunked, collect} from './bytes.js'
import {VECTORS, vectorTar} from './vectors.js'

const MADE = new Map<number, Promise<Parts>>()

/** The uncompressed layers of an archive's only image, base first. */
export async function layersIn(file: string): Promise<Buffer[]> {
  const image = await dockerArchive.open(dockerArchive.parse(file), {})
  try {
    const layers: Buffer[] = []
    for (const {blob} of image.layers) {
      const stored = await collect(blob!.open())
      layers.push(
        await collect(
          decompress(chunked(stored, 65_536), blob!.compression, {title: 'a layer', code: 'LAYER_CORRUPT'}),
        ),
      )
    }
    return layers
  } finally {
    await image.close()
  }
}

/** The digests of those layers, from their bytes. */
export async function diffIdsIn(file: string): Promise<string[]> {
  return (await layersIn(file)).map((layer) => `sha256:${sha256(layer)}`)
}

/**
 * A Windows image of 1 or 12 layers: the sample's operating system, and on it what the sample's users built, what
 * Microsoft's own code wrote, and layers that occur twice.
 */
export function windowsParts(layers: 1 | 12): Promise<Parts> {
  const made = MADE.get(layers) ?? makeParts(layers)
  MADE.set(layers, made)
  return made
}

async function makeParts(layers: 1 | 12): Promise<Parts> {
  const [os, web, shop] = await layersIn('samples/shop.tar')
  if (layers === 1) return partsOf([os!])
  const vectors = VECTORS.map(vectorTar)
  return partsOf([os!, web!, ...vectors, shop!, vectors[0]!, web!, vectors[2]!])
}

/** What a compressor makes of the bytes: `gzip`, `zstd`, `bzip2` or `xz`, each read and written through a pipe. */
export function compressedBy(tool: string, bytes: Buffer, options: readonly string[] = []): Buffer {
  const run = spawnSync(tool, ['-c', ...options], {input: bytes, maxBuffer: 2 ** 28})
  if (run.error !== undefined) throw run.error
  if (run.status !== 0) throw new Error(`${tool} ended with ${String(run.status)}: ${run.stderr.toString()}`)
  return run.stdout
}

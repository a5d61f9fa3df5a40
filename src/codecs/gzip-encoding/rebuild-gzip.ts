import {crc32} from 'node:zlib'
import {UnsupportedError} from '../../model/errors.js'
import {findEncoder} from './gzip-encoder.js'
import {trailerOf, type GzipRecipe} from './match-gzip.js'

/**
 * The gzip stream that a recipe makes of a text. The caller checks its digest: a text that was changed gives other bytes.
 * Throws `FORMAT_UNSUPPORTED` for an encoder that this release does not know.
 */
export async function* rebuildGzip(
  text: AsyncIterable<Uint8Array>,
  {encoder: name, header}: Omit<GzipRecipe, 'encoder'> & {readonly encoder: string},
): AsyncGenerator<Uint8Array> {
  const made: Uint8Array[] = []
  const encoder = findEncoder(name, (bytes) => made.push(bytes))
  if (encoder === undefined) {
    throw new UnsupportedError('FORMAT_UNSUPPORTED', {
      what: `This release of transship does not know the encoder '${name}'.`,
      suggestions: ['Use a newer release.'],
    })
  }
  yield header
  let crc = 0
  let textBytes = 0
  for await (const chunk of text) {
    crc = crc32(chunk, crc)
    textBytes += chunk.length
    encoder.write(chunk)
    yield* made.splice(0)
  }
  encoder.finish()
  yield* made.splice(0)
  yield trailerOf(crc, textBytes)
}

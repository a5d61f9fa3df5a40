import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {
  goDeflate,
  gzipDeflate,
  pgzipDeflate,
  pigzDeflate,
  zlibDeflate,
  type DeflateEncoder,
} from '../../../src/codecs/deflate-encoder/deflate-encoder.js'
import {ENCODING_EDGES, longRun} from '../../helpers/encoding-edges.js'

type Make = (level: number, onBytes: (bytes: Uint8Array) => void) => DeflateEncoder

const MAKES: Readonly<Record<string, Make>> = {
  go: goDeflate,
  pgzip: (blockBytes, onBytes) => pgzipDeflate(onBytes, blockBytes),
  zlib: zlibDeflate,
  gzip: gzipDeflate,
  pigz: pigzDeflate,
}

/**
 * What the programs themselves made of all inputs: Go 1.19.8, pgzip 1.2.5 on klauspost/compress 1.15.12 (with the size of
 * its blocks), zlib 1.2.13, GNU gzip 1.12 and pigz 2.6. SHA-256 of the digests in hex, one a group, each of the deflate
 * streams of its inputs, end to end.
 */
const ROWS = [
  ['go', -2, '8cac68db7b83f0b8a21eab2157ac11ea8147d9b64f02935eb072475c3ef4b61c'],
  ['go', 0, '4654dd5a0efab720510e2b31e4756f49f15290c3febdf79f01f529c5b992e416'],
  ['go', 1, '1956479585b935c824ebf8e94c7001371a9859796509b394c4e1fee709939c50'],
  ['go', 2, 'c0babdd83336d138261d580c7b726fd4a7cc5cc733535c143824cf1b5a1ff8dd'],
  ['go', 3, 'b837fab5bd385865d226d41ddfde987bf48af2284de98142164228b6467ee308'],
  ['go', 6, 'fb931240f2b1c3b45f830ece6d78a8281e9033aa492d643242b7ddbf37b98b6f'],
  ['go', 9, 'd4011d1bbc870611f32b34d4cf94bc0f11d518ee8578d7b7b6de39a46054c727'],
  ['pgzip', 1_048_576, 'c32a1d4b3256a90d805e870eb21a00b3f22985f88c70a82044b004821f9fc079'],
  ['pgzip', 262_144, '56986ace8e5f7d96b3bc7af0871b48de9f225c1e35f9ad79408404cd9070179e'],
  ['pgzip', 16_385, '2ad30837bddda740c6b661d3b4ced9b662cc3b3bfb30bd15b43a59cbf9fba462'],
  ['zlib', 1, '9173364bdc35c7e6ef4153e1b8d0544e8561cfaeb030901dc294dc9e42a52504'],
  ['zlib', 3, 'b82c0fcff1462994ba7a90e92e32b1e0554d1f6e27476c3b4573b95640e46f5a'],
  ['zlib', 4, '6b45e43ffbf5bbed46a7e03c20f9ec0478329ad91a2096c0a11220cfcdf091ef'],
  ['zlib', 6, '57f730844d2a020d65310d14068636e27eb1378bdbc2a635608f0c21a6703787'],
  ['zlib', 9, '6b12d6774ce3c0bab8b280e215d51456c957704e60d82fa5794a25911ff25a83'],
  ['gzip', 1, '6c23bdfafab7c4db72d29fb0a30272a5565d9444cecdde175b3a40a5d5d34f51'],
  ['gzip', 2, '9bdfa3a69de677c79a0d58188d15ddfd0968a303effd509d1643ac22865a3a11'],
  ['gzip', 3, '2eb06ead71f11a5e12b76536fd71d95238225effcbf51e0e9872a959b6ca5af5'],
  ['gzip', 6, '2495ec309589647a5b862fd2c7cbacf7a6d4a84fd47dfc6be8d4bdc88a0e3a70'],
  ['gzip', 9, 'a2ec742efccedd087dd57e4523ee9d4a32362b4f0278bf4b996da06210b6bc47'],
  ['pigz', 6, '4b84f653c759e610151a82f350a6b8c11adb489f4adb00910de8b736a1c964f3'],
] as const

function digestOf(make: Make, level: number, inputs: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const input of inputs) {
    const encoder = make(level, (bytes) => hash.update(bytes))
    encoder.write(input)
    encoder.finish()
  }
  return hash.digest('hex')
}

describe('Deflate streams of inputs at the edges, written anew', () => {
  const inputs = new Map<string, readonly Buffer[]>()

  before(() => {
    for (const [group, make] of Object.entries(ENCODING_EDGES)) inputs.set(group, make())
  })

  for (const [program, level, sha256] of ROWS)
    it(`are the same bytes as those of ${program} at ${level}`, () => {
      const digests = [...inputs.values()].map((group) => digestOf(MAKES[program]!, level, group))
      assert.equal(createHash('sha256').update(digests.join('')).digest('hex'), sha256)
    })

  it('are the same where positions are brought down again, after 16 MiB', () => {
    assert.equal(
      digestOf(goDeflate, 2, [longRun()]),
      '20dc0873a9e16dea867961faaa9c736da5c8458e6b0fb54bda7067108a975a46',
    )
  })

  // It looks for no match in the last 261 bytes of its window of 64 KiB, when the text ends there.
  it('are those of GNU gzip where the text ends with the window', () => {
    const [words] = ENCODING_EDGES['ends']?.() ?? []
    assert.equal(
      digestOf(gzipDeflate, 6, [words!.subarray(0, 65_500)]),
      'f71551f6094e97b365813534fdcfd32c3bef9a3ec1b8374c6c47d7df2a76b257',
    )
  })
})

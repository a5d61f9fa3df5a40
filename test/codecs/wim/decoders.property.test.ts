import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import fc from 'fast-check'
import {BlobTableReader} from '../../../src/codecs/wim/blob-table.js'
import {parseDescription} from '../../../src/codecs/wim/description.js'
import {decodeHeader} from '../../../src/codecs/wim/header.js'
import {ImageTree} from '../../../src/codecs/wim/image-tree.js'
import {LzmsDecoder} from '../../../src/codecs/wim/lzms.js'
import {LzxDecoder} from '../../../src/codecs/wim/lzx.js'
import {XpressDecoder} from '../../../src/codecs/wim/xpress.js'
import {TransshipError} from '../../../src/model/errors.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {WimFile} from '../../../src/transports/wim/wim-file.js'
import {wimVector} from '../../helpers/wim-files.js'

/** Whatever the bytes are, the step ends well or with an error of ours. */
function endsWell(step: () => void): void {
  try {
    step()
  } catch (error) {
    assert.ok(error instanceof TransshipError, String(error))
  }
}

/** Bytes with some of them changed, or cut. */
function altered(bytes: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.record({at: fc.nat(bytes.byteLength - 1), value: fc.constantFrom(0, 1, 2, 8, 0x7f, 0x80, 0xff)})
  return fc
    .tuple(fc.array(change, {minLength: 1, maxLength: 6}), fc.option(fc.nat(bytes.byteLength)))
    .map(([changes, length]) => {
      const made = Buffer.from(bytes)
      for (const {at, value} of changes) made.writeUInt8(value, at)
      return length === null ? made : made.subarray(0, length)
    })
}

/** The stored chunk of a resource that has but one. */
function chunkOf(name: string, at: number, size: number): Buffer {
  return readFileSync(wimVector(name)).subarray(at, at + size)
}

describe('parts of Windows image files that are made up', () => {
  const lzx = [15, 17, 21].map((order) => new LzxDecoder(2 ** order))
  const xpress = new XpressDecoder()
  const output = new Uint8Array(32768)

  it('LZX chunks of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 600}), fc.constantFrom(...lzx), (bytes, decoder) => {
        endsWell(() => {
          decoder.decode(bytes, output)
        })
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('LZX chunks that are longer than their window, and the one behind them', () => {
    const [decoder] = lzx
    const sound = chunkOf('lzx-new', 68341, 120)
    const [wanted, found] = [new Uint8Array(13540), new Uint8Array(13540)]
    decoder!.decode(sound, wanted)
    for (const more of [0, 63, 64, 65, 10_000]) {
      endsWell(() => {
        decoder!.decode(Buffer.alloc(32768 + more, 0xa5), output)
      })
      decoder!.decode(sound, found)
      assert.deepEqual(found, wanted)
    }
  })

  it('LZMS chunks of any bytes', () => {
    const lzms = new LzmsDecoder()
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 600}), fc.nat(2000), (bytes, size) => {
        endsWell(() => {
          lzms.decode(bytes, new Uint8Array(size))
        })
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('XPRESS chunks of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 600}), (bytes) => {
        endsWell(() => {
          xpress.decode(bytes, output)
        })
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  // /calls.bin of both, one chunk: 13540 bytes. Source: wimlib-imagex dir --detailed.
  const size = 13540
  for (const {title, decoder, chunk} of [
    {title: 'LZX', decoder: new LzxDecoder(32768), chunk: chunkOf('lzx-new', 68341, 120)},
    {title: 'XPRESS', decoder: xpress, chunk: xpressChunk()},
  ])
    it(`${title} chunks that were altered`, () => {
      const target = new Uint8Array(size)
      decoder.decode(chunk, target)
      fc.assert(
        fc.property(altered(chunk), (bytes) => {
          endsWell(() => {
            decoder.decode(bytes, target)
          })
        }),
        {numRuns: FUZZ_RUNS},
      )
    })

  it('headers that were altered', () => {
    const header = readFileSync(wimVector('lzx-new')).subarray(0, 208)
    fc.assert(
      fc.property(altered(header), (bytes) => {
        if (bytes.byteLength === 208) endsWell(() => decodeHeader(bytes))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('tables of contents that were altered', () => {
    const file = readFileSync(wimVector('solid-lzx'))
    const header = decodeHeader(file.subarray(0, 208))
    const {offset, size: tableBytes} = header.blobTable
    fc.assert(
      fc.property(altered(file.subarray(offset, offset + tableBytes)), (bytes) => {
        endsWell(() => {
          new BlobTableReader().add(bytes, {part: 1, version: 0xe00, fileSize: file.byteLength})
        })
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('XML that was altered', () => {
    const file = readFileSync(wimVector('two-images'))
    const {offset, size: xmlBytes} = decodeHeader(file.subarray(0, 208)).xml
    fc.assert(
      fc.property(altered(file.subarray(offset, offset + xmlBytes)), (bytes) => {
        endsWell(() => parseDescription(bytes))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('metadata that were altered', async () => {
    const wim = await WimFile.open(wimVector('lzx-new'))
    const metadata = await wim.readWhole(wim.table.images[0]!, {title: 'metadata', limit: 2 ** 20})
    await wim.close()
    const at = parseLayerPath('Files')
    fc.assert(
      fc.property(altered(metadata), (bytes) => {
        endsWell(() => {
          const tree = new ImageTree(bytes)
          for (const {entry} of tree.walk(at, {onFault: () => undefined})) tree.descriptorOf(entry)
          tree.find('Windows', 'System32', 'config', 'SYSTEM')
        })
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})

/** Two literals and a long match: made by hand, as the vectors have it among much else. */
function xpressChunk(): Buffer {
  const chunk = Buffer.alloc(256 + 12)
  const setLength = (symbol: number, length: number) => {
    const at = symbol >> 1
    chunk.writeUInt8(chunk.readUInt8(at) | (length << (4 * (symbol & 1))), at)
  }
  // Codes by symbol: 'A' = 0, 256 + 15 (offset 1, long) = 1.
  setLength(0x41, 1)
  setLength(256 + 15, 1)
  chunk.writeUInt16LE(0b01 << 14, 256)
  // Behind the two units that are loaded: a byte of 255, then the length itself.
  chunk.writeUInt8(255, 260)
  chunk.writeUInt16LE(13540 - 1 - 3, 261)
  return chunk
}

import assert from 'node:assert/strict'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {rebuiltTar} from '../../../src/formats/layer-blob/rebuilt-tar.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {collect} from '../../helpers/bytes.js'
import {fileOf, withParents} from '../../helpers/layer-archives.js'

describe('a layer tar that is decoded again while it is made', () => {
  const PIECES = 40
  const PIECE_BYTES = 64 * 1024

  /** A file whose content is read into one buffer, as from a disk: each piece is good until the next is asked for. */
  function lentFile(name: string): LayerEntry {
    const buffer = Buffer.alloc(PIECE_BYTES)
    return {
      ...fileOf(name, ''),
      content: {
        size: PIECES * PIECE_BYTES,
        // eslint-disable-next-line @typescript-eslint/require-await
        async *open() {
          for (let piece = 0; piece < PIECES; piece++) yield buffer.fill(`${name} ${piece};`)
          buffer.fill('gone')
        },
      },
    }
  }

  it('is the same when the pieces of contents are only lent', async () => {
    const entries = withParents([lentFile('Files/a.bin'), lentFile('Files/b.bin')])
    // eslint-disable-next-line @typescript-eslint/require-await
    const stream = async function* () {
      yield* entries
    }
    const expected = await collect(encodeLayerTar(stream(), {keepFrames: true}))
    const seen: Buffer[] = []
    for await (const chunk of rebuiltTar(stream(), {})) seen.push(Buffer.from(chunk))
    assert.ok(Buffer.concat(seen).equals(expected))
    assert.ok(expected.includes(`Files/b.bin ${PIECES - 1};`))
  })
})

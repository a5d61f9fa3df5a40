import assert from 'node:assert/strict'
import {gunzipSync, gzipSync} from 'node:zlib'
import {decodeRecipe, RecipeEncoder} from '../../../src/codecs/recipe/recipe-file.js'
import {RecordEncoder, type RecipeRecord} from '../../../src/codecs/recipe/recipe-records.js'
import {digestOf} from '../../../src/model/digest.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {chunked} from '../../helpers/bytes.js'
import {lateFaultOf} from '../../helpers/faults.js'
import {breakingOff} from '../../helpers/streams.js'

const END: RecipeRecord = {kind: 'end', diffId: digestOf(Buffer.from('layer')), entries: 1}
const DERIVED: RecipeRecord = {kind: 'derived', path: parseLayerPath('Files/a')}
const MAGIC = 'transship recipe 1\n'

function fileOf(records: readonly RecipeRecord[]): Buffer {
  const encoder = new RecipeEncoder()
  return Buffer.concat([...records.flatMap((record) => encoder.add(record) ?? []), encoder.flush()])
}

async function recordsOf(file: Uint8Array, size = 64 * 1024): Promise<RecipeRecord[]> {
  const found: RecipeRecord[] = []
  for await (const record of decodeRecipe(chunked(file, size))) found.push(record)
  return found
}

/** A file of these blocks, each with its length in front. */
const blocks = (...bodies: readonly Uint8Array[]) =>
  Buffer.concat(
    bodies.map((body) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(body.byteLength)
      return gzipSync(Buffer.concat([length, body]))
    }),
  )
const encoded = (...records: readonly RecipeRecord[]) => {
  const encoder = new RecordEncoder()
  return Buffer.concat(records.map((record) => encoder.encode(record)))
}

describe('the file of a recipe', () => {
  it('is a block with its length, and what it is in front', () => {
    const text = gunzipSync(fileOf([DERIVED, END]))
    assert.equal(text.readUInt32LE(0), text.byteLength - 4)
    assert.equal(text.toString('latin1', 4, 4 + MAGIC.length), MAGIC)
    assert.ok(text.subarray(4 + MAGIC.length).equals(encoded(DERIVED, END)))
  })

  for (const size of [1, 100, 64 * 1024])
    it(`is read as it was written, ${size} bytes at a time`, async () => {
      assert.deepEqual(await recordsOf(fileOf([DERIVED, END]), size), [DERIVED, END])
    })

  it('gives bytes as soon as there is a block of a MiB, and begins another', async () => {
    const encoder = new RecipeEncoder()
    const big: RecipeRecord = {kind: 'frame', archive: Buffer.alloc(2 ** 20 - 19 - 4 - 1, 'x')}
    assert.equal(encoder.add(big), undefined)
    const first = encoder.add({kind: 'frame', archive: Buffer.alloc(0)})
    assert.ok(first !== undefined)
    assert.equal(gunzipSync(first).byteLength, 4 + 2 ** 20 + 1)
    assert.equal(encoder.add(END), undefined)
    const second = encoder.flush()
    const text = gunzipSync(second)
    assert.equal(text.readUInt32LE(0), text.byteLength - 4)
    assert.ok(text.subarray(4).equals(encoded(END)))
    const found = await recordsOf(Buffer.concat([first, second]))
    assert.deepEqual(
      found.map(({kind}) => kind),
      ['frame', 'frame', 'end'],
    )
  })

  it('ends a block at just a MiB', () => {
    const encoder = new RecipeEncoder()
    const exact = {kind: 'frame', archive: Buffer.alloc(2 ** 20 - 19 - 4, 'x')} as const
    assert.equal(gunzipSync(encoder.add(exact) ?? Buffer.alloc(0)).byteLength, 4 + 2 ** 20)
  })

  const magic = Buffer.from(MAGIC)
  const whole = fileOf([DERIVED, END])
  for (const [note, file] of [
    ['nothing', Buffer.alloc(0)],
    ['no end', fileOf([DERIVED])],
    ['a record behind the end', fileOf([END, DERIVED])],
    ['a second end', fileOf([END, END])],
    ['an end and a record in the next block', blocks(Buffer.concat([magic, encoded(END)]), encoded(DERIVED))],
    ['another version', blocks(Buffer.concat([Buffer.from('transship recipe 2\n'), encoded(END)]))],
    ['less than what it is', blocks(Buffer.from('trans'))],
    ['no gzip', Buffer.from('no gzip at all, but text')],
    ['compression that is cut', whole.subarray(0, -12)],
    ['a block that is cut', gzipSync(gunzipSync(whole).subarray(0, -1))],
    ['a length that is cut', Buffer.concat([whole, gzipSync(Buffer.alloc(3))])],
    ['a block larger than 64 MiB', gzipSync(Buffer.from([0xfd, 0xff, 0xff, 0x03]))],
  ] as const)
    it(`is refused: ${note}`, async () => {
      assert.equal((await lateFaultOf(recordsOf(file))).code, 'RECIPE_CORRUPT')
    })

  it('may have its records in any blocks, empty ones too', async () => {
    const file = blocks(magic, Buffer.alloc(0), encoded(DERIVED), encoded(END))
    assert.deepEqual(await recordsOf(file), [DERIVED, END])
  })

  it('passes on what its source fails with', async () => {
    const failing = breakingOff<Uint8Array>(new RangeError('the disk is gone'))
    await assert.rejects(decodeRecipe(failing).next(), RangeError)
  })
})

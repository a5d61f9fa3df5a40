import assert from 'node:assert/strict'
import {encodeStreamName, findStreamName, isStreamName} from '../../../src/codecs/carrier/stream-name.js'

const stored = (text: string) => Buffer.from(text, 'utf16le')

describe('names of streams in a carrier', () => {
  it('have a colon in front and their type behind', () => {
    assert.deepEqual(Buffer.from(encodeStreamName('zone')), stored(':zone:$DATA'))
  })

  for (const name of ['zone', 'a b', '\u0005Summary', 'x'.repeat(255), 'ü\u{1f600}', 'a.b'])
    it(`come back: ${name.slice(0, 10)}`, () => {
      assert.equal(findStreamName(encodeStreamName(name)), name)
      // Also from the middle of larger memory.
      const within = Buffer.concat([Buffer.alloc(3), encodeStreamName(name), Buffer.alloc(3)])
      assert.equal(findStreamName(within.subarray(3, -3)), name)
    })

  for (const [note, text] of [
    ['no colon', 'zone:$DATA'],
    ['no type', ':zone'],
    ['another type', ':zone:$BITMAP'],
    ['a type in lower case', ':zone:$data'],
    ['no name', '::$DATA'],
    ['nothing', ''],
    ['the type alone', ':$DATA'],
    ['a colon inside', ':a:b:$DATA'],
    ['a slash', ':a/b:$DATA'],
    ['a backslash', ':a\\b:$DATA'],
    ['a NUL', ':a\0b:$DATA'],
    ['half a pair', ':\ud83d:$DATA'],
    ['256 units', `:${'x'.repeat(256)}:$DATA`],
  ] as const)
    it(`are none: ${note}`, () => {
      assert.equal(findStreamName(stored(text)), undefined)
    })

  it('are 1 to 255 units', () => {
    assert.deepEqual(['', 'x', 'x'.repeat(255), 'x'.repeat(256)].map(isStreamName), [false, true, true, false])
  })
})

import assert from 'node:assert/strict'
import {findReference, formatReference, TRANSPORTS, transportOf} from '../../../src/transports/catalog.js'

describe('runtime references', () => {
  for (const text of ['runtime:C:\\layers\\1', 'runtime:D:/layers/a b', 'runtime:/layers/1'])
    it(`parse and format ${text}`, () => {
      const reference = findReference(text)
      assert.equal(reference?.transport, 'runtime')
      assert.equal(formatReference(reference), text)
    })

  it('name a folder', () => {
    assert.throws(() => findReference('runtime:'), {code: 'BAD_REFERENCE'})
  })

  if (process.platform === 'win32') return
  it('are refused off Windows, with the command to run there', async () => {
    const reference = {transport: 'runtime', path: 'C:\\layers\\1'}
    const runtime = transportOf(reference, TRANSPORTS)
    for (const attempt of [
      () => runtime.list(reference, {}),
      () => runtime.open(reference, {}),
      () => runtime.verify(reference, {}),
      async () => runtime.create(reference, {}),
    ])
      await assert.rejects(attempt, {code: 'WINDOWS_ONLY', exitCode: 4})
  })
})

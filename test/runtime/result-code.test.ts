import assert from 'node:assert/strict'
import {classifyResult, formatResult, resultError} from '../../src/runtime/host-compute/result-code.js'
import {encodeGuid, formatGuid} from '../../src/runtime/storage/guid.js'
import {exportRuntimeLayer, importRuntimeLayer} from '../../src/runtime/storage/runtime-layers.js'

describe('results of the Host Compute Service', () => {
  for (const {result, kind, code, note} of [
    {result: 0, kind: 'done', code: undefined, note: 'S_OK'},
    {result: 1, kind: 'done', code: undefined, note: 'S_FALSE is a success too'},
    {result: 0xc0370103, kind: 'pending', code: undefined, note: 'of 2016'},
    {result: 0x80370117, kind: 'pending', code: undefined, note: 'of 2019'},
    {result: 0xc0370110, kind: 'already-stopped', code: undefined, note: 'of 2016'},
    {result: 0x80370110, kind: 'already-stopped', code: undefined, note: 'of 2019'},
    {result: 0xc037010e, kind: 'not-found', code: 'NOT_FOUND', note: 'of 2016'},
    {result: 0x80370118, kind: 'timed-out', code: 'TIMED_OUT', note: 'the wait was too short'},
    {result: 0x80070005, kind: 'failed', code: 'NO_ACCESS', note: 'an HRESULT'},
    {result: 0x5, kind: 'failed', code: 'NO_ACCESS', note: 'a bare Windows error'},
    {result: 0x32, kind: 'failed', code: 'FORMAT_UNSUPPORTED', note: 'a bare Windows error'},
    {result: 0x80070002, kind: 'failed', code: 'NOT_FOUND', note: 'a file'},
    {result: 0x80070003, kind: 'failed', code: 'NOT_FOUND', note: 'a folder'},
    {result: 0x80070050, kind: 'failed', code: 'DESTINATION_EXISTS', note: 'a file'},
    {result: 0x800700b7, kind: 'failed', code: 'DESTINATION_EXISTS', note: 'a folder'},
    {result: 0x80070070, kind: 'failed', code: 'NO_SPACE', note: 'the disk'},
    {result: 0x800704c7, kind: 'failed', code: 'INTERRUPTED', note: 'cancelled'},
    {result: 0xdeadbeef, kind: 'failed', code: 'ENGINE_UNAVAILABLE', note: 'nobody knows it'},
  ])
    it(`takes ${formatResult(result)} for ${kind}: ${note}`, () => {
      assert.equal(classifyResult(result), kind)
      if (code === undefined) return
      const error = resultError(result, 'It failed.', '{"Detail":1}')
      assert.equal(error.code, code)
      assert.ok(error.message.includes(formatResult(result)) && error.message.includes('{"Detail":1}'))
      assert.ok(error.suggestions.length > 0)
    })
})

describe('GUIDs of layers', () => {
  it('reads and writes the mixed order of Windows', () => {
    const bytes = Buffer.from('33221100554477668899aabbccddeeff', 'hex')
    assert.equal(formatGuid(bytes), '00112233-4455-6677-8899-aabbccddeeff')
    assert.deepEqual(encodeGuid('00112233-4455-6677-8899-aabbccddeeff'), bytes)
  })
})

describe('runtime layers off Windows', function () {
  if (process.platform === 'win32') return
  it('are refused with the command to run there', async () => {
    await assert.rejects(exportRuntimeLayer('C:\\layers\\1', 'out'), {
      code: 'WINDOWS_ONLY',
      exitCode: 4,
      suggestions: ['Run in an elevated terminal on the container host: transship layout export "C:\\layers\\1" "out"'],
    })
    await assert.rejects(importRuntimeLayer('in', 'C:\\layers\\1'), {code: 'WINDOWS_ONLY', exitCode: 4})
  })
})

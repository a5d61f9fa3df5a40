import assert from 'node:assert/strict'
import {parseImageConfig} from '../../../src/convert/image-config.js'
import {readConfig} from '../../../src/formats/image-documents/image-documents.js'

const CONFIG = {os: 'windows', architecture: 'amd64', rootfs: {type: 'layers', diff_ids: []}}

/** Verifying reads a configuration in one way and converting in another: neither may take what the other refuses. */
describe('a configuration', () => {
  const both = (more: object) => {
    const bytes = Buffer.from(JSON.stringify({...CONFIG, ...more}))
    return [() => readConfig(bytes, 'it'), () => parseImageConfig({mediaType: 'application/json', bytes})]
  }
  for (const more of [
    {history: [7]},
    {history: {}},
    {history: ['text']},
    {history: [{created_by: 7}]},
    {history: [{empty_layer: 'yes'}]},
    {config: []},
    {config: {Labels: []}},
    {config: {Labels: {a: 1}}},
    {config: {Labels: 'a=b'}},
    {created: 7},
    {rootfs: {diff_ids: 7}},
  ])
    it(`is refused by whoever reads it: ${JSON.stringify(more)}`, () => {
      for (const read of both(more)) assert.throws(read, {code: 'CONFIG_INVALID'})
    })

  // Go reads null as nothing, and so do the tools that are written in it.
  for (const more of [
    {history: null},
    {history: [null, {created_by: null, empty_layer: null}]},
    {config: null},
    {config: {Labels: null}},
    {created: null},
    // A key that JavaScript would take for the prototype is dropped, whatever it holds.
    ...['{"__proto__":7}', '{"config":{"__proto__":7}}', '{"config":{"Labels":{"__proto__":{}}}}'].map(
      (text) => JSON.parse(text) as object,
    ),
  ])
    it(`is read by whoever reads it: ${JSON.stringify(more)}`, () => {
      for (const read of both(more)) assert.doesNotThrow(read)
    })

  it('has an empty item in its history for one that is null', () => {
    const bytes = Buffer.from(JSON.stringify({...CONFIG, history: [null]}))
    assert.deepEqual(parseImageConfig({mediaType: 'application/json', bytes}).history, [{}])
  })

  it('has features of an OS that metadata can hold', () => {
    const bytes = Buffer.from(JSON.stringify({...CONFIG, 'os.features': ['win32k', 'a\ud800b']}))
    assert.deepEqual(readConfig(bytes, 'it').platform.osFeatures, ['win32k', 'a\ufffdb'])
  })
})

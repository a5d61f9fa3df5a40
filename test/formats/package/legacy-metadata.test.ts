import assert from 'node:assert/strict'
import {decodeDocument} from '../../../src/formats/package/metadata.js'

/** What the first versions of the inbox stack wrote. Source: inbox package page, section 1.4. */
function decoded(name: string) {
  const json = {Name: name, Version: '10.0.14393.206', Path: '', Size: 0, CreatedTime: '2016-09-15T06:44:00Z'}
  return decodeDocument(Buffer.from(JSON.stringify(json)), `CN=Microsoft_${name}_10.0.14393.206`)
}

describe('metadata.json of the first OS packages', () => {
  for (const [name, osFeatures] of [
    ['WindowsServerCore', ['win32k']],
    ['NanoServer', []],
    ['nanoserver', []],
    ['NanoServerPlus', ['win32k']],
    ['MyNanoServer', ['win32k']],
  ] as const)
    it(`${name}: features [${osFeatures.join()}], and a plain base`, () => {
      const {isLegacy, payload, metadata} = decoded(name)
      assert.equal(isLegacy, true)
      assert.deepEqual(payload, {Kind: 'base', Layout: 'plain-1'})
      assert.deepEqual(metadata.osFeatures, osFeatures)
      assert.deepEqual(
        [metadata.isOsImage, metadata.architecture, metadata.osVersion, metadata.dependencies],
        [true, 'x64', '10.0.14393.206', []],
      )
    })
})

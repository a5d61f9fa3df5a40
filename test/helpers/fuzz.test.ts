import assert from 'node:assert/strict'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'

const TESTS = path.resolve(import.meta.dirname, '..')

describe('properties', () => {
  it('are all tried with as many cases as FUZZ_RUNS says', () => {
    const files = readdirSync(TESTS, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.test.js'))
    const texts = files.map((name) => ({name, text: readFileSync(path.join(TESTS, name), 'utf8')}))
    // Split, so that this file is not one of them.
    const withProperties = texts.filter(({text}) => text.includes('fc' + '.assert('))
    assert.ok(withProperties.length > 8)
    for (const {name, text} of withProperties) {
      assert.match(text, /FUZZ_RUNS/, `${name} does not use helpers/fuzz`)
      const properties = text.split('fc' + '.assert(').length - 1
      assert.equal(
        text.split('numRuns:').length - 1,
        properties,
        `${name} leaves the cases of a property to the default`,
      )
    }
  })
})

import assert from 'node:assert/strict'
import {ERROR_CODES} from '../../src/model/errors.js'
import {formatErrorGuide} from '../../src/model/error-guide.js'
import {assertStored} from '../helpers/snapshot.js'

describe('error guide', () => {
  it('is docs/errors.md as stored', () => assertStored('docs/errors.md', formatErrorGuide()))

  it('lists every code once', () => {
    const rows = formatErrorGuide().split('\n')
    for (const code of ERROR_CODES) {
      assert.equal(rows.filter((row) => row.startsWith(`| \`${code}\` |`)).length, 1, code)
    }
  })
})

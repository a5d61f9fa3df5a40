import assert from 'node:assert/strict'
import {requireNames, requireSame, type NamingReference} from '../../../src/formats/image-documents/given-names.js'
import {requireTaggedName} from '../../../src/formats/image-documents/image-name.js'
import {assertThrows} from '../../helpers/told.js'

const REFERENCE: NamingReference = {given: 'oci:folder:1', bare: 'oci:folder', isSame: (name) => name === 'web:1'}

describe('names that are given beside a destination', () => {
  it('need not be there, and may say what the reference says', () => {
    for (const names of [undefined, [], ['web:1'], ['web:1', 'web:1']]) {
      requireNames(names, REFERENCE)
      requireSame(names, REFERENCE)
    }
  })

  it('may be any names where the reference names nothing', () => {
    requireNames(['web:1', 'localhost:5000/app', 'web'], undefined)
  })

  it('are refused when the second of them differs, with that and both references', () => {
    for (const require of [requireNames, requireSame])
      assertThrows(
        () => {
          require(['web:1', 'web:2'], REFERENCE)
        },
        {code: 'BAD_OPTION', says: ['web:2', "'oci:folder:1'"], advises: true},
      )
  })

  it('are told how to be given otherwise: with the destination that names nothing', () => {
    assert.throws(
      () => {
        requireSame(['web:2'], REFERENCE)
      },
      (error: Error & {suggestions: readonly string[]}) =>
        error.suggestions.some((text) => text.includes('(oci:folder)')),
    )
  })

  it('never show the password of what was meant for an address', () => {
    for (const require of [requireNames, requireSame])
      assert.throws(
        () => {
          require(['docker://me:secret@host/app:1'], {...REFERENCE, isSame: () => false})
        },
        (error: Error) => !error.message.includes('secret') && error.message.includes('me:***@host'),
      )
  })

  it('are cut after 300 characters', () => {
    const long = 'a'.repeat(400)
    for (const step of [
      () => {
        requireSame([long], REFERENCE)
      },
      () => requireTaggedName(`${long}:!`),
    ])
      assert.throws(
        step,
        (error: Error) => error.message.includes(long.slice(0, 300)) && !error.message.includes(long.slice(0, 301)),
      )
  })

  it('must be names, even where the reference would take them', () => {
    const names = ['web:1', 'NO name']
    for (const reference of [undefined, {...REFERENCE, isSame: () => true}])
      assertThrows(
        () => {
          requireNames(names, reference)
        },
        {code: 'BAD_REFERENCE', says: ["'NO name'"], advises: true},
      )
    requireSame(names, {...REFERENCE, isSame: () => true})
  })
})

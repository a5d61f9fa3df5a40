import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {InputError} from '../../src/model/errors.js'
import {formatLimits} from '../../src/model/limits-table.js'
import {EntryLimit, requireDepth, StreamLimit} from '../../src/model/unpack-limit.js'
import {PROJECT} from '../helpers/snapshot.js'

const MIB = 2 ** 20

/** Demands a refusal that says which option allows more. */
function exceeds(option: string) {
  return (error: unknown) => {
    assert.ok(error instanceof InputError)
    assert.equal(error.code, 'LIMIT_EXCEEDED')
    assert.ok(error.suggestions.join(' ').includes(`${option} `), error.suggestions.join(' '))
    return true
  }
}

describe('limits', () => {
  it('are the table in docs/security.md', () => {
    const text = readFileSync(path.join(PROJECT, 'docs/security.md'), 'utf8').replaceAll('\r\n', '\n')
    assert.ok(text.includes(formatLimits()), `docs/security.md does not have this table:\n${formatLimits()}`)
  })

  for (const {title, options, taken, given, option} of [
    {title: 'a ratio', options: {}, taken: 64 * 1024, given: 65 * MIB, option: '--max-ratio'},
    {title: 'a ratio that was given', options: {maxRatio: 10}, taken: 100_000, given: 2 * MIB, option: '--max-ratio'},
    {title: 'a size', options: {maxUnpackedBytes: MIB}, taken: MIB, given: MIB + 1, option: '--max-unpacked'},
    {
      title: 'a size, whatever the ratio',
      options: {maxUnpackedBytes: MIB, maxRatio: 9},
      taken: 1,
      given: MIB + 1,
      option: '--max-unpacked',
    },
  ])
    it(`hold a stream to ${title}`, () => {
      const limit = new StreamLimit('A layer', options)
      limit.take(taken)
      assert.throws(() => {
        limit.unpack(given)
      }, exceeds(option))
    })

  for (const {title, options, taken, given} of [
    {title: 'small, at any ratio', options: {}, taken: 100, given: 63 * MIB},
    {title: 'large, at a usual ratio', options: {}, taken: MIB, given: 1000 * MIB},
    {title: 'at the ratio that was given', options: {maxRatio: 10}, taken: MIB, given: 10 * MIB},
    {title: 'at the size that was given', options: {maxUnpackedBytes: MIB}, taken: MIB, given: MIB},
  ])
    it(`let a stream pass that is ${title}`, () => {
      const limit = new StreamLimit('A layer', options)
      limit.take(taken)
      limit.unpack(given)
    })

  it('count entries, and say which option raises them', () => {
    const limit = new EntryLimit('A layer', {maxEntries: 2})
    limit.add()
    limit.add()
    assert.throws(() => {
      limit.add()
    }, exceeds('--max-entries'))
  })

  for (const [depth, options, isTaken] of [
    [512, {}, true],
    [513, {}, false],
    [3, {maxNameDepth: 3}, true],
    [4, {maxNameDepth: 3}, false],
  ] as const)
    it(`${isTaken ? 'take' : 'refuse'} a name of ${depth} components with ${JSON.stringify(options)}`, () => {
      const check = () => {
        requireDepth(Array(depth).fill('a').join('/'), 'A layer', options)
      }
      if (isTaken) check()
      else assert.throws(check, exceeds('--max-name-depth'))
    })
})

import assert from 'node:assert/strict'
import {existsSync, readdirSync} from 'node:fs'
import path from 'node:path'
import {ERROR_CODES} from '../../src/model/errors.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {ALL_INPUTS} from './hostile/catalog.js'
import {cell, HARMLESS, listedNames} from './hostile/page.js'
import {runOwn} from './hostile/run-own.js'

describe('hostile input', function () {
  if (process.platform === 'win32') return
  this.timeout(60_000)
  const folder = temporaryFolder()
  let count = 0

  it('has many inputs, each with a name of its own and a code that exists', () => {
    const names = ALL_INPUTS.map(({name}) => name)
    assert.ok(names.length >= 290, `${names.length} inputs`)
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    )
    for (const {name, code} of ALL_INPUTS)
      assert.ok(code === 'accepted' || (ERROR_CODES as readonly string[]).includes(code), `${name}: ${code}`)
  })

  it('is listed in the docs, with the reason where it is accepted', () => {
    const inputs = ALL_INPUTS.map(({name}) => cell(name).trim()).sort()
    assert.deepEqual([...listedNames()].sort(), inputs)
    assert.deepEqual(
      ALL_INPUTS.filter(({code}) => code === 'accepted')
        .map(({name}) => name)
        .sort(),
      Object.keys(HARMLESS).sort(),
    )
  })

  for (const input of ALL_INPUTS) {
    const {name, format, code, exit, entry} = input
    it(`${format}: ${JSON.stringify(name).slice(1, -1)}: ${code}`, async () => {
      const place = path.join(folder.path, String(count++))
      const verdict = await runOwn(input, place)
      assert.deepEqual([verdict.code, verdict.exit], [code, exit], verdict.message)
      if (entry !== undefined) assert.ok(verdict.message.includes(entry), verdict.message)
      assert.deepEqual(
        readdirSync(place).filter((each) => !['in', 'out'].includes(each)),
        [],
      )
      if (exit !== 0) assert.equal(existsSync(path.join(place, 'out')), false, 'nothing is written of what is refused')
    })
  }
})

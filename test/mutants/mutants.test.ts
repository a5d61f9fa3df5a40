import assert from 'node:assert/strict'
import {cpSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {findMutants, type Operator} from './find-mutants.js'
import {instrument, transpile} from './instrument.js'
import {judge, type Fate} from './judge.js'
import {percentOf, scoreOf} from './score.js'
import {openWorkshop} from './workshop.js'

const SOURCE = `export function isLarge(size: number): boolean {
  return size > 10
}

export function requireEven(size: number): number {
  if (size % 2 !== 0) throw new Error('It is odd.')
  return size
}

export function untilZero(count: number): number {
  let left = count
  while (left > 0) left--
  return left
}

const LIMIT = 3
const UNTESTED = 4

export function isAllowed(size: number): boolean {
  return size <= LIMIT || size > UNTESTED * 100
}

const known = new Map<number, number>()
export function twice(size: number): number {
  const found = known.get(size) ?? size + size
  known.set(size, found)
  return found
}

export function unseen(): boolean {
  return true
}
`

/** It bites in some places only: nothing stands at the limit of 10, and nothing odd. */
const TEST = `import assert from 'node:assert/strict'
import {isAllowed, isLarge, requireEven, twice, untilZero} from '../../src/codecs/planted.js'
describe('the planted code', () => {
  it('tells large from small', () => { assert.equal(isLarge(11), true); assert.equal(isLarge(9), false) })
  it('takes even numbers', () => { assert.equal(requireEven(4), 4) })
  it('keeps the limit', () => { assert.equal(isAllowed(3), true); assert.equal(isAllowed(4), false) })
  it('doubles', () => { assert.equal(twice(5), 10) })
  it('doubles again', () => { assert.equal(twice(5), 10) })
  it('counts to zero', () => { assert.equal(untilZero(3), 0) })
})
`

/** What each planted mutant must come to. */
const EXPECTED: readonly (readonly [operator: Operator, original: string, replacement: string, fate: Fate])[] = [
  ['compare', 'size > 10', 'size >= 10', 'survived'],
  ['number', '10', '11', 'killed'],
  ['compare', 'size % 2 !== 0', 'size % 2 === 0', 'killed'],
  ['arithmetic', 'size % 2', 'size * 2', 'killed'],
  ['drop', "throw new Error('It is odd.')", '', 'not-covered'],
  // Read while the file loads: seen by a process that begins with it alone.
  ['number', '3', '4', 'killed'],
  ['number', '4', '5', 'survived'],
  // Remembers what it reckoned with the mutant: the next mutants must not be blamed for it.
  ['arithmetic', 'size + size', 'size - size', 'killed'],
  ['compare', 'size <= LIMIT', 'size < LIMIT', 'killed'],
  ['drop', 'known.set(size, found)', '', 'survived'],
  ['boolean', 'true', 'false', 'not-covered'],
]

describe('the runner of mutants', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()

  it('tells which planted mutants tests notice, and which they do not', async () => {
    const project = path.join(folder.path, 'project')
    const compiled = path.join(project, 'dist', 'test', 'codecs')
    mkdirSync(path.join(project, 'src', 'codecs'), {recursive: true})
    mkdirSync(path.join(project, 'dist', 'src', 'codecs'), {recursive: true})
    mkdirSync(compiled, {recursive: true})
    symlinkSync(path.join(PROJECT, 'node_modules'), path.join(project, 'node_modules'))
    cpSync(path.join(PROJECT, 'package.json'), path.join(project, 'package.json'))
    const file = path.join('src', 'codecs', 'planted.ts')
    writeFileSync(path.join(project, file), SOURCE)
    writeFileSync(path.join(project, 'dist', 'src', 'codecs', 'planted.js'), transpile(file, SOURCE))
    writeFileSync(path.join(compiled, 'planted.test.js'), TEST)
    writeFileSync(path.join(project, 'dist', 'test', 'setup.js'), '')

    const wanted = EXPECTED.map(([operator, original, replacement]) => {
      const found = findMutants(file, SOURCE).find(
        (each) => each.operator === operator && each.original === original && each.replacement === replacement,
      )
      assert.ok(found !== undefined, `${operator} ${original}`)
      return found
    })
    const workshop = openWorkshop(project, wanted)
    try {
      const tests = [path.join('dist', 'test', 'codecs', 'planted.test.js')]
      const verdicts = await judge(workshop, {tests, jobs: 2, budgetSeconds: 60})
      assert.deepEqual(
        new Map(verdicts.map(({mutant, fate}) => [`${mutant.operator} ${mutant.original}`, fate])),
        new Map(EXPECTED.map(([operator, original, , fate]) => [`${operator} ${original}`, fate])),
      )
      const [score] = scoreOf(verdicts)
      assert.ok(score !== undefined)
      assert.equal(Math.round(percentOf(score)), 55)
    } finally {
      workshop.remove()
    }
  })

  it('leaves types, imports, names of properties and words for people alone', () => {
    const text = `import {a} from './a.js'
      type Kind = 'one' | 'two'
      export const told = (kind: Kind) => ({kind, what: 'It is ' + kind, ['key']: a('Words for people')})
      throw new Error('one')`
    const changed = findMutants('x.ts', text).map(({original}) => original)
    assert.deepEqual(changed, ["throw new Error('one')"])
  })

  it('keeps the meaning of the code while no mutant is switched on', () => {
    const text = `let x = 1\nconst list = [1, 2]\nif (x < 2) x += list.length\nelse throw new Error('no')\nx++\n;[x] = [x * 2]\nresult = x`
    const mutants = new Map(findMutants('x.ts', text).entries())
    assert.ok(mutants.size > 12)
    const code = instrument('x.ts', text, mutants, './switch.js').replace(/^import .*$/m, '')
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the code is made two lines above
    const run = new Function('__isMutant', `let result; ${code}; return result`) as (
      isOn: (id: number) => boolean,
    ) => number
    assert.equal(
      run(() => false),
      8,
    )
    const increment = [...mutants].find(([, {original}]) => original === 'x++')
    assert.equal(
      run((id) => id === increment?.[0]),
      4,
    )
  })
})

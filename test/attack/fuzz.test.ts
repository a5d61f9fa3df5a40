import assert from 'node:assert/strict'
import {existsSync, mkdirSync} from 'node:fs'
import path from 'node:path'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {findParser, PARSERS} from './fuzz/catalog.js'
import {KEPT_FINDS} from './fuzz/finds.js'
import {inputOf, judge} from './fuzz/judge.js'
import {Disproved, type PreparedParser} from './fuzz/parser.js'
import {Random} from './fuzz/random.js'
import {runParser} from './fuzz/run-parser.js'

/** Mutants of each parser in this run; `npm run fuzz` takes ten minutes for each. */
const CASES = 30
const CASES_END_TO_END = 3

/** Inputs that nobody mutated, of which one must be accepted: a corpus may hold what is odd on purpose. */
const PLAIN_INPUTS = 8

/** Else every mutant is refused at the door, and nothing behind it is tried. */
async function requireAccepted(name: string, prepared: PreparedParser): Promise<void> {
  const outcomes: unknown[] = []
  for (let number = 0; number < PLAIN_INPUTS; number++) {
    const outcome = await judge(prepared, await prepared.make(Random.plain(name, 1, number)))
    if (outcome === 'accepted') return
    outcomes.push(outcome)
  }
  assert.fail(`none of the inputs of ${name} is accepted as it is: ${JSON.stringify(outcomes)}`)
}

/** A parser that does with every mutant what it is told to. */
function parserThat(run: PreparedParser['run']): PreparedParser {
  return {make: () => Buffer.from('x'), run}
}

describe('fuzzing', function () {
  if (process.platform !== 'linux') return
  this.timeout(120_000)
  const folder = temporaryFolder()
  let count = 0
  const place = (): string => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }

  it('knows each parser by a name of its own', () => {
    const names = PARSERS.map(({name}) => name)
    assert.equal(new Set(names).size, names.length)
    for (const name of names) assert.equal(findParser(name)?.name, name)
  })

  it('gives the same numbers for the same seeds, and others for others', () => {
    const numbers = (...seeds: (number | string)[]) => {
      const random = new Random(...seeds)
      return Array.from({length: 5}, () => random.next())
    }
    assert.deepEqual(numbers('tar', 1, 2), numbers('tar', 1, 2))
    assert.notDeepEqual(numbers('tar', 1, 2), numbers('tar', 1, 3))
    assert.notDeepEqual(numbers('tar', 1, 2), numbers('tar', 12))
  })

  it('tells a crash, what is disproved and what eats memory from a refusal', async () => {
    const outcomeOf = async (run: PreparedParser['run']) => {
      const outcome = await judge(parserThat(run), Buffer.alloc(1))
      return typeof outcome === 'string' ? outcome : outcome.kind
    }
    assert.equal(await outcomeOf(() => undefined), 'accepted')
    assert.equal(await outcomeOf(() => Promise.reject(new TypeError('x'))), 'crash')
    assert.equal(await outcomeOf(() => Promise.reject(new Disproved('x'))), 'disproved')
    const held: Buffer[] = []
    // The peak is what is seen, and this process may have had a higher one before.
    const unseen = process.resourceUsage().maxRSS * 1024 - process.memoryUsage.rss()
    assert.equal(await outcomeOf(() => void held.push(Buffer.alloc(unseen + 300 * 2 ** 20, 1))), 'memory')
  })

  it('runs mutants in a process of their own, and leaves nothing behind', async () => {
    const {cases, accepted, refused, finds} = await runParser('pax', {seed: 7, cases: 50})
    assert.deepEqual([cases, accepted + refused, finds], [50, 50, []])
  })

  for (const {name, reads, isEndToEnd, prepare} of PARSERS)
    it(`accepts what is sound, and finds nothing in a few mutants: ${name}, ${reads}`, async () => {
      const own = place()
      const {TMPDIR: usual} = process.env
      process.env['TMPDIR'] = place()
      try {
        const prepared = await prepare(own)
        await requireAccepted(name, prepared)
        const kept = KEPT_FINDS.filter(({parser}) => parser === name)
        const first = Array.from({length: isEndToEnd === true ? CASES_END_TO_END : CASES}, (_, number) => ({
          seed: 1,
          number,
        }))
        for (const {seed, number} of [...first, ...kept]) {
          const outcome = await judge(prepared, await inputOf(prepared, {parser: name, seed, number}))
          assert.ok(
            typeof outcome === 'string',
            `--parser ${name} --seed ${seed} --case ${number}: ${JSON.stringify(outcome)}`,
          )
        }
        await prepared.close?.()
      } finally {
        if (usual === undefined) delete process.env['TMPDIR']
        else process.env['TMPDIR'] = usual
      }
      assert.ok(existsSync(own))
    })
})

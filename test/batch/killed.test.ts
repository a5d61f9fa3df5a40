import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {runBatch} from '../../src/batch/run-batch.js'
import {resolveReference, transportOf} from '../../src/transports/catalog.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SCRIPT = path.resolve(import.meta.dirname, '../helpers/run-plan.js')
const ITEMS = 40
/** On every machine that guards the project; at a desk a part of them, since a run takes a second each. */
const KILLS = process.env['CI'] === undefined ? 10 : 50
/** Longer than a run of all items takes; most moments fall into its work. */
const LATEST_MS = 700

interface Line {
  readonly kind: string
  readonly key: string
}

/** A linear congruential generator (Numerical Recipes): the moments differ, and are the same in each run of the test. */
function momentsFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * LATEST_MS)
  }
}

/** Into packages, into archives, into a layout: each kind of place has its own way to be whole at any moment. */
function planOf(samples: string): string {
  const items = Array.from({length: ITEMS}, (_, index) => {
    const name = `Item${String(index).padStart(2, '0')}`
    if (index % 4 < 2) {
      const options = {name, layers: index % 4 === 0 ? 'chain' : 'squash'}
      return {id: name, source: `docker-archive:${samples}/shop.tar`, destination: 'inbox:out/repository', options}
    }
    const source = `inbox:${samples}/repository:Shop`
    const destination = index % 4 === 2 ? `docker-archive:out/${name}.tar` : `oci:out/layout:${name}`
    return {id: name, source, destination}
  })
  return JSON.stringify({items})
}

function linesOf(journal: string): readonly Line[] {
  if (!existsSync(journal)) return []
  return readFileSync(journal, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line]
      } catch {
        return []
      }
    })
}

/** By name: what a killed writer left of a new repository may be an empty folder, which no content tells. */
const TRANSPORTS: Readonly<Record<string, string>> = {repository: 'inbox', layout: 'oci'}

async function faultsIn(out: string): Promise<readonly string[]> {
  const found: string[] = []
  if (!existsSync(out)) return found
  for (const name of readdirSync(out)) {
    if (name.startsWith('.')) continue
    const {reference} = await resolveReference(`${TRANSPORTS[name] ?? 'docker-archive'}:${path.join(out, name)}`)
    const transport = transportOf(reference)
    if ((await transport.list(reference, {})).length === 0) continue
    found.push(...(await transport.verify(reference, {})).faults.map(({message}) => `${name}: ${message}`))
  }
  return found
}

/** Runs the plan until it ends or the moment has come; true when it ended. */
async function runUntil(plan: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [SCRIPT, plan], {stdio: ['ignore', 'pipe', 'inherit']})
  const closed = once(child, 'close')
  let timer: NodeJS.Timeout | undefined
  child.stdout.once('data', () => {
    timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  })
  await closed
  clearTimeout(timer)
  assert.ok(child.exitCode === 0 || child.signalCode === 'SIGKILL', 'a batch that is not killed succeeds')
  return child.exitCode === 0
}

describe('a batch that is killed', function () {
  this.timeout(600_000)
  const folder = temporaryFolder()

  it(`leaves at ${KILLS} moments a destination that verifies, goes on, and does nothing twice that it wrote down`, async () => {
    // Two batches, each in a folder of its own, side by side.
    await Promise.all([20_161_012, 20_260_301].map((seed) => killOften(seed, KILLS / 2)))
  })

  async function killOften(seed: number, wanted: number): Promise<void> {
    const own = path.join(folder.path, String(seed))
    const samples = path.join(own, 'samples')
    mkdirSync(samples, {recursive: true})
    cpSync('samples/shop.tar', path.join(samples, 'shop.tar'))
    cpSync('samples/repository', path.join(samples, 'repository'), {recursive: true})
    const plan = path.join(own, 'plan.json')
    const [journal, out] = [`${plan}.journal`, path.join(own, 'out')]
    writeFileSync(plan, planOf('samples'))

    const nextMoment = momentsFrom(seed)
    let kills = 0
    while (kills < wanted) {
      const isDone = await runUntil(plan, nextMoment())
      assert.deepEqual(await faultsIn(out), [], `after ${kills} kills`)
      if (!isDone) {
        kills++
        continue
      }
      await requireComplete()
      for (const file of [journal, out]) rmSync(file, {recursive: true})
    }
    const {totals} = await runBatch(plan, {environment: {}})
    assert.equal(totals.converted + totals.alreadyDone, ITEMS)
    await requireComplete()

    async function requireComplete(): Promise<void> {
      const done = new Set<string>()
      for (const {kind, key} of linesOf(journal)) {
        assert.ok(!done.has(key), `${key} was ${kind} after it was done`)
        if (kind === 'done') done.add(key)
      }
      assert.equal(done.size, ITEMS)
      const left = readdirSync(out, {recursive: true, encoding: 'utf8'}).filter((name) =>
        /(?:^|\/)\.(?:.*tmp-|lock)/.test(name),
      )
      assert.deepEqual(left, [], 'what killed writers left is gone')
      assert.deepEqual(await faultsIn(out), [])
    }
  }
})

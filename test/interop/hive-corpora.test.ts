import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {spawnSync} from 'node:child_process'
import path from 'node:path'
import {walkKeys} from '../../src/codecs/registry-hive/hive-key.js'
import {openMounts} from '../../src/convert/hive-mounts.js'
import {TransshipError} from '../../src/model/errors.js'
import {
  findHiveCorpus,
  HIVEX,
  hivesBelow,
  PYTHON,
  readForeign,
  YARP,
  type ForeignReading,
} from '../helpers/hive-corpora.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {findTool} from '../helpers/tools.js'

/** Projects whose test files include hives, by a part of the name of their folder. */
const CORPORA = ['yarp', 'regipy', 'hivex', 'nt-hive', 'regf-samples', 'EricZimmerman+Registry']

/** Where we and yarp differ for another reason than a note gives: what we say, and why that is right. */
const EXPLAINED: Readonly<Record<string, {readonly ours: string; readonly why: string}>> = {
  '3.1/SOFTWARE': {ours: 'FORMAT_UNSUPPORTED', why: 'a hive of Windows NT 3.1, whose cells have another form'},
  'testdata/testhive': {ours: 'read', why: 'yarp compares names by code points, Windows by UTF-16 units'},
}

/** Notes that say why another reader may refuse, or see more. */
const TELLING = new Set([
  'hive-duplicate-name',
  'hive-unsorted',
  'hive-stray-layer-bits',
  'hive-length',
  'hive-log-left-out',
])

/** Readers that export a hive as text: how many keys and values are in it, by the lines of each. */
const EXPORTERS = [
  {tool: 'regfexport', keys: /^Key path:/gm, values: /^Value: /gm},
  {tool: 'reglookup', keys: /^\/[^,]*,KEY,/gm, values: /^\/[^,]*,(?!KEY,)[^,]*,/gm},
]

interface OwnReading {
  readonly keys: number
  readonly values: number
  /** Of the lines that yarp gives, and of those that hivex does. */
  readonly digests?: {readonly yarp: string; readonly hivex: string}
  readonly code?: string
  readonly notes: ReadonlySet<string>
}

async function readOwn(file: string, ignoreLogs = false): Promise<OwnReading> {
  const notes = new Set<string>()
  const count = {keys: 0, values: 0}
  const hashes = {yarp: createHash('sha256'), hivex: createHash('sha256')}
  const hex = (text: string): string => Buffer.from(text, 'utf16le').toString('hex')
  const onEvent = (event: {readonly kind: string; readonly code?: string}): void => {
    if (event.kind === 'note' && event.code !== undefined) notes.add(event.code)
  }
  try {
    const {mounts, close} = await openMounts(`hive:${file}`, {ignoreLogs, onEvent})
    try {
      for (const {key, path: name} of walkKeys(mounts[0]!.root, '')) {
        count.keys += 1
        const head = `K ${name.split('\\').length - 1} ${hex(key.name)} ${key.lastWrite}`
        const security = key.security === undefined ? '-' : Buffer.from(key.security).toString('hex')
        hashes.yarp.update(`${head} ${Buffer.from(key.className).toString('hex')} ${security}\n`)
        hashes.hivex.update(`${head}\n`)
        for (const value of key.values()) {
          count.values += 1
          const line = `V ${hex(value.name)} ${value.type} ${Buffer.from(value.data).toString('hex')}\n`
          for (const hash of Object.values(hashes)) hash.update(line)
        }
      }
    } finally {
      close()
    }
    return {digests: {yarp: hashes.yarp.digest('hex'), hivex: hashes.hivex.digest('hex')}, notes, ...count}
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return {code: error.code, notes, ...count}
  }
}

/** How one hive compares; `fault` when a difference is silent. */
async function compare(
  file: string,
  own: OwnReading,
  yarp: ForeignReading,
): Promise<{outcome: string; fault?: string}> {
  const name = Object.keys(EXPLAINED).find((known) => file.endsWith(path.normalize(known)))
  const explained = name === undefined ? undefined : EXPLAINED[name]
  const said = own.code ?? 'read'
  if (explained !== undefined) {
    const outcome = own.code === undefined ? 'read by us alone' : 'refused by us alone'
    return said === explained.ours ? {outcome} : {outcome, fault: `${said}, expected ${explained.ours}`}
  }
  if (yarp.failsToRecover === true) {
    const asItIs = await readOwn(file, true)
    const isSame = asItIs.digests?.yarp === yarp.digest && asItIs.notes.has('hive-dirty')
    const outcome = 'refused as dirty; the same with --ignore-logs'
    return said === 'HIVE_DIRTY' && isSame ? {outcome} : {outcome, fault: `${said}; as it is ${asItIs.code ?? 'read'}`}
  }
  if (own.code !== undefined) {
    const outcome = yarp.error === undefined ? 'refused by us alone' : 'refused by both'
    return yarp.error === undefined ? {outcome, fault: own.code} : {outcome}
  }
  if (yarp.error !== undefined) {
    const isTold = [...own.notes].some((note) => TELLING.has(note))
    const outcome = 'read by us with a note, refused by yarp'
    return isTold ? {outcome} : {outcome, fault: `without a note, and yarp says: ${yarp.error}`}
  }
  if (own.digests?.yarp !== yarp.digest) return {outcome: 'different', fault: [...own.notes].join(', ')}
  const expected = yarp.isRecovered === true ? 'hive-logs-replayed' : yarp.isDirty === true ? 'hive-dirty' : undefined
  const outcome = own.notes.size === 0 ? 'the same' : 'the same, with a note'
  return expected === undefined || own.notes.has(expected) ? {outcome} : {outcome, fault: `no note ${expected}`}
}

/** Counts by outcome, for the page on compatibility. */
function tally(outcomes: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => `${outcome} ${count}`).join('; ')
}

/** Not a failure under `CI=true` either: these files cannot be installed, only fetched. */
function skip(test: Mocha.Context, reason: string): never {
  console.error(`    SKIPPED, ${reason}: ${test.test?.fullTitle() ?? ''}`)
  return test.skip()
}

describe('hives of other projects', () => {
  const scratch = temporaryFolder()
  let yarpFolder: string | undefined

  before(function () {
    this.timeout(120_000)
    yarpFolder = findHiveCorpus('yarp', scratch.path)
  })

  for (const corpus of CORPORA) {
    it(`${corpus}: every hive reads as yarp reads it, or is refused or noted with a reason`, async function () {
      this.timeout(900_000)
      const folder = findHiveCorpus(corpus, scratch.path)
      if (folder === undefined) skip(this, `TRANSSHIP_CORPORA names no folder with ${corpus}`)
      if (yarpFolder === undefined) skip(this, 'yarp, which reads them too, is not there')
      const files = hivesBelow(folder)
      assert.ok(files.length > 0, `${folder} holds no hive`)
      const theirs = readForeign(YARP, files, [yarpFolder])
      const outcomes: string[] = []
      const faults: string[] = []
      for (const [index, file] of files.entries()) {
        const {outcome, fault} = await compare(file, await readOwn(file), theirs[index]!)
        outcomes.push(outcome)
        if (fault !== undefined) faults.push(`${path.relative(folder, file)}: ${outcome}: ${fault}`)
      }
      console.log(`    ${corpus}: ${files.length} hives: ${tally(outcomes)}`)
      assert.deepEqual(faults, [])
    })

    it(`${corpus}: hivex reads the same keys and values, where it reads a hive`, async function () {
      this.timeout(900_000)
      const folder = findHiveCorpus(corpus, scratch.path)
      if (folder === undefined) skip(this, `TRANSSHIP_CORPORA names no folder with ${corpus}`)
      if (spawnSync(PYTHON, ['-c', 'import hivex']).status !== 0) skip(this, 'python3-hivex is not installed')
      const files = hivesBelow(folder)
      const theirs = readForeign(HIVEX, files)
      const outcomes: string[] = []
      const faults: string[] = []
      for (const [index, file] of files.entries()) {
        const own = await readOwn(file, true)
        const {digest, error} = theirs[index]!
        if (error !== undefined) outcomes.push(own.code === undefined ? 'refused by hivex alone' : 'refused by both')
        else if (own.code !== undefined) outcomes.push('refused by us alone')
        else if (own.digests?.hivex === digest) outcomes.push('the same')
        else outcomes.push('different')
        if (outcomes.at(-1) === 'different' && ![...own.notes].some((note) => TELLING.has(note)))
          faults.push(path.relative(folder, file))
      }
      console.log(`    ${corpus}, hivex: ${files.length} hives: ${tally(outcomes)}`)
      assert.deepEqual(faults, [])
    })

    for (const {tool, keys, values} of EXPORTERS)
      it(`${corpus}: ${tool} exports as many keys and values, where it reads a hive to its end`, async function () {
        this.timeout(900_000)
        const folder = findHiveCorpus(corpus, scratch.path)
        if (folder === undefined) skip(this, `TRANSSHIP_CORPORA names no folder with ${corpus}`)
        if (findTool(tool) === undefined) skip(this, `${tool} is not installed`)
        const files = hivesBelow(folder)
        const outcomes: string[] = []
        const faults: string[] = []
        for (const file of files) {
          const own = await readOwn(file, true)
          const run = spawnSync(tool, [file], {encoding: 'latin1', maxBuffer: 2 ** 30})
          const found = {keys: run.stdout.match(keys)?.length ?? 0, values: run.stdout.match(values)?.length ?? 0}
          const isSame = own.keys === found.keys && own.values === found.values
          if (run.status !== 0) outcomes.push(own.code === undefined ? `stops in ${tool} alone` : 'refused by both')
          else if (own.code !== undefined) outcomes.push('refused by us alone')
          else outcomes.push(isSame ? 'the same' : 'different')
          const isTold = own.code !== undefined || [...own.notes].some((note) => TELLING.has(note))
          if (run.status === 0 && !isSame && !isTold)
            faults.push(
              `${path.relative(folder, file)}: ${JSON.stringify({found, keys: own.keys, values: own.values})}`,
            )
        }
        console.log(`    ${corpus}, ${tool}: ${files.length} hives: ${tally(outcomes)}`)
        assert.deepEqual(faults, [])
      })
  }
})

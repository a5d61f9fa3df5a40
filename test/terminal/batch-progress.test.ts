import assert from 'node:assert/strict'
import {Writable} from 'node:stream'
import {stripVTControlCharacters} from 'node:util'
import type {BatchEvent} from '../../src/batch/batch-event.js'
import type {ItemReport} from '../../src/batch/batch-report.js'
import {startBatchProgress} from '../../src/terminal/start-batch-progress.js'

const FAILURE = {code: 'NETWORK_FAILED', exitCode: 4, what: 'No route \u001b[2Jto host.', suggestions: []} as const
const RESULT = {
  source: 'inbox:a',
  destination: 'inbox:b',
  artifacts: [],
  losses: [],
  notes: [],
  exact: true,
  inexact: [],
  bytesRead: 2048,
  bytesWritten: 2,
  seconds: 1,
}
const ITEM: ItemReport = {
  id: 'one',
  source: 'inbox:a',
  destination: 'inbox:b',
  state: 'converted',
  after: [],
  before: [],
  attempts: 1,
  seconds: 1,
  result: RESULT,
}
const {result: _, ...UNDONE} = ITEM

const BEGUN: BatchEvent[] = [
  {kind: 'batch', title: 'plan.yaml', items: 4, alreadyDone: 1, totalBytes: 8192},
  {kind: 'item-begun', id: 'one', destination: 'inbox:b', totalBytes: 4096},
  {kind: 'item-progress', id: 'one', bytes: 1024},
  {kind: 'item-begun', id: 'two', destination: 'inbox:c', totalBytes: 2048},
  {kind: 'item-retried', id: 'two', waitMs: 2000, failure: FAILURE},
]
const ENDED: BatchEvent[] = [
  {kind: 'item-ended', item: ITEM, bytes: 1024},
  {kind: 'item-ended', item: {...UNDONE, id: 'two', state: 'failed', failure: FAILURE}, bytes: 0},
  {kind: 'item-ended', item: {...UNDONE, id: 'three', state: 'blocked'}, bytes: 0},
]

/** A stand-in for a terminal: what listr2 asks of stderr, gathering what is written. */
function terminal(): {stream: NodeJS.WriteStream; text: () => string} {
  let written = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString('utf8')
      done()
    },
  })
  const stub = {
    isTTY: true,
    columns: 120,
    rows: 40,
    clearLine: () => true,
    cursorTo: () => true,
    moveCursor: () => true,
  }
  return {stream: Object.assign(stream, stub) as unknown as NodeJS.WriteStream, text: () => written}
}

describe('progress of a batch', () => {
  it('is a line for each item that ended, where there is no terminal', async () => {
    const {stream, text} = terminal()
    const progress = await startBatchProgress({mode: 'lines', stream, verbose: false})
    for (const event of [...BEGUN, ...ENDED]) progress.onEvent(event)
    await progress.end()
    assert.deepEqual(text().trimEnd().split('\n'), [
      '4 items, 1 done already, 8.0 KiB to read',
      'two: No route \\x1b[2Jto host. Trying again in 2 s.',
      '[1/3] one: converted (2.0 KiB in 1 s)',
      '[2/3] two: failed: No route \\x1b[2Jto host.',
      '[3/3] three: not tried, because an item it needs failed',
    ])
  })

  it('shows on a terminal every item that runs below the total, and in the end the total alone', async () => {
    const {stream, text} = terminal()
    const progress = await startBatchProgress({mode: 'live', stream, verbose: false})
    for (const event of BEGUN) progress.onEvent(event)
    const shown = () => stripVTControlCharacters(text())
    for (let waited = 0; waited < 5000 && !/ {2}.*one: 1\.0 KiB of 4\.0 KiB/.test(shown()); waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20))
    assert.match(shown(), /0 of 3 items: 1\.0 KiB of 8\.0 KiB/)
    assert.match(shown(), /one: 1\.0 KiB of 4\.0 KiB/)
    assert.match(shown(), /two: No route \\x1b\[2Jto host\. trying again in 2 s/)
    for (const event of ENDED) progress.onEvent(event)
    await progress.end()
    assert.match(shown().trimEnd().split('\n').at(-1) ?? '', /3 of 3 items, 1 failed in \d+ s$/)
  })

  it('says nothing when silent', async () => {
    const {stream, text} = terminal()
    const progress = await startBatchProgress({mode: 'silent', stream, verbose: true})
    for (const event of BEGUN) progress.onEvent(event)
    await progress.end()
    assert.equal(text(), '')
  })
})

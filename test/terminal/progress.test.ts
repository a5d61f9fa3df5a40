import assert from 'node:assert/strict'
import path from 'node:path'
import {Writable} from 'node:stream'
import {stripVTControlCharacters} from 'node:util'
import {convert, inspect} from '../../src/index.js'
import type {WorkEvent} from '../../src/model/events.js'
import {canRepaint, startProgress, type ProgressMode} from '../../src/terminal/progress.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const EVENTS: WorkEvent[] = [
  {kind: 'note', code: 'transport-recognised', message: 'Read as docker-archive:a.tar.', subject: 'a.tar'},
  {kind: 'step', id: 'one', title: 'Write package \u001b[2JOne', totalBytes: 2048},
  {kind: 'part', id: 'one', noun: 'layer', done: 2, of: 5},
  {kind: 'progress', id: 'one', bytes: 1024},
  {kind: 'done', id: 'one', summary: 'written'},
  {kind: 'step', id: 'two', title: 'Write package Two'},
  {kind: 'loss', code: 'x', message: 'Gone.', subject: 'Files/a'},
  {kind: 'loss', code: 'x', message: 'Gone.', subject: 'Files/a'},
]

/** A stand-in for a terminal: what listr2 and ora ask of stderr, gathering what is written. */
function terminal(): {stream: NodeJS.WriteStream; text: () => string} {
  let written = ''
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
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

async function show(mode: ProgressMode, failed: boolean, verbose = false): Promise<string> {
  const {stream, text} = terminal()
  const progress = await startProgress({title: 'Converting', mode, stream, verbose})
  for (const event of EVENTS) progress.onEvent(event)
  await progress.end(failed)
  return text()
}

describe('progress', () => {
  const folder = temporaryFolder()

  it('says nothing when silent', async () => {
    assert.equal(await show('silent', false), '')
  })

  it('is one plain line for each thing that happened, where there is no terminal', async () => {
    assert.equal(
      await show('lines', false),
      [
        'Note: a.tar: Read as docker-archive:a.tar.',
        'Write package \\x1b[2JOne (2.0 KiB)',
        'Write package \\x1b[2JOne: written in 0 s',
        'Write package Two',
        'Loss: Files/a: Gone.',
        '',
      ].join('\n'),
    )
  })

  it('tells each advance of the bytes when verbose', async () => {
    const text = await show('lines', false, true)
    assert.match(text, /One: 2 of 5 layers$/m)
    assert.match(text, /One: 2 of 5 layers, 1\.0 KiB of 2\.0 KiB/)
  })

  it('paints the steps in order on a terminal, messages last, and nothing of it on stdout', async () => {
    const write = process.stdout.write.bind(process.stdout)
    const leaked: unknown[] = []
    process.stdout.write = (chunk: unknown) => leaked.push(chunk) > 0
    let painted: string
    try {
      painted = await show('live', false)
    } finally {
      process.stdout.write = write
    }
    const text = stripVTControlCharacters(painted)
    assert.deepEqual(leaked, [])
    assert.match(text, /One: 2 of 5 layers, 1\.0 KiB of 2\.0 KiB/)
    assert.ok(!painted.includes('\u001b[2JOne'))
    const places = ['One: written', 'Two: done', 'Note: a.tar', 'Loss: Files/a'].map((part) => text.lastIndexOf(part))
    assert.ok(
      places.every((place, index) => place > (places[index - 1] ?? -1)),
      text,
    )
  })

  for (const {isTTY, columns, term, ci, expected, note} of [
    {isTTY: true, columns: 80, term: 'xterm', expected: true, note: 'on a terminal'},
    {isTTY: true, columns: 0, term: 'xterm', expected: false, note: 'not on one without a size, where ora never ends'},
    {isTTY: true, columns: 80, term: 'dumb', expected: false, note: 'not on one that cannot move its cursor'},
    {isTTY: false, columns: 80, term: 'xterm', expected: false, note: 'not on a pipe'},
    {isTTY: true, columns: 80, term: 'xterm', ci: 'true', expected: false, note: 'not under CI'},
    {isTTY: true, columns: 80, term: 'xterm', ci: '1', expected: false, note: 'not under CI of another kind'},
    {isTTY: true, columns: 80, term: 'xterm', ci: 'false', expected: true, note: 'where CI is turned off'},
  ]) {
    it(`repaints ${note}`, () => {
      assert.equal(canRepaint({isTTY, columns}, {TERM: term, ...(ci === undefined ? {} : {CI: ci})}), expected)
    })
  }

  for (const {title, source, destination, layers, want} of [
    {title: 'an image', source: 'docker-archive:samples/shop.tar', destination: 'oci:image', layers: 'chain', want: 3},
    {
      title: 'squashed layers',
      source: 'docker-archive:samples/shop.tar',
      destination: 'inbox:r',
      layers: 'squash',
      want: 2,
    },
    {title: 'packages', source: 'inbox:samples/repository:Shop', destination: 'oci:packages', layers: 'chain', want: 0},
  ] as const)
    it(`tells how many layers of ${title} have passed`, async () => {
      const parts: WorkEvent[] = []
      const [transport = '', place = ''] = destination.split(':')
      await convert(source, `${transport}:${path.join(folder.path, place)}`, {
        layers,
        onEvent: (event) => {
          if (event.kind === 'part') parts.push(event)
        },
      })
      const count = want === 0 ? (await inspect(`oci:${path.join(folder.path, place)}`)).layers.length : want
      assert.deepEqual(
        parts.map((event) => event.kind === 'part' && [event.noun, event.done, event.of]),
        Array.from({length: count}, (_, index) => ['layer', index + 1, count]),
      )
    })

  it('ends the picture when the work fails', async () => {
    const text = stripVTControlCharacters(await show('live', true))
    assert.match(text, /One: written/)
    assert.match(text, /✖ Write package Two/)
  })
})

import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {readFile, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {Journal} from '../../src/batch/journal.js'
import type {JournalRecord} from '../../src/batch/journal-record.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const RESULT = {
  source: 'inbox:a',
  destination: 'inbox:b',
  artifacts: [],
  losses: [],
  notes: [],
  exact: true,
  inexact: [],
  bytesRead: 1,
  bytesWritten: 2,
  seconds: 0.5,
}
const RECORDS: readonly JournalRecord[] = [
  {kind: 'begun', key: 'k1', id: 'one', destination: 'inbox:b', isFree: true},
  {kind: 'done', key: 'k1', id: 'one', result: RESULT},
  {kind: 'begun', key: 'k2', id: 'two "é"', destination: 'oci:b', isFree: false},
]

describe('journal', () => {
  const folder = temporaryFolder()

  async function written(name: string): Promise<string> {
    const file = path.join(folder.path, name)
    const journal = await Journal.open(file)
    await Promise.all(RECORDS.map((record) => journal.append(record)))
    await journal.close()
    return file
  }

  it('tells after a reopening what was written down', async () => {
    const entries = await Journal.peek(await written('whole'))
    assert.deepEqual(
      [...entries],
      [
        ['k1', {isOpen: false, isOwner: true, work: 'one\ninbox:b', result: RESULT, made: RESULT}],
        ['k2', {isOpen: true, isOwner: false, work: 'two "é"\noci:b'}],
      ],
    )
  })

  it('is read up to the last whole line when cut at any length, and goes on from there', async () => {
    const bytes = await readFile(await written('cut'))
    const whole = bytes.toString().split('\n')
    for (let length = 0; length <= bytes.byteLength; length++) {
      const file = path.join(folder.path, 'cut-short')
      await writeFile(file, bytes.subarray(0, length))
      const before = await Journal.peek(file)
      const lines = bytes
        .subarray(0, length)
        .toString()
        .split('\n')
        .filter((line) => line !== '' && whole.includes(line))
      const keys = new Set(lines.map((line) => (JSON.parse(line) as {key: string}).key))
      assert.deepEqual([...before.keys()], [...keys], `cut at ${length}`)
      const journal = await Journal.open(file)
      await journal.append({kind: 'done', key: 'k3', id: 'three', result: RESULT})
      await journal.close()
      assert.deepEqual([...(await Journal.peek(file)).keys()], [...keys, 'k3'])
    }
  })

  it('passes over a line of which a byte was changed', async () => {
    const file = await written('changed')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('"id":"one","result"', '"id":"eno","result"'))
    assert.deepEqual((await Journal.peek(file)).get('k1'), {isOpen: true, isOwner: true, work: 'one\ninbox:b'})
  })

  const line = (record: object) => {
    const json = JSON.stringify(record)
    const check = createHash('sha256').update(json).digest('hex').slice(0, 16)
    return `${json.slice(0, -1)},"check":"${check}"}\n`
  }

  for (const [title, record] of [
    ['another kind', {kind: 'ended', key: 'k1', id: 'one'}],
    ['a key that is no text', {kind: 'begun', key: 7, id: 'one', destination: 'inbox:b', isFree: true}],
    ['no destination', {kind: 'begun', key: 'k1', id: 'one', isFree: true}],
    ['no result', {kind: 'done', key: 'k1', id: 'one'}],
    ['a result that is a list', {kind: 'done', key: 'k1', id: 'one', result: []}],
    ['a result without artifacts', {kind: 'done', key: 'k1', id: 'one', result: {...RESULT, artifacts: undefined}}],
    ['an artifact that is none', {kind: 'done', key: 'k1', id: 'one', result: {...RESULT, artifacts: [null]}}],
    ['an exact that is a text', {kind: 'done', key: 'k1', id: 'one', result: {...RESULT, exact: 'yes'}}],
    ['a failure that is left somehow', {kind: 'failed', key: 'k1', id: 'one', isLeft: 'maybe'}],
    ['null', null],
    ['a list', []],
  ] as const)
    it(`passes over a line whose check is right and whose record is none: ${title}`, async () => {
      const file = path.join(folder.path, 'odd')
      await writeFile(file, record === null ? 'null\n' : line(record) + line(RECORDS[2]!))
      assert.deepEqual([...(await Journal.peek(file)).keys()], record === null ? [] : ['k2'])
    })

  it('passes over a line that is too long, without holding it, and reads on', async () => {
    const file = path.join(folder.path, 'long')
    await writeFile(file, '')
    const block = Buffer.alloc(2 ** 20, 'x')
    for (let count = 0; count < 80; count++) await writeFile(file, block, {flag: 'a'})
    await writeFile(file, `\n${line(RECORDS[2]!)}`, {flag: 'a'})
    assert.deepEqual([...(await Journal.peek(file)).keys()], ['k2'])
  })

  it('keeps what holds characters that some readers take for the end of a line', async () => {
    const file = path.join(folder.path, 'lines')
    const journal = await Journal.open(file)
    const record = {
      kind: 'begun',
      key: 'k',
      id: 'a\u2028b\u2029c\rd\ne\u0085',
      destination: 'oci:x',
      isFree: true,
    } as const
    await journal.append(record)
    await journal.close()
    assert.equal((await Journal.peek(file)).get('k')?.work, `${record.id}\noci:x`)
  })

  it('owns nothing after a failure that left nothing', async () => {
    const file = path.join(folder.path, 'order')
    const journal = await Journal.open(file)
    const begun = (key: string) => journal.append({kind: 'begun', key, id: 'i', destination: 'oci:x', isFree: true})
    const failure = {code: 'NETWORK_FAILED', exitCode: 4, what: '', suggestions: []} as const
    for (const key of ['one', 'left', 'gone']) await begun(key)
    await journal.append({kind: 'failed', key: 'left', id: 'i', failure, isLeft: true})
    await journal.append({kind: 'failed', key: 'gone', id: 'i', failure, isLeft: false})
    await journal.close()
    assert.deepEqual(
      [...(await Journal.peek(file))].map(([key, {isOpen, isOwner}]) => [key, isOpen, isOwner]),
      [
        ['one', true, true],
        ['left', true, true],
        ['gone', false, false],
      ],
    )
  })

  it('belongs to one process at a time, and a killed one leaves it free', async () => {
    const file = await written('locked')
    const journal = await Journal.open(file)
    await assert.rejects(Journal.open(file), {code: 'LOCKED'})
    await journal.close()
    await writeFile(`${file}.lock`, JSON.stringify({pid: 2 ** 22 + 1, host: (await import('node:os')).hostname()}))
    await (await Journal.open(file)).close()
  })

  it('keeps what was made of every kind that a conversion tells', async () => {
    const file = path.join(folder.path, 'kinds')
    const artifacts = (['image', 'package', 'index'] as const).map((kind) => ({kind, reference: 'oci:b', layers: []}))
    const journal = await Journal.open(file)
    await journal.append(RECORDS[0]!)
    await journal.append({kind: 'done', key: 'k1', id: 'one', result: {...RESULT, artifacts}})
    await journal.close()
    assert.deepEqual((await Journal.peek(file)).get('k1')?.result?.artifacts, artifacts)
  })

  it('is empty where there is none', async () => {
    assert.equal((await Journal.peek(path.join(folder.path, 'none'))).size, 0)
  })
})

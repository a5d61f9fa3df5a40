import assert from 'node:assert/strict'
import {cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {BatchReport} from '../../src/batch/batch-report.js'
import {parseCsv} from '../helpers/parse-csv.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('batch --report', () => {
  const folder = temporaryFolder()
  const at = (...parts: string[]) => path.join(folder.path, ...parts)

  before(() => {
    cpSync(path.join(PROJECT, 'samples/shop.tar'), at('shop.tar'))
    writeFileSync(
      at('plan.yaml'),
      `items:
  - {id: good, source: 'docker-archive:shop.tar', destination: 'inbox:repository'}
  - {id: bad, source: 'docker-archive:broken.tar', destination: 'inbox:repository'}
  - {id: after, source: 'docker-archive:shop.tar', destination: 'docker-archive:again.tar', after: [bad]}
`,
    )
    writeFileSync(at('broken.tar'), readFileSync(at('shop.tar')).fill(0x55, 60_000, 60_600))
  })

  it('records what was done, what failed and what waited for it, with the exit code of the batch', async () => {
    const {code, json} = await runJson(['batch', at('plan.yaml'), '--report', at('report.json')])
    assert.equal(code, 1)
    const report = JSON.parse(readFileSync(at('report.json'), 'utf8')) as BatchReport
    await assertSchema('batch', report)
    const {run, ...facts} = report
    assert.deepEqual(facts, json)
    assert.deepEqual(run?.command.slice(0, 2), ['transship', 'batch'])
    assert.deepEqual(
      report.items.map(({id, state}) => [id, state]),
      [
        ['good', 'converted'],
        ['bad', 'failed'],
        ['after', 'blocked'],
      ],
    )
  })

  it('is written as a page as well, by a run that finds work done', async () => {
    const {code} = await runCli(['batch', at('plan.yaml'), '--report', at('report.html')])
    assert.equal(code, 1)
    const page = readFileSync(at('report.html'), 'utf8')
    for (const text of ['Already done', 'Failed', 'Blocked', 'CN=contoso_shop_1.2.0.0']) assert.ok(page.includes(text))
  })

  describe('of a plan that is refused', () => {
    for (const {title, items, code, place} of [
      {
        title: 'bad',
        items: [{source: 'docker-archive:shop.tar', destination: 'inbox:x', optoins: {}}],
        code: 'PLAN_INVALID',
        place: ':6:4',
      },
      {
        title: 'with a source that is not there',
        items: [{source: 'docker-archive:no.tar', destination: 'inbox:x'}],
        code: 'PLAN_INVALID',
        place: ':4:4',
      },
      {title: 'that is not there', items: undefined, code: 'NOT_FOUND', place: 'refused.json'},
    ])
      it(`says why, in every form: ${title}`, async () => {
        const plan = at('refused.json')
        if (items === undefined) rmSync(plan)
        else writeFileSync(plan, JSON.stringify({items}, null, 1))
        const plain = await runCli(['batch', plan])
        for (const form of ['json', 'csv', 'html'] as const) {
          const file = at(`refused.${form === 'json' ? 'report.json' : form}`)
          const {code: exit, stderr} = await runCli(['batch', plan, '--report', file])
          assert.deepEqual([exit, stderr], [plain.code, plain.stderr])
          const text = readFileSync(file, 'utf8')
          assert.ok(text.includes(code) && text.includes(place), text.slice(-3000))
          if (form !== 'json') continue
          const report = JSON.parse(text) as BatchReport
          await assertSchema('batch', report)
          assert.deepEqual([report.title, report.items, report.totals.items], [plan, [], 0])
          assert.deepEqual([report.failure?.code, report.failure?.exitCode], [code, plain.code])
        }
        const rows = parseCsv(readFileSync(at('refused.csv'), 'utf8'))
        assert.deepEqual(
          rows.slice(1).map(([record]) => record),
          ['run', 'failure'],
        )
        assert.match(readFileSync(at('refused.html'), 'utf8'), /The batch as a whole failed/)
      })
  })

  it('refuses an unknown form before anything is done', async () => {
    const {code, stderr} = await runCli(['batch', at('plan.yaml'), '--report', at('report.txt')])
    assert.equal(code, 2)
    assert.match(stderr, /\.html, \.json, \.csv/)
  })
})

import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import path from 'node:path'
import type {BatchReport} from '../../src/batch/batch-report.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = `docker-archive:${path.join(PROJECT, 'samples/shop.tar')}`

describe('convert --report', () => {
  const folder = temporaryFolder()
  const reportOf = async (name: string) =>
    JSON.parse(await readFile(path.join(folder.path, name), 'utf8')) as BatchReport

  it('tells what was read, what was made, and the result that --json prints', async () => {
    const file = path.join(folder.path, 'done.json')
    const args = ['convert', SHOP, `inbox:${path.join(folder.path, 'done')}`, '--layers', 'chain', '--report', file]
    const {code, json} = await runJson(args)
    assert.equal(code, 0)
    const report = await reportOf('done.json')
    await assertSchema('batch', report)
    const [item] = report.items
    assert.deepEqual(item!.result, json)
    assert.equal(item!.before[0]?.imageId, 'sha256:b9ff413f90a1cb00ca7edaa5508b79c1349bf3ac560747a1e8083ccd34937d23')
    assert.equal(item!.before[0].platform, 'windows/amd64 10.0.14393.206')
    assert.deepEqual([report.title, item!.state, report.totals.converted], [SHOP, 'converted', 1])
  })

  it('writes pages and tables as well', async () => {
    for (const [form, expected] of [
      ['html', /<!doctype html>[^]*CN=contoso_shop_1\.2\.0\.0/],
      ['csv', /record,item[^]*CN=contoso_shop_1\.2\.0\.0/],
    ] as const) {
      const file = path.join(folder.path, `other.${form}`)
      const {code} = await runCli(['convert', SHOP, `inbox:${path.join(folder.path, form)}`, '--report', file])
      assert.equal(code, 0)
      assert.match(await readFile(file, 'utf8'), expected)
    }
  })

  it('tells a failure, with the exit code and the message that it has without a report', async () => {
    const file = path.join(folder.path, 'failed.json')
    const args = ['convert', `docker-archive:${folder.path}/nosuch.tar`, `inbox:${folder.path}/x`]
    const [plain, reporting] = [await runCli(args), await runCli([...args, '--report', file])]
    assert.deepEqual([reporting.code, reporting.stderr], [plain.code, plain.stderr])
    const report = await reportOf('failed.json')
    await assertSchema('batch', report)
    assert.equal(report.totals.failed, 1)
    assert.equal(report.items[0]?.failure?.code, 'NOT_FOUND')
    assert.equal(report.items[0].failure.exitCode, plain.code)
  })

  it('refuses an unknown form before anything is written', async () => {
    const {code, stderr} = await runCli(['convert', SHOP, `inbox:${folder.path}/never`, '--report', 'report.pdf'])
    assert.equal(code, 2)
    assert.match(stderr, /\.html, \.json, \.csv/)
    await assert.rejects(readFile(path.join(folder.path, 'never', 'repository.json')))
  })

  it('is no part of a dry run', async () => {
    const {code} = await runCli(['convert', SHOP, `inbox:${folder.path}/never`, '--dry-run', '--report', 'a.html'])
    assert.equal(code, 2)
  })
})

import assert from 'node:assert/strict'
import {cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {parse} from 'yaml'
import type {BatchReport} from '../../src/batch/batch-report.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {startCli} from '../helpers/start-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('batch', () => {
  const folder = temporaryFolder()
  let plan = ''

  before(() => {
    // The plan's journal lies beside it, so the plan is run from a copy.
    cpSync('samples/plan.yaml', path.join(folder.path, 'samples', 'plan.yaml'))
    cpSync('samples/shop.tar', path.join(folder.path, 'samples', 'shop.tar'))
    cpSync('samples/repository', path.join(folder.path, 'samples', 'repository'), {recursive: true})
    plan = path.join(folder.path, 'samples', 'plan.yaml')
  })

  it('tells with --dry-run what it would do, and writes nothing', async () => {
    const {code, json} = await runJson(['batch', plan, '--dry-run'])
    assert.equal(code, 0)
    await assertSchema('batch-dry-run', json)
    const {items, space} = json as {items: {state: string}[]; space: {isEnough: boolean}[]}
    assert.deepEqual([items.length, items.every(({state}) => state === 'to-do')], [4, true])
    assert.deepEqual(
      space.map(({isEnough}) => isEnough),
      [true],
    )
    assert.ok(!existsSync(path.join(folder.path, 'tmp')) && !existsSync(`${plan}.journal`))
    const text = await runCli(['batch', plan, '--dry-run'])
    assert.match(text.stdout.toString(), /4 items to convert, .* to read\.\nNeeds about /)
  })

  it('converts the samples both ways, a line for each item on stderr', async () => {
    const {code, stdout, stderr} = await runCli(['batch', plan])
    assert.equal(code, 0, stderr)
    assert.match(stdout.toString(), /^4 converted, all exact\.\nRead /)
    assert.equal(stderr.split('\n').filter((line) => /^\[\d\/4\] .*: converted/.test(line)).length, 4)
    const made = path.join(folder.path, 'tmp', 'batch')
    for (const reference of [
      `inbox:${made}/repository`,
      `docker-archive:${made}/shop-again.tar`,
      `docker-archive:${made}/Shop-1.2.0.0.tar`,
      `docker-archive:${made}/WebServer-1.0.0.0.tar`,
    ]) {
      assert.equal((await runCli(['verify', reference])).code, 0, reference)
    }
    const again = await runJson(['inspect', `docker-archive:${made}/shop-again.tar`])
    const first = await runJson(['inspect', 'docker-archive:samples/shop.tar'])
    assert.equal((again.json as {imageId: string}).imageId, (first.json as {imageId: string}).imageId)
  })

  it('reads with --verify what was made, whatever folder it is started in', async () => {
    const own = path.join(folder.path, 'started')
    cpSync('samples/shop.tar', path.join(own, 'shop.tar'))
    const items = ['oci:made', 'inbox:packages', 'docker-archive:out/x.tar', 'appx:files'].map((destination) => ({
      source: 'docker-archive:shop.tar',
      destination,
    }))
    writeFileSync(path.join(own, 'plan.json'), JSON.stringify({items}))
    assert.equal((await runCli(['batch', 'plan.json'], {cwd: own})).code, 0)
    const {json} = await runJson(['batch', 'started/plan.json', '--verify'], {cwd: folder.path})
    assert.equal((json as BatchReport).totals.alreadyDone, 4)
  })

  for (const flag of ['--fail-fast', '--report'])
    it(`refuses ${flag} where nobody waits for the items`, async () => {
      const report = path.join(folder.path, 'report.html')
      const args = ['batch', plan, '--queue', 'redis://127.0.0.1:1', '--detach', flag]
      const {code, stderr} = await runCli(flag === '--report' ? [...args, report] : args)
      assert.equal(code, 2, stderr)
      assert.match(stderr, new RegExp(`${flag} and --detach cannot be used together`))
      assert.ok(!existsSync(report))
    })

  it('does nothing the second time, and says so', async () => {
    const {code, stdout} = await runCli(['batch', plan])
    assert.equal(code, 0)
    assert.match(stdout.toString(), /^Nothing to do: all 4 items are done/)
    const {json} = await runJson(['batch', plan])
    await assertSchema('batch', json)
    const {totals, items} = json as BatchReport
    assert.deepEqual([totals.alreadyDone, totals.converted, totals.bytesRead], [4, 0, 0])
    assert.ok(items.every(({attempts}) => attempts === 0))
  })

  it('makes again what is gone, and with --verify what is damaged', async () => {
    const made = path.join(folder.path, 'tmp', 'batch')
    const [gone, damaged] = [path.join(made, 'shop-again.tar'), path.join(made, 'Shop-1.2.0.0.tar')]
    rmSync(gone)
    const bytes = readFileSync(damaged)
    const spoilt = Buffer.from(bytes)
    spoilt.fill(0xaa, 20_000, 20_016)
    writeFileSync(damaged, spoilt)
    const first = (await runJson(['batch', plan])).json as BatchReport
    assert.deepEqual([first.totals.converted, first.totals.alreadyDone], [1, 3])
    const second = (await runJson(['batch', plan, '--verify'])).json as BatchReport
    assert.deepEqual([second.totals.converted, second.totals.alreadyDone], [1, 3])
    assert.ok(readFileSync(damaged).equals(bytes))
  })

  it('keeps failures, does the rest, and ends with 1', async () => {
    const file = path.join(folder.path, 'failing.yaml')
    writeFileSync(path.join(folder.path, 'broken.tar'), readFileSync('samples/shop.tar').fill(0xaa, 20_000, 20_016))
    writeFileSync(
      file,
      `items:
  - {id: bad, source: 'docker-archive:broken.tar', destination: 'oci:failing/bad'}
  - {id: next, source: 'docker-archive:samples/shop.tar', destination: 'oci:failing/next', after: bad}
  - {id: good, source: 'docker-archive:samples/shop.tar', destination: 'oci:failing/good'}
`,
    )
    const {code, json} = await runJson(['batch', file])
    await assertSchema('batch', json)
    const {items} = json as BatchReport
    assert.deepEqual(
      items.map(({id, state}) => `${id} ${state}`),
      ['bad failed', 'next blocked', 'good converted'],
    )
    assert.equal(code, 1)
    assert.match(items[0]?.failure?.code ?? '', /_CORRUPT$|DIGEST_MISMATCH/)
    const text = await runCli(['batch', file])
    assert.equal(text.code, 1)
    assert.match(text.stdout.toString(), /Failed: bad\n[^]*1 done before, 1 failed, 1 blocked by a failed item/)
  })

  it('starts nothing more after a failure with --fail-fast', async () => {
    const file = path.join(folder.path, 'fail-fast.yaml')
    const item = (source: string, name: string) => ({
      id: name,
      source: `docker-archive:${source}`,
      destination: `oci:fast/${name}`,
    })
    const items = [item('broken.tar', 'bad'), item('samples/shop.tar', 'good')]
    writeFileSync(file, JSON.stringify({items}))
    const {json} = await runJson(['batch', file, '--fail-fast', '--concurrency', '1'])
    assert.deepEqual(
      (json as BatchReport).items.map(({state}) => state),
      ['failed', 'not-started'],
    )
  })

  it('writes a plan that it can run, from a repository and from a folder of archives', async () => {
    // Packages that others are built on go with those.
    const cwd = path.join(folder.path, 'samples')
    for (const [source, destination, count] of [
      ['inbox:repository', 'docker-archive:../planned/{name}.tar', 1],
      ['repository', 'inbox:../planned/repository', 1],
      ['.', 'oci:../planned/{file}-{name}', 2],
    ] as const) {
      const {code, stdout, stderr} = await runCli(['batch', 'plan', source, destination], {cwd})
      assert.equal(code, 0, stderr)
      const text = stdout.toString()
      await assertSchema('batch-plan', parse(text))
      writeFileSync(path.join(cwd, 'written.yaml'), text)
      const run = await runJson(['batch', 'written.yaml'], {cwd})
      assert.deepEqual([run.code, (run.json as BatchReport).totals.converted], [0, count], run.stdout.toString())
      rmSync(path.join(cwd, 'written.yaml'))
    }
  })

  it('prints with --json what was done until Ctrl-C, as its one document', async () => {
    const file = path.join(folder.path, 'stopped-json.json')
    const items = Array.from({length: 30}, (_, index) => ({
      source: 'inbox:samples/repository:Shop',
      destination: `docker-archive:stopped-json/${String(index)}.tar`,
    }))
    writeFileSync(file, JSON.stringify({items}))
    const {child, out, said, ended} = startCli(['batch', file, '--concurrency', '1', '--json'])
    while (!existsSync(path.join(folder.path, 'stopped-json', '1.tar')) && child.exitCode === null) await delay(2)
    child.kill('SIGINT')
    assert.equal(await ended, 130, said())
    const report = JSON.parse(out()) as BatchReport
    await assertSchema('batch', report)
    const {items: all, converted, notStarted} = report.totals
    assert.ok(all === 30 && converted >= 1 && notStarted >= 1, out().slice(0, 1000))
  })

  it('ends with 130 on Ctrl-C, leaves nothing half-written, and goes on from there', async () => {
    const items = Array.from({length: 30}, (_, index) => ({
      source: 'inbox:samples/repository:Shop',
      destination: `docker-archive:stopped/${String(index)}.tar`,
    }))
    const file = path.join(folder.path, 'stopped.json')
    writeFileSync(file, JSON.stringify({items}))
    const signal = {name: 'SIGINT', after: '[3/30]'} as const
    const {code, stdout, stderr} = await runCli(['batch', file, '--concurrency', '2'], {signal})
    assert.equal(code, 130, stderr)
    assert.match(stdout.toString(), /not started/)
    const written = readdirSync(path.join(folder.path, 'stopped'))
    assert.ok(
      written.length >= 3 && written.length < 30 && written.every((name) => /^\d+\.tar$/.test(name)),
      String(written),
    )
    const {totals} = (await runJson(['batch', file])).json as BatchReport
    assert.deepEqual([totals.alreadyDone + totals.converted, totals.alreadyDone], [30, written.length])
  })

  it('ends with 2 before any work for a plan that cannot work, with line, column and what may have been meant', async () => {
    const file = path.join(folder.path, 'bad.yaml')
    writeFileSync(file, 'items:\n  - source: docker-archive:samples/shop.tar\n    destinaton: oci:never\n')
    const {code, stderr} = await runCli(['batch', 'bad.yaml'], {cwd: folder.path})
    assert.equal(code, 2)
    assert.match(stderr, /Where: bad\.yaml:3:5/)
    assert.match(stderr, /Did you mean 'destination'\?/)
    assert.match(stderr, /Code: {2}PLAN_INVALID/)
    assert.ok(!existsSync(path.join(folder.path, 'never')))
  })
})

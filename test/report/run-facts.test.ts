import assert from 'node:assert/strict'
import {readdirSync, readFileSync} from 'node:fs'
import {hostname} from 'node:os'
import path from 'node:path'
import type {BatchReport} from '../../src/batch/batch-report.js'
import {EXPLAINED_FINDINGS, nextStep} from '../../src/report/next-steps.js'
import {renderHtml} from '../../src/report/render-html.js'
import {runFacts} from '../../src/terminal/run-facts.js'
import {runCli} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('a report says of its run', () => {
  const folder = temporaryFolder()
  const report = (name: string) => path.join(folder.path, name)
  const convertTo = (name: string, ...more: readonly string[]) => {
    const args = ['convert', 'docker-archive:samples/shop.tar', `inbox:${report(`${name}.repository`)}`]
    return runCli([...args, '--report', report(name), ...more])
  }

  it('the version, the host, the command line and a title', async () => {
    await convertTo('titled.json', '--report-title', 'Shop <moves>', '--layers', 'chain')
    const document = JSON.parse(readFileSync(report('titled.json'), 'utf8')) as BatchReport
    await assertSchema('batch', document)
    const {version} = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8')) as {version: string}
    assert.equal(document.run?.version, version)
    assert.equal(document.run.host, hostname())
    assert.deepEqual(document.run.command.slice(0, 2), ['transship', 'convert'])
    assert.deepEqual(document.run.command.slice(-2), ['--layers', 'chain'])
    const page = renderHtml(document)
    for (const text of ['<h1><bdi>Shop &lt;moves&gt;</bdi></h1>', `transship ${version} on`, '--layers chain'])
      assert.ok(page.includes(text), text)
  })

  for (const [argv, secret] of [
    [['--queue', 'redis://user:hidden@queue:6379'], 'hidden'],
    [['--queue=redis://:hidden@queue:6379'], 'hidden'],
    [['docker://user:hidden@hub.example/shop:1'], 'hidden'],
  ] as const)
    it(`nothing secret of ${argv.join(' ')}`, () => {
      const {command} = runFacts('1.0.0', ['batch'], {argv})
      assert.ok(!command.join(' ').includes(secret), command.join(' '))
      assert.ok(command.join(' ').includes('***'))
    })

  it('what is not exact in amber, with the reason and the next step', async () => {
    await convertTo('squashed.html')
    const page = readFileSync(report('squashed.html'), 'utf8')
    assert.match(page, /class="verdict mixed"/)
    assert.match(page, /<span class="tag not-exact">Not exact<\/span> <h3>/)
    assert.match(page, /2 layers were squashed into one and cannot be separated again\./)
    assert.equal(page.split(nextStep('Not exact', 'squashed')).length, 3, 'once in the summary, once in the item')
  })

  it('a next step for every finding, and only for those that exist', () => {
    const files = readdirSync(path.join(PROJECT, 'src'), {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.ts') && !name.endsWith('next-steps.ts'))
      .map((name) => readFileSync(path.join(PROJECT, 'src', name), 'utf8'))
      .join('\n')
    for (const code of EXPLAINED_FINDINGS) assert.ok(files.includes(`'${code}'`), code)
    for (const kind of ['Loss', 'Not exact', 'Note'] as const) assert.ok(nextStep(kind, 'constructor').length > 10)
  })
})

import assert from 'node:assert/strict'
import {cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parse} from 'yaml'
import {verify} from '../../src/index.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

interface Job {
  readonly spec: {
    readonly completions: number
    readonly completionMode: string
    readonly template: {
      readonly spec: {
        readonly containers: readonly [{readonly command: readonly string[]; readonly args: readonly string[]}]
      }
    }
  }
}

describe('the manifest of a Kubernetes Job', () => {
  const folder = temporaryFolder()

  it('converts every item once, with the command line that its pods run', async function () {
    this.timeout(120_000)
    const {spec} = parse(readFileSync('samples/kubernetes/job.yaml', 'utf8')) as Job
    assert.equal(spec.completionMode, 'Indexed')
    const estate = path.join(folder.path, 'estate')
    mkdirSync(estate)
    cpSync('samples/shop.tar', path.join(estate, 'shop.tar'))
    const items = Array.from({length: 6}, (_, index) => ({
      source: 'docker-archive:shop.tar',
      destination: `inbox:out-${index}`,
      options: {layers: 'chain'},
    }))
    writeFileSync(path.join(estate, 'plan.yaml'), JSON.stringify({version: 1, items}))
    const [{command, args}] = spec.template.spec.containers
    assert.deepEqual(command, ['transship'])
    let converted = 0
    for (let index = 0; index < spec.completions; index++) {
      const given = args.map((arg) => arg.replace('/estate', estate).replace('$(INDEX)', String(index)))
      const result = await runCli([...given, '--json'])
      assert.equal(result.code, 0, result.stderr)
      converted += (JSON.parse(result.stdout.toString()) as {totals: {converted: number}}).totals.converted
    }
    assert.equal(converted, items.length)
    for (const [index] of items.entries())
      assert.deepEqual((await verify(`inbox:${path.join(estate, `out-${index}`)}`)).faults, [])
    const journals = readdirSync(estate).filter((name) => name.endsWith('.journal'))
    assert.equal(journals.length, spec.completions)
  })
})

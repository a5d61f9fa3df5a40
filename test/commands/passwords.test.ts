import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'

const PASSWORD = 'hunter2-hunter2'
/** Ways to write it where no reference has room for it. */
const SLIPS = ['docker://me:', 'docker:me:', 'docker-daemon:me:', 'me:', 'https://me:', 'oci://me:'].map(
  (start) => `${start}${PASSWORD}@127.0.0.1:1/team/app:1`,
)

describe('a password in a reference', () => {
  const folder = temporaryFolder()
  const it = testsAtOnce()
  const archive = 'docker-archive:samples/shop.tar'

  async function refused(args: readonly string[]): Promise<string> {
    const {code, stdout, stderr} = await runCli(args)
    assert.ok(code !== 0 && code !== 70, `${args.join(' ')}: ${String(code)} ${stderr}`)
    const told = `${stdout.toString('utf8')}${stderr}`
    assert.ok(told.length > 0)
    assert.ok(!told.includes(PASSWORD), told)
    return told
  }

  for (const slip of SLIPS)
    it(`is not told by who refuses ${slip.replace(PASSWORD, 'PASSWORD')}`, async () => {
      const told = await refused(['list', slip])
      if (!slip.startsWith('oci:')) assert.match(told, /me:\*\*\*@127\.0\.0\.1/)
      await refused(['inspect', slip, '--json', '--verbose'])
      if (!slip.startsWith('oci:')) await refused(['convert', archive, slip, '--verbose'])
    }).timeout(60_000)

  for (const [index, slip] of SLIPS.entries())
    it(`is in no report, and no fault of a plan, with ${slip.replace(PASSWORD, 'PASSWORD')}`, async () => {
      const report = path.join(folder.path, `report-${index}.json`)
      await refused(['convert', slip, `oci:${folder.path}/out`, '--report', report])
      assert.ok(!readFileSync(report, 'utf8').includes(PASSWORD), slip)
      const plan = path.join(folder.path, `plan-${index}.json`)
      const items = [{source: slip, destination: 'oci:out'}]
      writeFileSync(plan, JSON.stringify({version: 1, items}))
      await refused(['batch', plan, '--report', report, '--json'])
      assert.ok(!readFileSync(report, 'utf8').includes(PASSWORD), slip)
      if (slip.startsWith('oci:')) return
      writeFileSync(plan, JSON.stringify({version: 1, items: [{source: archive, destination: slip}]}))
      await refused(['batch', plan])
      await refused(['batch', 'plan', archive, slip])
    }).timeout(60_000)

  it('is not told of an argument too many, nor of a base or a tag', async () => {
    await refused(['inspect', archive, 'a', SLIPS[0] ?? ''])
    await refused(['convert', archive, `oci:${folder.path}/out`, '--base', SLIPS[0] ?? ''])
    await refused(['convert', archive, `oci:${folder.path}/out`, '--tag', SLIPS[3] ?? ''])
    await refused(['convert', archive, 'docker://127.0.0.1:1/a:1', '--tag', SLIPS[3] ?? ''])
  }).timeout(60_000)

  it('leads to the hint to log in', async () => {
    assert.match(await refused(['list', SLIPS[0] ?? '']), /docker login/)
  })
})

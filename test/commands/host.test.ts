import assert from 'node:assert/strict'
import {join} from 'node:path'
import {tmpdir} from 'node:os'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'

/** Nobody listens there. */
const NOWHERE = {
  DOCKER_HOST: 'tcp://127.0.0.1:1',
  CONTAINER_HOST: 'tcp://127.0.0.1:1',
  CONTAINERD_ADDRESS: join(tmpdir(), 'transship-no-such.sock'),
  DOCKER_CONFIG: join(tmpdir(), 'transship-no-such'),
}

interface Failed {
  readonly error: {readonly code: string; readonly suggestions: readonly string[]}
}

describe('commands for the host', () => {
  it('say that no manager answers, rather than that nothing runs', async () => {
    const {code, json} = await runJson(['containers', 'list'], {env: NOWHERE})
    assert.equal(code, 4)
    await assertSchema('error', json)
    assert.equal((json as Failed).error.code, 'ENGINE_UNAVAILABLE')
  })

  it('tell for each container why it could not be ended', async () => {
    const {code, json} = await runJson(['containers', 'stop', 'one', 'two'], {env: NOWHERE})
    assert.equal(code, 3)
    await assertSchema('containers-end', json)
    const {stdout} = await runCli(['containers', 'kill', 'one'], {env: NOWHERE})
    assert.match(stdout.toString(), /^one: NOT_FOUND\n {2}No container 'one' exists[^]* did not answer: docker/)
  })

  for (const {args, note} of [
    {args: ['containers', 'stop'], note: 'no container is named'},
    {args: ['containers', 'stop', 'a', '--timeout', '-1'], note: 'time runs backwards'},
    {args: ['containers', 'list', '--watch', '--json'], note: 'one document cannot be shown anew'},
  ])
    it(`refuse with exit 2 when ${note}`, async () => {
      assert.equal((await runCli(args, {env: NOWHERE})).code, 2)
    })

  for (const {address, exit, told} of [
    {address: 'ssh://me@there', exit: 4, told: /ssh -L [^]*ENGINE_UNSUPPORTED/},
    {address: 'there:2375', exit: 2, told: /tcp:\/\/HOST[^]*BAD_OPTION/},
  ])
    it(`refuse the address ${address} with exit ${exit}`, async () => {
      const {code, stderr} = await runCli(['containers', 'list'], {env: {...NOWHERE, DOCKER_HOST: address}})
      assert.equal(code, exit)
      assert.match(stderr, told)
    })

  it('diagnose a machine without engines', async () => {
    const {code, json} = await runJson(['doctor'], {env: NOWHERE})
    assert.equal(code, 0)
    await assertSchema('doctor', json)
    const {stdout} = await runCli(['doctor'], {env: NOWHERE})
    assert.match(stdout.toString(), /^Node [\d.]+ on \w+ \w+\n\nCHECK +STATE +FOUND +WHAT TO DO\nprocessors +ok /)
  })

  if (process.platform === 'win32') return
  for (const args of [
    ['layout', 'export', 'C:\\layers\\1', 'out'],
    ['layout', 'import', 'in', 'C:\\layers\\1'],
  ]) {
    it(`refuse ${args.slice(0, 2).join(' ')} off Windows, with the command to run there`, async () => {
      const {code, stderr} = await runCli(args)
      assert.equal(code, 4)
      assert.match(stderr, /only on Windows[^]*elevated[^]*transship layout (?:ex|im)port "[^]*WINDOWS_ONLY/)
      const {code: again, json} = await runJson(args)
      assert.equal(again, 4)
      await assertSchema('error', json)
      assert.equal((json as Failed).error.code, 'WINDOWS_ONLY')
    })
  }
})

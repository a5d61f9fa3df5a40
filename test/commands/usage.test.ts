import assert from 'node:assert/strict'
import {TRANSPORTS} from '../../src/transports/catalog.js'
import {assertSchema} from '../helpers/schemas.js'
import {runCli, runJson} from '../helpers/run-cli.js'

const COMMANDS = ['convert', 'files', 'hive', 'inspect', 'list', 'migrate', 'verify']

interface Failed {
  readonly error: {readonly code: string; readonly suggestions: readonly string[]}
}

describe('command line', () => {
  it('lists the commands with --help, on stdout', async () => {
    const {code, stdout, stderr} = await runCli(['--help'])
    assert.deepEqual([code, stderr], [0, ''])
    for (const name of COMMANDS) assert.match(stdout.toString(), new RegExp(`^ +${name} `, 'm'))
  })

  it('says of each topic what all of its commands are for', async () => {
    const {stdout} = await runCli(['--help'])
    const [, topics = ''] = /TOPICS\n([^]*?)\n\n/.exec(stdout.toString()) ?? []
    const told = topics.replaceAll(/\s+/g, ' ')
    assert.match(told, /batch Convert many.* containers List, stop and kill .* layout Convert runtime layers/)
  })

  for (const name of COMMANDS) {
    it(`shows the examples of ${name} with -h`, async () => {
      const {code, stdout} = await runCli([name, '-h'])
      assert.equal(code, 0)
      assert.match(stdout.toString(), new RegExp(`EXAMPLES[^]*\\$ transship ${name} `))
    })
  }

  for (const {args, code, note} of [
    {args: ['nosuch'], code: undefined, note: 'there is no such command'},
    {args: ['inspect'], code: 'BAD_OPTION', note: 'an argument is missing'},
    {args: ['inspect', 'a', 'b'], code: 'BAD_OPTION', note: 'there is an argument too many'},
    {args: ['inspect', 'a', '--nosuch'], code: 'BAD_OPTION', note: 'there is no such flag'},
    {args: ['list', 'a', '--quiet', '--verbose'], code: 'BAD_OPTION', note: 'flags contradict each other'},
    {
      args: ['convert', 'a', 'b', '--compression', 'lzma'],
      code: 'BAD_OPTION',
      note: 'a value is none of those allowed',
    },
    {args: ['convert', 'a', 'b', '--concurrency', '0'], code: 'BAD_OPTION', note: 'a number is too small'},
    {args: ['files', 'a', '--cat'], code: 'BAD_OPTION', note: '--cat has no path'},
    {args: ['files', 'a', 'b', '--cat', '--json'], code: 'BAD_OPTION', note: 'bytes are no JSON document'},
    {args: ['verify', 'nosuch:place'], code: 'BAD_REFERENCE', note: 'the transport is unknown'},
    {
      args: ['inspect', 'a', '--base', 'nosuch:place'],
      code: 'BAD_REFERENCE',
      note: 'the transport of a base is unknown',
    },
  ]) {
    it(`exits with 2 and says so on stderr only when ${note}`, async () => {
      const result = await runCli(args)
      assert.equal(result.code, 2)
      if (args.includes('--json')) return
      assert.equal(result.stdout.toString(), '')
      assert.match(result.stderr, code === undefined ? /nosuch/ : new RegExp(`^Error: [^]*\\n {2}Code: {2}${code}\\n`))
    })
    if (code === undefined) continue
    it(`prints that as one JSON document with --json when ${note}`, async () => {
      const result = await runJson(args)
      assert.equal(result.code, 2)
      assert.equal(result.stderr, '')
      await assertSchema('error', result.json)
      assert.equal((result.json as Failed).error.code, code)
    })
  }

  it('lists the transports where none was recognised', async () => {
    const {json} = await runJson(['list', 'nosuch:place'])
    const {suggestions} = (json as Failed).error
    assert.equal(suggestions.length, TRANSPORTS.length)
    for (const {name} of TRANSPORTS)
      assert.ok(
        suggestions.some((text) => text.startsWith(`${name}:`)),
        name,
      )
  })

  it('shows causes and traces with --verbose only', async () => {
    assert.doesNotMatch((await runCli(['list', 'nosuch:place'])).stderr, /Trace:/)
    assert.match((await runCli(['list', 'nosuch:place', '--verbose'])).stderr, /Trace: UsageError/)
  })

  it('takes a bad SOURCE_DATE_EPOCH for wrong usage', async () => {
    const {code, stderr} = await runCli(['convert', 'a', 'b'], {env: {SOURCE_DATE_EPOCH: 'yesterday'}})
    assert.equal(code, 2)
    assert.match(stderr, /source-date-epoch/)
  })
})

import assert from 'node:assert/strict'
import {mkdir, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {Config} from '@oclif/core'
import {findConfigPlace} from '../../src/terminal/config-file.js'
import {findDefaults, isDefaultable, variableOf, type DefaultableFlags} from '../../src/terminal/flag-defaults.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const FLAGS: DefaultableFlags = {
  layers: {type: 'option', options: ['chain', 'squash']},
  columns: {type: 'option', multiple: true, exclusive: ['json']},
  json: {type: 'boolean'},
  quiet: {type: 'boolean', char: 'q'},
  verbose: {type: 'boolean', char: 'v', exclusive: ['quiet']},
  space: {type: 'boolean', allowNo: true},
  queue: {type: 'option', env: 'QUEUE'},
  root: {type: 'option', dependsOn: ['queue']},
}
const argvOf = (argv: readonly string[], env: Record<string, string>, values?: Record<string, unknown>) =>
  findDefaults(FLAGS, argv, {env, config: values && {path: 'c.yaml', values}}).flatMap((each) => each.argv)

describe('defaults of flags', () => {
  for (const {argv = [], env = {}, file, expected, note} of [
    {env: {TRANSSHIP_LAYERS: 'chain'}, expected: ['--layers=chain'], note: 'a variable'},
    {file: {layers: 'chain'}, expected: ['--layers=chain'], note: 'a key'},
    {
      env: {TRANSSHIP_LAYERS: 'chain'},
      file: {layers: 'squash'},
      expected: ['--layers=chain'],
      note: 'a variable beats the file',
    },
    {
      argv: ['--layers', 'x'],
      env: {TRANSSHIP_LAYERS: 'chain'},
      file: {layers: 'squash'},
      expected: [],
      note: 'a flag beats both',
    },
    {
      argv: ['--', '--layers'],
      env: {TRANSSHIP_LAYERS: 'chain'},
      expected: ['--layers=chain'],
      note: 'behind -- is no flag',
    },
    {
      env: {TRANSSHIP_QUIET: 'Yes', TRANSSHIP_SPACE: '0'},
      expected: ['--quiet', '--no-space'],
      note: 'words for booleans',
    },
    {env: {TRANSSHIP_QUIET: 'no'}, file: {quiet: true}, expected: [], note: 'no in a variable takes the file back'},
    {argv: ['-q'], file: {quiet: true, verbose: true}, expected: [], note: 'what a given letter excludes'},
    {argv: ['--json'], file: {columns: ['a', 'b']}, expected: [], note: 'what a given flag is excluded by'},
    {file: {columns: ['a', 'b']}, expected: ['--columns=a', '--columns=b'], note: 'a list'},
    {env: {TRANSSHIP_COLUMNS: 'a\nb\n'}, expected: ['--columns=a', '--columns=b'], note: 'a list in a variable'},
    {file: {root: 'r'}, expected: [], note: 'what belongs to a flag that is not there'},
    {file: {root: 'r', queue: 'q'}, expected: ['--queue=q', '--root=r'], note: 'what belongs to a flag that is'},
    {env: {QUEUE: 'x'}, file: {queue: 'q'}, expected: [], note: "another tool's variable beats the file"},
    {
      env: {TRANSSHIP_LAYERS: ''},
      file: {layers: 'chain'},
      expected: ['--layers=chain'],
      note: 'an empty variable is none',
    },
    {file: {other: 1}, expected: [], note: 'a flag of another command'},
  ] as {
    argv?: string[]
    env?: Record<string, string>
    file?: Record<string, unknown>
    expected: string[]
    note: string
  }[])
    it(`takes ${note}`, () => {
      assert.deepEqual(argvOf(argv, env, file), expected)
    })

  for (const {env = {}, file, says} of [
    {env: {TRANSSHIP_LAYERS: 'chian'}, says: /^TRANSSHIP_LAYERS: 'chian' is not one of chain, squash\.$/},
    {env: {TRANSSHIP_QUIET: 'maybe'}, says: /^TRANSSHIP_QUIET: 'maybe' is neither true nor false\.$/},
    {file: {layers: 5}, says: /^c\.yaml, key layers: '5' is not one of/},
    {file: {quiet: 'true'}, says: /^c\.yaml, key quiet: 'true' is neither/},
    {file: {queue: ['a', 'b']}, says: /^c\.yaml, key queue: one value is expected/},
    {file: {columns: [{a: 1}]}, says: /^c\.yaml, key columns: \{"a":1\} is not a value/},
    {file: {queue: null}, says: /^c\.yaml, key queue: null is not a value/},
  ] as {env?: Record<string, string>; file?: Record<string, unknown>; says: RegExp}[])
    it(`names what is wrong: ${String(says)}`, () => {
      assert.throws(
        () => argvOf([], env, file),
        (error: {code: string; what: string}) => error.code === 'BAD_OPTION' && says.test(error.what),
      )
    })

  it('has a variable for every flag of every command', async () => {
    const config = await Config.load(PROJECT)
    for (const command of config.commands.filter(({pluginName}) => pluginName === 'transship')) {
      const flags = command.flags as DefaultableFlags
      for (const [name, flag] of Object.entries(flags)) {
        if (!isDefaultable(name) || (flag.dependsOn?.length ?? 0) > 0) continue
        const value = flag.type === 'boolean' ? '1' : (flag.options?.[0] ?? 'x')
        const found = findDefaults(flags, [], {env: {[variableOf(name)]: value}, config: undefined})
        assert.deepEqual(
          found.map(({flag: own}) => own),
          [name],
          `${command.id} --${name}`,
        )
      }
    }
  })

  for (const {env, platform, expected} of [
    {env: {}, platform: 'linux', expected: '/home/u/.config/transship/config.yaml'},
    {env: {XDG_CONFIG_HOME: '/x'}, platform: 'darwin', expected: '/x/transship/config.yaml'},
    {env: {XDG_CONFIG_HOME: 'x'}, platform: 'linux', expected: '/home/u/.config/transship/config.yaml'},
    {env: {APPDATA: 'C:\\A'}, platform: 'win32', expected: 'C:\\A\\transship\\config.yaml'},
    {env: {TRANSSHIP_CONFIG: 'a.yaml'}, platform: 'win32', expected: 'a.yaml'},
    {env: {TRANSSHIP_CONFIG: ''}, platform: 'linux', expected: undefined},
  ] as {env: Record<string, string>; platform: NodeJS.Platform; expected: string | undefined}[])
    it(`looks for the file at ${String(expected)}`, () => {
      assert.equal(findConfigPlace(env, {platform, home: '/home/u'})?.path, expected)
    })

  describe('of a configuration file', () => {
    const folder = temporaryFolder()
    const withFile = async (text: string) => {
      const home = path.join(folder.path, String(Math.abs(text.length * 31 + (text.codePointAt(0) ?? 0))))
      const file = path.join(home, 'transship', 'config.yaml')
      await mkdir(path.dirname(file), {recursive: true})
      await writeFile(file, text)
      const {TRANSSHIP_CONFIG: _, ...rest} = process.env
      return {file, env: {...(rest as Record<string, string>), XDG_CONFIG_HOME: home}}
    }
    // The helper passes on what the tests turned off.
    const run = async (args: readonly string[], text: string, more: Record<string, string> = {}) => {
      const {file, env} = await withFile(text)
      return {file, ...(await runCli(args, {env: {...env, TRANSSHIP_CONFIG: file, ...more}}))}
    }

    it('are used, shown, and turned off', async () => {
      const text = 'columns: [size]\nquiet: true\n'
      const list = ['list', 'samples/shop.tar']
      const by = await run(list, text)
      assert.deepEqual([by.code, by.stderr], [0, ''])
      assert.match(by.stdout.toString(), /^ *SIZE\n[^\n]+\n$/)
      assert.match((await run(list, text, {TRANSSHIP_COLUMNS: 'name'})).stdout.toString(), /^NAME\n/)
      assert.match((await run([...list, '--columns', 'kind'], text)).stdout.toString(), /^KIND\n/)
      assert.match((await run([...list, '--no-config'], text)).stdout.toString(), /^KIND +NAME/)
      assert.match((await run(list, text, {TRANSSHIP_CONFIG: ''})).stdout.toString(), /^KIND +NAME/)
      const {file, stdout} = await run(['config'], text, {TRANSSHIP_PLATFORM: 'windows/amd64', TRANSSHIP_TSL: 'x'})
      assert.ok(stdout.toString().startsWith(`File: ${file}\n`))
      assert.match(stdout.toString(), /--columns +\["size"\] +file\n--platform +windows\/amd64 +TRANSSHIP_PLATFORM\n/)
      assert.match(stdout.toString(), /Warning: TRANSSHIP_TSL names no flag\./)
    })

    it('are shown as JSON', async () => {
      const {file} = await withFile('layers: chain\n')
      const {json, code} = await runJson(['config'], {env: {TRANSSHIP_CONFIG: file}})
      assert.equal(code, 0)
      await assertSchema('config', json)
      assert.deepEqual((json as {values: unknown}).values, [
        {flag: 'layers', value: 'chain', from: 'file', variable: 'TRANSSHIP_LAYERS'},
      ])
    })

    for (const {text, says} of [
      {text: 'tls-verfy: true\n', says: /'tls-verfy' is not a flag[^]*Did you mean 'tls-verify'\?/},
      {text: 'quiet: [\n', says: /is wrong\. .*line \d/},
      {text: '- a\n', says: /must have lines like/},
      {text: 'quiet: 1\n', says: /key quiet: 1 is neither true nor false/},
      {text: 'least-rate: fast\n', says: /key least-rate: .*fast/},
      {text: 'max-request-time: 0\n', says: /key max-request-time: /},
      {text: 'quiet: true\nquiet: false\n', says: /unique/},
      {text: 'config: true\n', says: /'config' is not a flag/},
    ])
      it(`are refused with the file and the key: ${JSON.stringify(text)}`, async () => {
        const {code, stderr, stdout, file} = await run(['list', 'samples/shop.tar'], text)
        assert.deepEqual([code, stdout.toString()], [2, ''])
        assert.ok(stderr.includes(file), stderr)
        assert.match(stderr, says)
      })

    it('must exist where they are named', async () => {
      const {code, stderr} = await runCli(['list', 'samples/shop.tar'], {env: {TRANSSHIP_CONFIG: 'no/such.yaml'}})
      assert.equal(code, 3)
      assert.match(stderr, /configuration file 'no\/such\.yaml' does not exist/)
    })
  })
})

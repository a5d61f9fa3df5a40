import assert from 'node:assert/strict'
import {Config} from '@oclif/core'
import {isPossible, suggestMeant} from '../../src/terminal/mistypes.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {PROJECT} from '../helpers/snapshot.js'

interface Failed {
  readonly error: {
    readonly code: string
    readonly exitCode: number
    readonly what: string
    readonly suggestions: readonly string[]
  }
}

const MEANT = [
  {args: ['convrt', 'a', 'b'], meant: 'transship convert', note: 'a letter is missing'},
  {args: ['INSPECT', 'a'], meant: 'transship inspect', note: 'the case is another'},
  {args: ['containers', 'lst'], meant: 'transship containers list', note: 'the second word is wrong'},
  {args: ['contaners', 'list'], meant: 'transship containers', note: 'the first of two words is wrong'},
  {args: ['ls', 'x'], meant: 'transship list', note: 'other tools call it so'},
  {args: ['ps'], meant: 'transship containers list', note: 'docker calls it so'},
  {args: ['batch-plan'], meant: 'transship batch plan', note: 'a hyphen joins two words'},
  {args: ['convrt', '--help'], meant: 'transship convert', note: 'help is asked for what there is not'},
  {args: ['convert', 'a', 'b', '--replce'], meant: '--replace', note: 'a flag'},
  {args: ['verify', 'a', '--no-colour'], meant: '--no-color', note: 'a global flag'},
  {args: ['batch', 'p', '--no-chek-space'], meant: '--no-check-space', note: 'a flag that is taken back'},
  {args: ['convert', 'a', 'b', '--layers', 'chian'], meant: '--layers chain', note: 'a value'},
  {args: ['convert', 'a', 'b', '--layers=Squash'], meant: '--layers squash', note: 'a value in another case'},
  {args: ['list', 'docker-archve:x.tar'], meant: 'docker-archive:x.tar', note: 'a transport'},
  {args: ['list', 'Inbox:C:\\repo'], meant: 'inbox:C:\\repo', note: 'a transport in another case'},
  {args: ['list', 'samples/shp.tar'], meant: 'samples/shop.tar', note: 'a file', code: 'NOT_FOUND'},
] as readonly {args: string[]; meant: string; note: string; code?: string}[]

describe('mistypes', () => {
  for (const {args, meant, note, code} of MEANT)
    it(`says what was meant by ${args.join(' ')}: ${note}`, async () => {
      const {json, stderr, code: exit} = await runJson(args)
      await assertSchema('error', json)
      const {error} = json as Failed
      assert.equal(error.suggestions[0], `Did you mean '${meant}'?`)
      assert.equal(stderr, '')
      assert.equal(exit, error.exitCode)
      if (code !== undefined) assert.equal(error.code, code)
      const told = await runCli(args)
      assert.deepEqual([told.code, told.stdout.toString()], [exit, ''])
      assert.match(told.stderr, /^Error: [^]*\n {2}Try: {3}Did you mean '/)
    })

  for (const args of [['zzzzzz'], ['containers', 'zzzzzz'], ['--josn'], ['zzzzzz', '--help']])
    it(`suggests nothing far-fetched for ${args.join(' ')}, but where to look`, async () => {
      const {error} = (await runJson(args)).json as Failed
      assert.equal(error.exitCode, 2)
      assert.equal(error.suggestions.length, 1)
      assert.match(error.suggestions[0] ?? '', /^List the commands: transship .*--help$/)
    })

  for (const {args, says} of [
    {args: ['verify', 'nosuch.tar'], says: "'nosuch.tar' does not exist."},
    {args: ['convert', 'no/such.tar', 'oci:x'], says: "'no/such.tar' does not exist."},
    {args: ['inspect', 'C:\\no\\such.tar'], says: "'C:\\no\\such.tar' does not exist."},
  ])
    it(`calls what is missing by its name: ${args.join(' ')}`, async () => {
      const {error} = (await runJson(args)).json as Failed
      assert.deepEqual([error.code, error.exitCode, error.what], ['NOT_FOUND', 3, says])
      assert.ok(error.suggestions.length <= 2)
    })

  it('knows an image of a server by its name', async () => {
    const {error} = (await runJson(['inspect', 'mcr.example.com/windows/nanoserver:1809'])).json as Failed
    assert.match(error.suggestions[0] ?? '', /docker:\/\/mcr\.example\.com\/windows\/nanoserver:1809$/)
  })

  it('answers help and version, also as words', async () => {
    const {version} = (await Config.load(PROJECT)).pjson
    const help = await runCli(['help', 'convert'])
    assert.deepEqual([help.code, help.stdout.toString()], [0, (await runCli(['convert', '--help'])).stdout.toString()])
    const told = await runCli(['version'])
    assert.equal(told.code, 0)
    assert.ok(told.stdout.toString().startsWith(`transship/${version} `))
  })

  it('never suggests a flag that the command lacks', () => {
    const flags = {layers: {type: 'option'}, 'check-space': {type: 'boolean', allowNo: true}}
    for (const [text, possible] of [
      ['Pass --layers chain.', true],
      ['Pass --base REFERENCE.', false],
      ['Pass --layers squash, or --base REFERENCE.', false],
      ['Leave room, or pass --no-check-space.', true],
      ['List the containers: transship containers list --all', true],
      ['Save the image again.', true],
    ] as const)
      assert.equal(isPossible(text, flags), possible, text)
    assert.deepEqual(suggestMeant(new Error('Expected --layers=x to be one of: chain'), flags), [])
  })
})

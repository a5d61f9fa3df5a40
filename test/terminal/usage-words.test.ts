import assert from 'node:assert/strict'
import {sayUsage} from '../../src/terminal/usage-words.js'
import {runCli} from '../helpers/run-cli.js'

/** What is wrong with a command line, through the command itself, so that other words of oclif's are found. */
const WRONG: readonly {readonly args: readonly string[]; readonly what: string; readonly why?: RegExp}[] = [
  {args: ['list', 'x', '--colums', 'a'], what: "'--colums' is not an option."},
  {args: ['list', 'x', '--foo', '--bar'], what: "'--foo' and '--bar' are not options."},
  {args: ['convert', 'a'], what: 'DESTINATION is missing.', why: /^Where to write it/},
  {args: ['convert'], what: 'SOURCE and DESTINATION are missing.', why: /^What to convert/},
  {args: ['list', 'a', 'b'], what: "The argument 'b' is one too many."},
  {args: ['list', 'a', 'b', 'c'], what: "The arguments 'b' and 'c' are too many."},
  {args: ['convert', 'a', 'b', '--pins', 'x'], what: "--pins: 'x' is not keep, reproduce or none."},
  {args: ['convert', 'a', 'b', '--pins', "it's"], what: "--pins: 'it's' is not keep, reproduce or none."},
  {args: ['convert', 'a', 'b', '--layers', 'x'], what: "--layers: 'x' is not squash, chain or squash:FROM..TO."},
  {args: ['convert', 'a', 'b', '--os-layers', "'"], what: "--os-layers: ''' is not auto or a number of layers."},
  {args: ['convert', 'a', 'b', '--max-unpacked', '3x'], what: "--max-unpacked: '3x' is not a size, such as 64GiB."},
  {args: ['convert', 'a', 'b', '--max-ratio', 'x'], what: "--max-ratio: 'x' is not a whole number."},
  {args: ['convert', 'a', 'b', '--max-ratio', '0'], what: "--max-ratio: '0' is not a whole number of 1 or more."},
  {args: ['list', 'a', '--columns'], what: '--columns needs a value.'},
  {args: ['convert', 'a', 'b', '--pins'], what: '--pins needs a value: keep, reproduce or none.'},
  {
    args: ['convert', 'a', 'b', '--with-base', '--without-base'],
    what: '--with-base and --without-base exclude each other.',
  },
]

describe('what is wrong with a command line', () => {
  for (const {args, what, why} of WRONG)
    it(`is told in plain words: ${args.join(' ')}`, async () => {
      const {stdout, code} = await runCli([...args, '--json'])
      const {error} = JSON.parse(stdout.toString()) as {readonly error: {readonly what: string; readonly why?: string}}
      assert.deepEqual([error.what, code], [what, 2])
      assert.match(error.why ?? '', why ?? /^$/)
    })

  it('is told without the value of a flag that excludes another', () => {
    const said = sayUsage(
      'The following error occurred:\n --token=secret cannot also be provided when using --anonymous',
    )
    assert.deepEqual(said, {what: '--anonymous and --token exclude each other.'})
  })

  for (const [message, what] of [
    [
      'The following errors occurred:\n --b=true cannot also be provided when using --a\n--a=1 cannot also be provided when ' +
        'using --b\nMissing required flag queue',
      '--a and --b exclude each other. --queue is missing.',
    ],
    ['The following error occurred:\n  Missing required flag queue', '--queue is missing.'],
    [
      'The following error occurred:\n  All of the following must be provided when using --user: --password, --host',
      '--user needs --password and --host as well.',
    ],
    [
      'The following error occurred:\n  One of the following must be provided when using --user: --password, --token',
      '--user needs --password or --token as well.',
    ],
    [
      'The following error occurred:\n  Exactly one of the following must be provided: --plan, --from, --all',
      'Pass --plan, --from or --all.',
    ],
    ['Flag --layers can only be specified once', '--layers can be passed only once.'],
    ['Parsing --at \n\tnone of ours', '--at: none of ours'],
    ['Something\n  that oclif says one day', 'Something that oclif says one day'],
  ] as const)
    it(`is told of what oclif can say of it: ${what}`, () => {
      assert.deepEqual(sayUsage(message), {what})
    })
})

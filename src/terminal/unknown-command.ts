import type {Hook, Interfaces} from '@oclif/core'
import {findNearest} from '../model/did-you-mean.js'
import {UsageError} from '../model/errors.js'
import {printable} from '../model/printable.js'
import {documentFailure, formatFailure} from './failure.js'

type Config = Pick<Interfaces.Config, 'bin' | 'commands' | 'topics'>

/** What neighbouring tools call it. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  autocomplete: 'completion',
  check: 'verify',
  copy: 'convert',
  cp: 'convert',
  images: 'list',
  kill: 'containers kill',
  load: 'convert',
  ls: 'list',
  packages: 'list',
  plan: 'batch plan',
  ps: 'containers list',
  pull: 'convert',
  push: 'convert',
  reg: 'hive',
  registry: 'hive',
  save: 'convert',
  show: 'inspect',
  stop: 'containers stop',
  tags: 'list',
  worker: 'batch worker',
}

/** The error for words that begin with no command, with the one that was most likely meant. */
export function unknownCommand(words: readonly string[], config: Config): UsageError {
  const [first = '', second] = words
  const ids = config.commands.filter(({hidden}) => !hidden).map(({id}) => id.replaceAll(':', ' '))
  const topic = config.topics.find(({name}) => name === first)
  const isTopic = topic !== undefined && second !== undefined && !second.startsWith('-')
  const typed = isTopic ? `${first} ${second}` : first
  const within = isTopic ? ids.filter((id) => id.startsWith(`${first} `)) : ids
  // Two words that were mistyped are near to a command of two; one is near to a command or a topic.
  const nearest =
    OTHER_WORDS[typed.toLowerCase()] ??
    findNearest(typed, [...within, ...(isTopic ? [] : config.topics.map(({name}) => name))]) ??
    (second === undefined || isTopic ? undefined : findNearest(`${first} ${second}`, within))
  const help = isTopic ? `${config.bin} ${first} --help` : `${config.bin} --help`
  return new UsageError('BAD_OPTION', {
    what: first.startsWith('-')
      ? `'${printable(first)}' is not a command. Write the command first.`
      : `'${printable(typed)}' is not a command.`,
    suggestions: [
      ...(nearest === undefined ? [] : [`Did you mean '${config.bin} ${nearest}'?`]),
      `List the commands: ${help}`,
    ],
  })
}

/** Tells it as a command tells its errors, with `--json` as a document; exit 2. */
export function tellUnknownCommand(words: readonly string[], config: Config, argv = process.argv): void {
  const failure = unknownCommand(words, config)
  process.exitCode = failure.exitCode
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(documentFailure(failure), undefined, 2)}\n`)
  else process.stderr.write(formatFailure(failure, {verbose: false, red: (text) => text}))
}

/** oclif's hook: it joins all words to an id, `convrt:a.tar:oci:b`. */
export const commandNotFound: Hook.CommandNotFound = function ({id, config}) {
  tellUnknownCommand(id.split(':'), config)
  return Promise.resolve()
}

import type {Command} from '@oclif/core'
import {cutText} from './cut-text.js'
import {networkFlags} from './network-flags.js'
import {unpackFlags} from './unpack-flags.js'
import {wrapText} from './wrap-text.js'

/** What fits on a large screen. */
const MOST_LINES = 60
type Flag = Command.Flag.Cached

function isGlobalFlag({helpGroup}: Flag): boolean {
  return helpGroup === 'GLOBAL'
}

const BOUNDS = new Set(Object.keys(unpackFlags))
const NETWORK = new Set(Object.keys(networkFlags))
/** What most users never need, in the order in which it is left out. */
const LEAST_WANTED: readonly ((flag: Flag) => boolean)[] = [
  isGlobalFlag,
  ({name}) => BOUNDS.has(name),
  ({name}) => NETWORK.has(name),
  ({helpGroup}) => helpGroup === 'IDENTITY',
  ({helpGroup}) => helpGroup === 'STORAGE',
  ({helpGroup}) => helpGroup === 'DIGEST',
]

/** The help of a command in at most 60 lines: usage, arguments, a line for each flag as far as there is room, two examples. */
export function shortHelp(
  command: Command.Loadable,
  {bin, width, fill}: {readonly bin: string; readonly width: number; readonly fill: (text: string) => string},
): string {
  const name = command.id.replaceAll(':', ' ')
  const args = Object.values(command.args).filter(({hidden}) => hidden !== true)
  const all = Object.values(command.flags).filter(({hidden}) => hidden !== true)
  const flags = [...all.filter((flag) => !isGlobalFlag(flag)), ...all.filter(isGlobalFlag)]
  const head = [
    ...wrapText(command.summary ?? '', width),
    '',
    'USAGE',
    `  $ ${[bin, name, ...args.map(argText), ...(flags.length > 0 ? ['[flags]'] : [])].join(' ')}`,
    ...section(
      'ARGUMENTS',
      args.map((arg) => [argText(arg), arg.description ?? '']),
      width,
    ),
  ]
  const tail = [...examplesOf(command, fill, width), '', `All flags, with details and examples: ${bin} ${name} --help`]
  const shown = mostWanted(flags, MOST_LINES - head.length - tail.length - 4)
  const left = flags.length - shown.length
  const rows = shown.map((flag): [string, string] => [flagUsage(flag), flag.summary ?? flag.description ?? ''])
  const lines = section('FLAGS', rows, width)
  return [...head, ...lines, ...(left > 0 ? [`  and ${left} more`] : []), ...tail].join('\n')
}

function argText({name, required}: Command.Arg.Cached): string {
  return required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`
}

function flagUsage(flag: Flag): string {
  const {char, name, type} = flag
  const dashes = `${char === undefined ? '    ' : `-${char}, `}--${type === 'boolean' && flag.allowNo ? '[no-]' : ''}${name}`
  if (type === 'boolean') return dashes
  const value = [flag.helpValue ?? 'VALUE'].flat().join(' ')
  return `${dashes}=${flag.options === undefined ? value : flag.options.join('|')}`
}

/** The flags of a command's own in front, each group in the order of the command. */
function mostWanted(flags: readonly Flag[], room: number): readonly Flag[] {
  let shown = [...flags]
  for (const isLeast of LEAST_WANTED) {
    if (shown.length <= room) return shown
    shown = shown.filter((flag) => !isLeast(flag))
  }
  return shown.slice(0, room)
}

/** A line for each row: what does not fit is cut, since the whole is one `--help` away. */
function section(title: string, rows: readonly (readonly [string, string])[], width: number): string[] {
  if (rows.length === 0) return []
  const most = Math.max(...rows.map(([name]) => name.length))
  const column = Math.min(most, Math.max(20, Math.floor(width * 0.4)))
  const lines = rows.map(([name, text]) => {
    const front = `  ${cutText(name, column, 'end').padEnd(column)}  `
    return `${front}${cutText(text, Math.max(10, width - front.length), 'end')}`.trimEnd()
  })
  return ['', title, ...lines]
}

/** The first two: those that most users want. */
function examplesOf(command: Command.Loadable, fill: (text: string) => string, width: number): string[] {
  const examples = [command.examples ?? []].flat() as readonly (string | {description?: string; command: string})[]
  if (examples.length === 0) return []
  const lines = examples.slice(0, 2).flatMap((example) => {
    const {description = '', command: line} = typeof example === 'string' ? {command: example} : example
    return [...wrapText(description, width - 2).map((text) => `  ${text}`), `  $ ${fill(line)}`]
  })
  return ['', 'EXAMPLES', ...lines]
}

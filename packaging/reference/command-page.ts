import type {Config} from '@oclif/core'
import {defaultableFlags} from '../../src/terminal/config-file.js'
import {variableOf} from '../../src/terminal/flag-defaults.js'

/** A command as `--help` explains it, with the placeholders of oclif filled in. */
export interface CommandPage {
  /** `batch plan`. */
  readonly name: string
  /** `transship-batch-plan`: of the manual page; `batch-plan` is that of the Markdown page. */
  readonly slug: string
  readonly summary: string
  readonly description: readonly string[]
  readonly usage: string
  readonly args: readonly {readonly name: string; readonly text: string}[]
  readonly flags: readonly FlagGroup[]
  readonly examples: readonly {readonly description: string; readonly command: string}[]
}

export interface FlagGroup {
  readonly title: string
  readonly flags: readonly FlagEntry[]
}

export interface FlagEntry {
  /** `-q, --quiet`, `--layers squash|chain`. */
  readonly synopsis: string
  readonly text: readonly string[]
  /** Variables that set it. */
  readonly variables: readonly string[]
}

export const EXITS: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'Done.'],
  ['1', 'Done, with findings: verify found faults, diff found differences, or items of a batch failed.'],
  ['2', 'Wrong usage.'],
  ['3', 'The input is damaged, hostile, unsupported or incomplete.'],
  ['4', 'The environment is at fault: no access, no space, no engine, no network.'],
  ['70', 'A fault of transship itself. Please report it.'],
  ['130', 'Interrupted.'],
]

type Loadable = Config['commands'][number]
type Flag = Loadable['flags'][string]

/** The pages of all commands that help shows, by name. */
export function commandPages(config: Config): readonly CommandPage[] {
  const defaultable = defaultableFlags(config)
  return config.commands
    .filter(({pluginName, hidden}) => pluginName === 'transship' && !hidden)
    .map((command) => pageOf(command, defaultable))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
}

function pageOf(command: Loadable, defaultable: ReadonlySet<string>): CommandPage {
  const name = command.id.replaceAll(':', ' ')
  const fill = (text: string) => text.replaceAll('<%= config.bin %>', 'transship').replaceAll('<%= command.id %>', name)
  const args = Object.values(command.args).map((arg) => ({
    name: arg.name.toUpperCase(),
    required: arg.required === true,
    text: fill(arg.description ?? ''),
  }))
  const words = args.map((arg) => (arg.required ? arg.name : `[${arg.name}]`))
  const flags = Object.entries(command.flags).filter(([, {hidden}]) => !hidden)
  const groups = [...new Set(flags.map(([, {helpGroup}]) => helpGroup ?? ''))].sort()
  return {
    name,
    slug: `transship-${name.replaceAll(' ', '-')}`,
    summary: fill(command.summary ?? ''),
    description: fill(command.description ?? '').split('\n'),
    usage: ['transship', name, ...words, '[FLAGS]'].join(' '),
    args,
    flags: groups.map((group) => ({
      title: group === '' ? 'Flags' : `${group.charAt(0)}${group.slice(1).toLowerCase()} flags`,
      flags: flags
        .filter(([, {helpGroup = ''}]) => helpGroup === group)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([flagName, flag]) => entryOf(flagName, flag, {fill, isDefaultable: defaultable.has(flagName)})),
    })),
    examples: (command.examples ?? []).map((example) =>
      typeof example === 'string'
        ? {description: '', command: fill(example)}
        : {description: fill(example.description), command: fill(example.command)},
    ),
  }
}

function entryOf(
  name: string,
  flag: Flag,
  {fill, isDefaultable}: {readonly fill: (text: string) => string; readonly isDefaultable: boolean},
): FlagEntry {
  const long = flag.type === 'boolean' && flag.allowNo ? `--[no-]${name}` : `--${name}`
  const names = flag.char === undefined ? long : `-${flag.char}, ${long}`
  const value = flag.type === 'option' ? ` ${valueOf(name, flag)}` : ''
  const text = [flag.summary, flag.description].filter((part) => part !== undefined).map(fill)
  const isRepeatable = flag.type === 'option' && flag.multiple === true && !text.join(' ').includes('repeat')
  const fallback = flag.type === 'option' ? (flag.default as unknown) : undefined
  return {
    synopsis: names + value,
    text: [
      ...text,
      ...(isRepeatable ? ['Can be repeated.'] : []),
      ...(typeof fallback === 'string' || typeof fallback === 'number' ? [`Default: ${String(fallback)}.`] : []),
    ],
    variables: [...(isDefaultable ? [variableOf(name)] : []), ...(flag.env === undefined ? [] : [flag.env])],
  }
}

function valueOf(name: string, flag: Flag & {readonly type: 'option'}): string {
  if (flag.options !== undefined) return flag.options.join('|')
  const {helpValue} = flag
  if (helpValue === undefined) return name.toUpperCase()
  return typeof helpValue === 'string' ? helpValue : helpValue.join(' ')
}

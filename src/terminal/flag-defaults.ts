import {suggestNearest} from '../model/did-you-mean.js'
import {UsageError} from '../model/errors.js'

/** A flag of a command, as far as it matters for a default. */
export interface DefaultableFlag {
  readonly type: string
  readonly char?: string | undefined
  readonly aliases?: readonly string[] | undefined
  readonly allowNo?: boolean | undefined
  readonly multiple?: boolean | undefined
  readonly options?: readonly string[] | undefined
  readonly exclusive?: readonly string[] | undefined
  readonly dependsOn?: readonly unknown[] | undefined
  /** A variable of its own, that other tools know as well. */
  readonly env?: string | undefined
}

export type DefaultableFlags = Readonly<Record<string, DefaultableFlag>>

/** Values of a configuration file by the names of flags. */
export interface ConfigValues {
  /** The file. */
  readonly path: string
  readonly values: Readonly<Record<string, unknown>>
}

/** A default that was found, as it is put into the command line. */
export interface FlagDefault {
  readonly flag: string
  /** Where it comes from, for messages: `TRANSSHIP_LAYERS`, or a file with its key. */
  readonly from: string
  readonly argv: readonly string[]
}

/** Flags that choose what one call prints: as defaults they would only surprise. */
const NEVER: ReadonlySet<string> = new Set(['config', 'no-config', 'help'])

/** The variable of a flag: `TRANSSHIP_TLS_VERIFY`. */
export function variableOf(flag: string): string {
  return `TRANSSHIP_${flag.toUpperCase().replaceAll('-', '_')}`
}

/** Whether a flag takes a default from the environment and the configuration file. */
export function isDefaultable(name: string): boolean {
  return !NEVER.has(name)
}

/**
 * The defaults for flags that a command line does not give: of the environment, then of the configuration file. One that a
 * given flag excludes, or that lacks a flag it belongs to, is left out. Throws `BAD_OPTION` naming the variable, or the file
 * and its key.
 */
export function findDefaults(
  flags: DefaultableFlags,
  argv: readonly string[],
  sources: {readonly env: Readonly<Record<string, string | undefined>>; readonly config: ConfigValues | undefined},
): readonly FlagDefault[] {
  const present = givenFlags(flags, argv)
  const found: FlagDefault[] = []
  const names = Object.keys(flags).filter(isDefaultable)
  const add = (flag: string, from: string, value: unknown) => {
    const known = flags[flag]
    if (known === undefined || present.has(flag)) return
    // Also what would be left out is checked: else a fault shows only now and then.
    const made = argumentsOf(flag, known, value, from)
    const isExcluded = [...present].some(
      (other) => known.exclusive?.includes(other) === true || flags[other]?.exclusive?.includes(flag) === true,
    )
    const needs = (known.dependsOn ?? []).filter((other) => typeof other === 'string')
    if (isExcluded || needs.some((other) => !present.has(other))) return
    present.add(flag)
    found.push({flag, from, argv: made})
  }
  // Flags that others depend on come first.
  const ordered = names.sort(
    (left, right) => (flags[left]?.dependsOn?.length ?? 0) - (flags[right]?.dependsOn?.length ?? 0),
  )
  for (const name of ordered) {
    const value = sources.env[variableOf(name)]
    if (value !== undefined && value !== '') add(name, variableOf(name), fromText(value, flags[name]))
  }
  const {config} = sources
  if (config === undefined) return found
  for (const name of ordered) {
    const own = flags[name]?.env
    // Of other tools: nearer than a file, and further than what is meant for transship alone.
    if (own !== undefined && sources.env[own]) continue
    if (Object.hasOwn(config.values, name)) add(name, `${config.path}, key ${name}`, config.values[name])
  }
  return found
}

const YES = ['1', 'true', 'yes', 'on']
const NO = ['0', 'false', 'no', 'off']

/** A boolean of a variable; several values stand one a line. */
function fromText(text: string, flag: DefaultableFlag | undefined): unknown {
  if (flag?.type === 'boolean') {
    const word = text.toLowerCase()
    return YES.includes(word) ? true : NO.includes(word) ? false : text
  }
  return flag?.multiple === true ? text.split(/\r?\n/).filter((line) => line !== '') : text
}

function argumentsOf(name: string, flag: DefaultableFlag, value: unknown, from: string): readonly string[] {
  const fail = (why: string, suggestions: readonly string[] = []) =>
    new UsageError('BAD_OPTION', {what: `${from}: ${why}`, suggestions})
  if (flag.type === 'boolean') {
    if (value === true) return [`--${name}`]
    if (value === false) return flag.allowNo === true ? [`--no-${name}`] : []
    throw fail(`${quoted(value)} is neither true nor false.`)
  }
  const isList = Array.isArray(value)
  if (isList && flag.multiple !== true) throw fail('one value is expected, not a list.')
  return (isList ? (value as readonly unknown[]) : [value]).map((each) => {
    if (!['string', 'number', 'boolean'].includes(typeof each)) throw fail(`${quoted(each)} is not a value.`)
    const text = String(each)
    const {options} = flag
    if (options !== undefined && !options.includes(text))
      throw fail(`'${text}' is not one of ${options.join(', ')}.`, suggestNearest(text, options))
    return `--${name}=${text}`
  })
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

/** The flags that a command line names, by their names. */
function givenFlags(flags: DefaultableFlags, argv: readonly string[]): Set<string> {
  const end = argv.indexOf('--')
  const given = new Set<string>()
  for (const arg of end === -1 ? argv : argv.slice(0, end)) {
    for (const [name, {char, aliases = [], allowNo}] of Object.entries(flags)) {
      const longs = [name, ...aliases, ...(allowNo === true ? [`no-${name}`] : [])]
      const isLong = longs.some((long) => arg === `--${long}` || arg.startsWith(`--${long}=`))
      const isShort = char !== undefined && /^-[^-]/.test(arg) && arg.slice(1).includes(char)
      if (isLong || isShort) given.add(name)
    }
  }
  return given
}

/** What parsing says of a value that came from a default, with where it came from: nobody has typed it. */
export function blameDefault(error: unknown, defaults: readonly FlagDefault[]): unknown {
  if (!(error instanceof Error)) return error
  const blamed = defaults.find(({flag}) => new RegExp(String.raw`--(?:no-)?${flag}(?![\w-])`).test(error.message))
  if (blamed === undefined) return error
  const lines = error.message.split('\n').map((line) => line.trim())
  const why = lines.filter((line) => line !== '' && line !== 'See more help with --help').join(' ')
  return new UsageError('BAD_OPTION', {what: `${blamed.from}: ${why}`, suggestions: []})
}

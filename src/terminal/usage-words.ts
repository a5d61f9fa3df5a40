/** What is wrong with a command line: a sentence, and what more there is to say of it. */
export interface UsageWords {
  readonly what: string
  readonly why?: string
}

/** What oclif says, and the words that this program has for it. */
type Rule = readonly [pattern: RegExp, say: (groups: Readonly<Record<string, string>>) => UsageWords]

const NUMBER = String.raw`an integer(?: (?<bound>greater|less) than or equal to (?<limit>-?\d+))?`

const RULES: readonly Rule[] = [
  [
    /^Nonexistent flags?: (?<names>.+)$/s,
    ({names = ''}) => {
      const all = names.split(', ')
      return {what: `${quoted(all)} ${all.length === 1 ? 'is not an option' : 'are not options'}.`}
    },
  ],
  [
    /^Missing \d+ required args?:\n(?<list>.+)$/s,
    ({list = ''}) => {
      const all = list.split('\n').map((line) => line.trim().split(/\s+/))
      const names = all.map(([name = '']) => name.toUpperCase())
      const why = all.map(([, ...text]) => text.join(' ')).join(' ')
      return {what: `${joined(names)} ${names.length === 1 ? 'is' : 'are'} missing.`, ...(why === '' ? {} : {why})}
    },
  ],
  [
    /^Unexpected arguments?: (?<names>.+)$/s,
    ({names = ''}) => {
      const all = names.split(', ')
      return {
        what:
          all.length === 1
            ? `The argument ${quoted(all)} is one too many.`
            : `The arguments ${quoted(all)} are too many.`,
      }
    },
  ],
  [
    new RegExp(String.raw`^Parsing (?<name>--[\w-]+) \n\tExpected ${NUMBER} but received: (?<value>.*)$`, 's'),
    ({name = '', value = '', bound, limit}) => {
      const range = bound === undefined ? '' : ` of ${limit ?? ''} or ${bound === 'greater' ? 'more' : 'less'}`
      return {what: `${name}: '${value}' is not a whole number${range}.`}
    },
  ],
  [/^Parsing (?<name>--[\w-]+) \n\t(?<rest>.*)$/s, ({name = '', rest = ''}) => ({what: `${name}: ${rest}`})],
  [
    /^Flag (?<name>--[\w-]+) expects one of these values: (?<allowed>.*)$/s,
    ({name = '', allowed = ''}) => ({what: `${name} needs a value: ${either(allowed)}.`}),
  ],
  [/^Flag (?<name>--[\w-]+) expects a value$/, ({name = ''}) => ({what: `${name} needs a value.`})],
  [
    /^Flag (?<name>--[\w-]+) can only be specified once$/,
    ({name = ''}) => ({what: `${name} can be passed only once.`}),
  ],
  [/^Missing required flag (?<name>.*)$/, ({name = ''}) => ({what: `--${name} is missing.`})],
  // The value of a flag is left out: it is not what is wrong.
  [
    /^(?<name>--[\w-]+)(?:=.*)? cannot also be provided when using (?<other>--[\w-]+)$/,
    ({name = '', other = ''}) => ({what: `${joined([name, other].sort())} exclude each other.`}),
  ],
  [
    /^(?<count>All|One) of the following must be provided when using (?<name>--[\w-]+): (?<list>.*)$/,
    ({count, name = '', list = ''}) => ({
      what: `${name} needs ${count === 'All' ? joined(list.split(', ')) : either(list)} as well.`,
    }),
  ],
  [
    /^(?:Exactly|At least) one of the following must be provided: (?<list>.*)$/,
    ({list = ''}) => ({what: `Pass ${either(list)}.`}),
  ],
]

/** A value of an option that is none of those it takes. */
export interface WrongValue {
  readonly name: string
  readonly value: string
  readonly allowed: string
}

/** oclif's words for a value that is none of a list, and those around what an option's own parser says of one. */
const LISTED = /^Expected (?<name>--[\w-]+)=(?<value>.*) to be one of: (?<allowed>[^\n]*)/s
const PARSED = /^Parsing (?<name>--[\w-]+)\s+Expected (?<allowed>[^']*), found '(?<value>.*)'\.?(?:\n|$)/s

/** The value that a message of oclif is about, with what would be one as a choice: `a, b or c`. */
export function findWrongValue(message: string): WrongValue | undefined {
  const listed = LISTED.exec(message)?.groups
  const {name, value, allowed} = listed ?? PARSED.exec(message)?.groups ?? {}
  if (name === undefined || value === undefined || allowed === undefined) return undefined
  return {name, value, allowed: listed === undefined ? allowed : either(allowed)}
}

/** The message of oclif about a command line in the words of this program; what has no rule stays as it is, in one line. */
export function sayUsage(message: string): UsageWords {
  const text = message.replace(/^The following errors? occurred:\s*/, '')
  const whole = findWords(text)
  if (whole !== undefined) return whole
  // Several constraints that the command line breaks.
  const lines = text.split('\n').map((line) => line.trim())
  return {what: [...new Set(lines.map((line) => findWords(line)?.what ?? line))].join(' ')}
}

function findWords(text: string): UsageWords | undefined {
  const wrong = findWrongValue(text)
  if (wrong !== undefined) return {what: `${wrong.name}: '${wrong.value}' is not ${wrong.allowed}.`}
  for (const [pattern, say] of RULES) {
    const found = pattern.exec(text)
    if (found !== null) return say(found.groups ?? {})
  }
  return undefined
}

function quoted(names: readonly string[]): string {
  return joined(names.map((name) => `'${name}'`))
}

function joined(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

/** A list as oclif writes it, as a choice. */
function either(list: string): string {
  return list.includes(' or ') ? list : list.replace(/, (?=[^,]*$)/, ' or ')
}

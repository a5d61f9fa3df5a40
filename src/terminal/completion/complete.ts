import type {Interfaces} from '@oclif/core'
import {behind, matching, type Candidate} from './candidate.js'
import {completePath} from './complete-path.js'
import {completeReference} from './complete-reference.js'
import {completeValue, type ValueFlag} from './option-values.js'
import {upTo} from '../../model/text-ends.js'

interface KnownFlag extends ValueFlag {
  readonly type: string
  readonly char?: string | undefined
  readonly summary?: string | undefined
  readonly description?: string | undefined
  readonly hidden?: boolean | undefined
  readonly multiple?: boolean | undefined
  readonly allowNo?: boolean | undefined
  readonly exclusive?: readonly string[] | undefined
}

interface KnownCommand {
  readonly id: string
  readonly summary?: string | undefined
  readonly hidden?: boolean | undefined
  readonly args: Readonly<Record<string, unknown>>
  readonly flags: Readonly<Record<string, KnownFlag>>
}

type Config = Pick<Interfaces.Config, 'commands' | 'topics'>

/** Words for arguments that are neither references nor paths. */
const ARGUMENT_WORDS: Readonly<Record<string, readonly string[]>> = {
  key: ['HKLM\\', 'HKLM\\SAM', 'HKLM\\SECURITY', 'HKLM\\SOFTWARE', 'HKLM\\SYSTEM', 'HKU\\.DEFAULT'],
  shell: ['bash', 'fish', 'powershell', 'zsh'],
}

/**
 * Candidates for the last of some words behind `transship`, which may be empty. Whatever cannot be answered has none: a
 * shell shows no errors.
 */
export async function complete(words: readonly string[], config: Config): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? ''
  const given = words.slice(0, -1)
  const {command, used} = findCommand(given, config)
  const subcommands = given.length === used ? commandWords(given.join(' '), typed, config) : []
  if (command === undefined) return typed.startsWith('-') ? matching(['--help', '--version'], typed) : subcommands
  const own = await completeWord(command, given.slice(used), typed)
  return [...subcommands, ...own]
}

/** The command that the first words name, and how many they are; for a topic without a command, its words. */
function findCommand(words: readonly string[], {commands, topics}: Config) {
  for (const used of [2, 1]) {
    const id = words.slice(0, used).join(':')
    const command = words.length < used ? undefined : commands.find((known) => known.id === id)
    if (command !== undefined) return {command: command as unknown as KnownCommand, used}
  }
  const isTopic = topics.some(({name}) => name === words[0])
  return {command: undefined, used: isTopic ? 1 : 0}
}

/** The next words of commands and topics that begin with those in front. */
function commandWords(front: string, typed: string, {commands, topics}: Config): readonly Candidate[] {
  const named = [
    ...topics.map(({name, description, hidden}) => ({name, description, hidden})),
    ...commands.map(({id, summary, description, hidden}) => ({name: id, description: summary ?? description, hidden})),
  ]
  const found = new Map<string, Candidate>()
  for (const {name, description, hidden} of named) {
    const words = name.replaceAll(':', ' ')
    if (hidden === true || (front !== '' && !words.startsWith(`${front} `))) continue
    const text = words.slice(front === '' ? 0 : front.length + 1)
    if (text.includes(' ') || !text.startsWith(typed)) continue
    const [summary = ''] = (description ?? '').replaceAll('<%= config.bin %>', 'transship').split('\n')
    found.set(text, {text, isWhole: true, ...(summary === '' ? {} : {description: summary})})
  }
  return [...found.values()].sort((left, right) => (left.text < right.text ? -1 : 1))
}

async function completeWord(
  command: KnownCommand,
  given: readonly string[],
  typed: string,
): Promise<readonly Candidate[]> {
  const {flags} = command
  const id = command.id.replaceAll(':', ' ')
  const end = given.indexOf('--')
  const isFlagPossible = end === -1
  const last = given.at(-1) ?? ''
  if (isFlagPossible) {
    const awaiting = last.includes('=') ? undefined : findFlag(flags, last)
    if (awaiting?.flag.type === 'option') return completeValue(awaiting.name, typed, {...awaiting.flag, command: id})
    const [, front = '', value] = /^(--[a-z-]+=)(.*)$/s.exec(typed) ?? []
    const valued = findFlag(flags, front.replace('=', ''))
    if (value !== undefined && valued !== undefined)
      return behind(front, await completeValue(valued.name, value, {...valued.flag, command: id}))
    if (typed.startsWith('-') && typed !== '-') return flagNames(flags, given, typed)
  }
  const position = positionOf(flags, given)
  const name = Object.keys(command.args)[position]
  const dashes = typed === '-' && isFlagPossible ? flagNames(flags, given, typed) : []
  return [...(name === undefined ? [] : await completeArgument(name, typed)), ...dashes]
}

/** How many arguments stand before the cursor. */
function positionOf(flags: KnownCommand['flags'], given: readonly string[]): number {
  let count = 0
  let isLiteral = false
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? ''
    if (!isLiteral && word === '--') isLiteral = true
    else if (!isLiteral && word.startsWith('-') && word !== '-') {
      if (!word.includes('=') && findFlag(flags, word)?.flag.type === 'option') at++
    } else count++
  }
  return count
}

function findFlag(flags: KnownCommand['flags'], word: string) {
  const found = Object.entries(flags).find(([name, {char}]) => word === `--${name}` || word === `-${String(char)}`)
  return found === undefined ? undefined : {name: found[0], flag: found[1]}
}

/** Flags that are still possible: not given before, and not excluded by one that was. */
function flagNames(flags: KnownCommand['flags'], given: readonly string[], typed: string): readonly Candidate[] {
  const present = new Set(given.flatMap((word) => findFlag(flags, upTo(word, '='))?.name ?? []))
  const found: Candidate[] = []
  for (const [name, {summary, description, hidden, multiple, allowNo, exclusive = []}] of Object.entries(flags)) {
    const isExcluded =
      exclusive.some((other) => present.has(other)) ||
      [...present].some((other) => flags[other]?.exclusive?.includes(name) === true)
    if (hidden === true || isExcluded || (present.has(name) && multiple !== true)) continue
    const told = summary ?? description
    for (const text of [`--${name}`, ...(allowNo === true ? [`--no-${name}`] : [])])
      if (text.startsWith(typed)) found.push({text, isWhole: true, ...(told === undefined ? {} : {description: told})})
  }
  if ('--help'.startsWith(typed)) found.push({text: '--help', isWhole: true, description: 'Show help for the command.'})
  return found.sort((left, right) => (left.text < right.text ? -1 : 1))
}

function completeArgument(name: string, typed: string): Promise<readonly Candidate[]> | readonly Candidate[] {
  const words = ARGUMENT_WORDS[name]
  if (words !== undefined) return matching(words, typed).map((each) => ({...each, isWhole: !each.text.endsWith('\\')}))
  if (['source', 'ref', 'left', 'right'].includes(name)) return completeReference(typed)
  if (name === 'destination') return completeReference(typed, {isDestination: true})
  if (name === 'plan') return completePath(typed)
  if (['dir', 'runtime'].includes(name)) return completePath(typed, {isFolder: true})
  return []
}

import {Errors} from '@oclif/core'
import {suggestNearest} from '../model/did-you-mean.js'
import type {TransshipError} from '../model/errors.js'
import {findWrongValue} from './usage-words.js'
import {upTo} from '../model/text-ends.js'

/** Flags of a command, as far as they matter for what it can be told to do. */
export type KnownFlags = Readonly<Record<string, {readonly type: string; readonly allowNo?: boolean} | undefined>>

function flagNames(flags: KnownFlags): string[] {
  const own = Object.entries(flags).flatMap(([name, flag]) => [name, ...(flag?.allowNo === true ? [`no-${name}`] : [])])
  return [...own, 'help'].map((name) => `--${name}`)
}

/** What was most likely meant by a flag, or a value of one, that there is not: an error of oclif's about the command line. */
export function suggestMeant(error: unknown, flags: KnownFlags): readonly string[] {
  if (!(error instanceof Errors.CLIError)) return []
  const names = flagNames(flags)
  if ('flags' in error && Array.isArray(error.flags))
    return error.flags.flatMap((flag: unknown) => suggestNearest(upTo(String(flag), '='), names))
  const wrong = findWrongValue(error.message)
  if (wrong === undefined) return []
  const {name, value, allowed} = wrong
  return suggestNearest(value, allowed.split(/, | or /)).map((text) => text.replace("'", `'${name} `))
}

/** Command lines of transship itself or of others name flags of their own. */
export const COMMAND_LINE = /\b(?:transship|docker|podman|ctr|npm|skopeo) /

/**
 * Whether a command can do what is suggested: the same error comes out of many commands, and a flag that only some of
 * them have would be the next error.
 */
export function isPossible(suggestion: string, flags: KnownFlags): boolean {
  if (COMMAND_LINE.test(suggestion)) return true
  const names = flagNames(flags)
  return [...suggestion.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].every(([flag]) => names.includes(flag))
}

/** The same error with other suggestions. */
export function withSuggestions<E extends TransshipError>(failure: E, suggestions: readonly string[]): E {
  const properties = Object.getOwnPropertyDescriptors(failure)
  const copy: unknown = Object.create(Object.getPrototypeOf(failure) as object, {
    ...properties,
    suggestions: {...properties.suggestions, value: suggestions},
  })
  return copy as E
}

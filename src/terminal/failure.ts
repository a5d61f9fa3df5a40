import {stripVTControlCharacters} from 'node:util'
import {Errors} from '@oclif/core'
import {asTransshipError, InternalError, InterruptedError, TransshipError, UsageError} from '../model/errors.js'
import {hidePasswords} from '../model/hidden-password.js'
import {COMMAND_LINE} from './mistypes.js'
import {sayUsage} from './usage-words.js'
import {wrapText} from './wrap-text.js'
import {printable, printableLines} from '../model/printable.js'

/** What `--json` prints when a command fails. Schema: `src/schemas/error.schema.json`. */
export interface ErrorDocument {
  readonly error: {
    readonly name: string
    /** One of `ERROR_CODES`. */
    readonly code: string
    readonly exitCode: number
    /** All of the following in one line of text. */
    readonly message: string
    readonly what: string
    readonly why?: string
    readonly suggestions: readonly string[]
    readonly at: TransshipError['at']
    readonly cause?: CauseDocument
  }
}

export interface CauseDocument {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly cause?: CauseDocument
}

/** Stops following causes here: a faulty cause may lead back to itself. */
const MOST_CAUSES = 8

/**
 * What oclif adds to its own messages. Ours have suggestions instead, and the note on flags with several values is about
 * greedy flags, which we do not have.
 */
const OCLIF_ADDITIONS = /\n?See more help with --help\s*$|\n\nNote: --[^]*$/g

/**
 * Turns anything thrown into the error to report: ours stay as they are, oclif's usage errors become `BAD_OPTION`, system
 * errors map by their kind, anything after an interrupt becomes `INTERRUPTED`, and the rest `INTERNAL`.
 */
export function asFailure(error: unknown, signal: AbortSignal, command: string): TransshipError {
  if (signal.aborted) {
    return error instanceof InterruptedError
      ? error
      : new InterruptedError('INTERRUPTED', {...INTERRUPTED, cause: error})
  }
  const known = asTransshipError(error, {})
  if (known instanceof TransshipError) return known
  if (error instanceof Errors.CLIError && error.oclif.exit === 2) {
    return new UsageError('BAD_OPTION', {
      ...sayUsage(stripVTControlCharacters(error.message).replaceAll(OCLIF_ADDITIONS, '')),
      suggestions: [`Run transship ${command} --help to see the options.`],
    })
  }
  return new InternalError('INTERNAL', {
    what: 'transship hit an internal error.',
    why: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    suggestions: ['Please report this with the command line and the trace below.'],
    cause: error,
  })
}

const INTERRUPTED = {what: 'Interrupted. No half-written output was left behind.'}

/** The reason to abort with on Ctrl-C. */
export function interruption(): InterruptedError {
  return new InterruptedError('INTERRUPTED', INTERRUPTED)
}

function* causesOf(error: Error): Generator<Error> {
  let next = error.cause
  for (let count = 0; next instanceof Error && count < MOST_CAUSES; count++) {
    yield next
    next = next.cause
  }
}

function documentCause(causes: readonly Error[]): CauseDocument | undefined {
  const [first, ...rest] = causes
  if (first === undefined) return undefined
  const cause = documentCause(rest)
  const code = 'code' in first && typeof first.code === 'string' ? first.code : undefined
  return {
    name: first.name,
    message: hidePasswords(first.message),
    ...(code === undefined ? {} : {code}),
    ...(cause === undefined ? {} : {cause}),
  }
}

/** The failure as plain JSON, with its causes. */
export function documentFailure(failure: TransshipError): ErrorDocument {
  const {name, code, exitCode, message, what, why, suggestions, at} = failure
  const cause = documentCause([...causesOf(failure)])
  return {
    error: {
      name,
      code,
      exitCode,
      message,
      what,
      ...(why === undefined ? {} : {why}),
      suggestions,
      at,
      ...(cause === undefined ? {} : {cause}),
    },
  }
}

function place({at}: TransshipError): string | undefined {
  const parts = [at.reference, at.path, at.offset === undefined ? undefined : `offset ${at.offset}`]
  const known = parts.filter((part) => part !== undefined)
  return known.length === 0 ? undefined : known.join(', ')
}

/** Columns that prose is given, however narrow the terminal is. */
const MOST_NARROW = 20

/**
 * The failure as text: what, where, why, what to do next, the code; with its causes and traces when `verbose`. Prose is
 * wrapped at `width`; what may be copied, places and command lines, stands on one line.
 */
export function formatFailure(
  failure: TransshipError,
  options: {verbose: boolean; red: (text: string) => string; width?: number},
): string {
  const where = place(failure)
  const prose = (label: string, text: string) => {
    const {width} = options
    if (width === undefined) return `${label} ${text}`
    const margin = ' '.repeat(label.length + 1)
    const lines = text.split('\n').flatMap((line) => wrapText(line, Math.max(MOST_NARROW, width - margin.length)))
    return `${label} ${lines.join(`\n${margin}`)}`
  }
  const lines = [prose('Error:', printableLines(failure.what)).replace('Error:', options.red)]
  if (where !== undefined) lines.push(`  Where: ${printable(where)}`)
  if (failure.why !== undefined) lines.push(prose('  Why:  ', printable(failure.why)))
  failure.suggestions.forEach((suggestion, index) => {
    const label = `  ${index === 0 ? 'Try:  ' : '      '}`
    const text = printable(suggestion)
    lines.push(COMMAND_LINE.test(text) ? `${label} ${text}` : prose(label, text))
  })
  lines.push(`  Code:  ${failure.code}`)
  const isOurs = failure instanceof InternalError
  for (const cause of causesOf(failure)) {
    if (options.verbose || isOurs) lines.push(`  Cause: ${printableLines(hidePasswords(cause.stack ?? cause.message))}`)
  }
  if (options.verbose && !isOurs) lines.push(`  Trace: ${printableLines(failure.stack ?? '')}`)
  return `${lines.join('\n')}\n`
}

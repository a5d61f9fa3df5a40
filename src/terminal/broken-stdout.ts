import process from 'node:process'
import {EnvironmentError, findSystemCode, TransshipError, asTransshipError} from '../model/errors.js'
import {formatFailure} from './failure.js'

let broken: Error | undefined

/**
 * From now on the process tells at its end that standard output could not be written, and ends with that error's exit
 * code: a full disk must not look like success. A reader that has seen enough (`| head`) is no error. In place of oclif's
 * listener, which ends with a trace and the exit code of findings.
 */
export function watchStdout(): void {
  process.stdout.removeAllListeners('error')
  process.stdout.on('error', (error) => {
    if (findSystemCode(error) !== 'EPIPE') broken ??= error
  })
  process.once('exit', tell)
}

/** For errors that a command has told: what they were caused by is not told again. */
export function markTold(error: unknown): void {
  for (let next = error; next instanceof Error; next = next.cause) if (next === broken) broken = undefined
}

function tell(): void {
  if (broken === undefined) return
  const failure = failureOf(broken)
  process.exitCode = failure.exitCode
  process.stderr.write(formatFailure(failure, {verbose: false, red: (text) => text}))
}

function failureOf(error: Error): TransshipError {
  const known = asTransshipError(error, {path: 'standard output'})
  if (known instanceof TransshipError) return known
  return new EnvironmentError('IO_FAILED', {what: 'Standard output cannot be written.', why: error.message})
}

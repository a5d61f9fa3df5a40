import {EnvironmentError} from '../model/errors.js'
import type {ContainerSighting} from './container-row.js'

/** `TIMED_OUT` for a container that ignores the request to stop. */
export function stillRunning(target: ContainerSighting, timeoutSeconds: number, cause?: unknown): EnvironmentError {
  return new EnvironmentError('TIMED_OUT', {
    what: `Container ${target.name === '' ? target.id : target.name} is still running.`,
    why: `It was asked to stop ${timeoutSeconds} s ago.`,
    suggestions: ['Give it more time with --timeout, or kill it with --kill.'],
    at: {path: target.id},
    cause,
  })
}

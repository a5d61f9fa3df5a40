import {Errors} from '@oclif/core'
import {UsageError} from '../model/errors.js'

/** What a flag's text stands for; what is wrong with it is told as oclif tells of a flag. */
export function flagText<T>(parse: (text: string) => T): (text: string) => Promise<T> {
  return (text) => {
    try {
      return Promise.resolve(parse(text))
    } catch (error) {
      return Promise.reject(error instanceof UsageError ? new Errors.CLIError(error.what, {exit: 2}) : asError(error))
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

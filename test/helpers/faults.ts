import assert from 'node:assert/strict'
import {TransshipError, type ErrorPlace} from '../../src/model/errors.js'

/** What a program can tell of an error. */
export interface Fault {
  readonly code: string
  readonly at: ErrorPlace
}

/** Code and place of the error that this ends with. */
export function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    return factsOf(error)
  }
  return assert.fail('nothing is refused')
}

/** The same of what takes its time. */
export async function lateFaultOf(run: Promise<unknown>): Promise<Fault> {
  try {
    await run
  } catch (error) {
    return factsOf(error)
  }
  return assert.fail('nothing is refused')
}

function factsOf(error: unknown): Fault {
  if (!(error instanceof TransshipError)) throw error
  return {code: error.code, at: error.at}
}

import assert from 'node:assert/strict'
import {TransshipError, type ErrorPlace} from '../../src/model/errors.js'

/** What an error of ours must tell beside its code. */
export interface Told {
  readonly code: string
  readonly at?: ErrorPlace
  /** Names and numbers that its message must hold. */
  readonly says?: readonly (string | number)[]
  /** Whether it must tell what to do next. */
  readonly advises?: boolean
}

/** Demands an error of ours that tells this; whatever it tells, no part of it may be empty. */
export function assertTold(error: unknown, {code, at, says = [], advises}: Told): void {
  assert.ok(error instanceof TransshipError, error instanceof Error ? error.stack : String(error))
  assert.equal(error.code, code, error.message)
  if (at !== undefined) assert.deepEqual(error.at, at)
  for (const part of says) assert.ok(error.message.includes(String(part)), `no ${part} in: ${error.message}`)
  for (const text of [error.what, ...(error.why === undefined ? [] : [error.why]), ...error.suggestions])
    assert.notEqual(text.trim(), '', error.message)
  if (advises !== undefined) assert.equal(error.suggestions.length > 0, advises, error.suggestions.join('\n'))
}

/** The same of a step that must throw. */
export function assertThrows(step: () => unknown, told: Told): void {
  assert.throws(step, (error) => {
    assertTold(error, told)
    return true
  })
}

/** The same of work that must be rejected. */
export async function assertRejects(work: Promise<unknown>, told: Told): Promise<void> {
  await assert.rejects(work, (error) => {
    assertTold(error, told)
    return true
  })
}

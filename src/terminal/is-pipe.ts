import {TransshipError} from '../model/errors.js'
import {findReference} from '../transports/catalog.js'

/** True for `-`, a pipe: stdin or stdout carries the bytes. What is no reference is none; who opens it says why. */
export function isPipe(text: string): boolean {
  try {
    return findReference(text)?.path === '-'
  } catch (error) {
    if (error instanceof TransshipError) return false
    throw error
  }
}

import {findReference} from '../transports/catalog.js'

/** True when the reference stands for standard input or output: `docker-archive:-`. */
export function isPipe(text: string): boolean {
  return findReference(text)?.path === '-'
}

import {setTimeout as delay} from 'node:timers/promises'

/** Between two looks: often enough to watch, too seldom to be a load on the managers. */
const EVERY_MS = 2000

/** Does the work once, or with `again` every 2 seconds until the signal aborts; `isAgain` is false for the first time. */
export async function repeatedly<T>(
  again: boolean,
  work: (isAgain: boolean) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  let result = await work(false)
  while (again) {
    await delay(EVERY_MS, undefined, {signal})
    result = await work(true)
  }
  return result
}

import {skipLoudly} from './tools.js'

/** Thrown by a test that cannot run on this machine: it is skipped as `skipLoudly` does. */
export class CannotRunHere extends Error {}

/** Two fill a small machine, and each still has a processor to itself. */
const WIDTH = 2

/**
 * Gives an `it` whose tests run two at once, in their order: for those that spend their time in processes of their own.
 * Those that only wait for a clock may be more.
 * Each is still reported by itself. They may share nothing that one of them changes, and none may measure time or memory
 * more closely than a busy machine allows. Their suite has no hooks around each test. Call inside `describe`.
 */
export function testsAtOnce(width = WIDTH): (title: string, work: () => Promise<void>) => Mocha.Test {
  const waiting: (() => Promise<void>)[] = []
  const begun: Promise<void>[] = []
  let running = 0

  function begin(): void {
    while (running < width) {
      const work = waiting.shift()
      if (work === undefined) return
      running++
      begun.push(
        work().finally(() => {
          running--
          begin()
        }),
      )
    }
  }

  // With --bail or --grep some that were begun are waited for by no test.
  after(async () => {
    waiting.length = 0
    await Promise.all(begun)
  })

  return (title, work) => {
    const {promise, resolve, reject} = deferred()
    // Its own test tells of a failure, whenever it comes.
    promise.catch(() => undefined)
    waiting.push(() => work().then(resolve, reject))
    return it(title, async function () {
      begin()
      try {
        await promise
      } catch (error) {
        if (error instanceof CannotRunHere) skipLoudly(this, error.message)
        throw error
      }
    })
  }
}

function deferred(): {promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void} {
  let [resolve, reject]: [() => void, (reason: unknown) => void] = [() => undefined, () => undefined]
  const promise = new Promise<void>((...settle) => ([resolve, reject] = settle))
  return {promise, resolve, reject}
}

import {MAX_SECONDS} from './judge.js'

/** What a process used so far, and whether it waits just now. */
export interface Usage {
  readonly cpuSeconds: number
  readonly isSleeping: boolean
}

/** In which a process neither works nor wants to. */
export const MAX_IDLE_SECONDS = 60
/** By the clock, far above: a process that a busy machine starves is no find. */
export const MAX_WAIT_SECONDS = 1800
/** So much of one step counts at most: whoever looks may be starved as well. */
const MAX_STEP_SECONDS = 1

/** Tells a mutant that hangs from a machine that has no time for it. */
export class Stopwatch {
  #number: number | undefined
  #since = {seconds: 0, cpuSeconds: 0}
  #last = {seconds: 0, cpuSeconds: 0}
  #idleSeconds = 0

  /** What is wrong with the mutant that is at work; undefined while nothing is. `seconds`: by the clock. */
  tick(number: number, seconds: number, {cpuSeconds, isSleeping}: Usage): string | undefined {
    const now = {seconds, cpuSeconds}
    if (number !== this.#number) {
      this.#number = number
      this.#since = now
      this.#idleSeconds = 0
    } else if (isSleeping && cpuSeconds === this.#last.cpuSeconds) {
      this.#idleSeconds += Math.min(seconds - this.#last.seconds, MAX_STEP_SECONDS)
    }
    this.#last = now
    if (cpuSeconds - this.#since.cpuSeconds > MAX_SECONDS) return `it works for more than ${MAX_SECONDS} s`
    if (this.#idleSeconds > MAX_IDLE_SECONDS) return `it waits for more than ${MAX_IDLE_SECONDS} s`
    return seconds - this.#since.seconds > MAX_WAIT_SECONDS ? `it takes more than ${MAX_WAIT_SECONDS} s` : undefined
  }
}

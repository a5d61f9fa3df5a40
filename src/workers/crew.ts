import {availableParallelism} from 'node:os'
import type {TaskName} from './task.js'
import {keepHeapTight} from './tight-heap.js'
import {workers} from './worker-pool.js'

/** Jobs at once where nobody asks for more: each takes some 50 MiB, and what all take together is promised. */
const USUAL_JOBS = 2
/** Below this in sum, a thread that nobody asked for saves no time: V8 compiles the same code for it once more. */
export const WORTH_A_THREAD_BYTES = 32 * 1024 * 1024

/** A job of so many entries takes so much memory that it runs alone, on this thread: 512 MiB are promised for a million. */
export const MANY_ENTRIES = 250_000
/** Where their number is not known yet, this is how large so many are at least: an entry of a tar has a KiB. */
const MANY_ENTRIES_BYTES = MANY_ENTRIES * 1024

/** One piece of long work, which can be done on this thread or on another. */
export interface Job<Input, Output> {
  readonly task: TaskName<Input, Output>
  readonly input: Input
  /** Bytes that it has to read, as far as known. */
  readonly weightBytes: number
  /** Entries that it holds at once, as far as known. */
  readonly entries?: number | undefined
  readonly signal: AbortSignal
  /** This thread is about to have other work. */
  readonly isBetterElsewhere?: boolean
  /** Hears what the task tells on another thread. */
  readonly onTold?: (message: unknown) => void
  /** Does the same on this thread. */
  readonly here: () => Promise<Output>
}

interface Waiting {
  readonly isOnlyHere: boolean
  readonly isLarge: boolean
  /** It takes much memory, so garbage is kept down. */
  readonly isTight: boolean
  readonly isBetterElsewhere: boolean
  /** Settles when the work has ended, whatever became of it. */
  readonly start: (isHere: boolean) => Promise<void>
}

/**
 * Long jobs, begun in their order on several threads. One of them is this thread, which works on one job at a time as
 * well.
 */
export class Crew {
  readonly #size: number
  readonly #waiting: Waiting[] = []
  #isBusyHere = false
  #elsewhere = 0
  #hasLarge = false
  #weightBytes: number

  /** `concurrency` 1: everything happens on this thread, in its turn. More: small jobs go to others too. */
  constructor(concurrency?: number) {
    this.#size = Math.max(1, Math.min(concurrency ?? USUAL_JOBS, availableParallelism()))
    this.#weightBytes = concurrency === undefined ? 0 : WORTH_A_THREAD_BYTES
  }

  /** Jobs at once. */
  get size(): number {
    return this.#size
  }

  /** Does a job when it is its turn. */
  run<Input, Output>(job: Job<Input, Output>): Promise<Output> {
    const {task, input, signal, onTold, weightBytes, entries = 0, here, isBetterElsewhere = false} = job
    const isLarge = entries >= MANY_ENTRIES
    const isTight = isLarge || weightBytes >= MANY_ENTRIES_BYTES
    this.#weightBytes += weightBytes
    const onThread = () => workers().run(task, input, {signal, isLong: true, ...(onTold === undefined ? {} : {onTold})})
    return this.#add((isHere) => (isHere ? here() : onThread()), {
      signal,
      isBetterElsewhere,
      isLarge,
      isTight,
      isOnlyHere: false,
    })
  }

  /** Does work that no other thread can do, when it is its turn. */
  here<T>(work: () => Promise<T>): Promise<T> {
    return this.#add(work, {isBetterElsewhere: false, isLarge: false, isTight: false, isOnlyHere: true})
  }

  #add<T>(
    work: (isHere: boolean) => Promise<T>,
    {signal, ...where}: Omit<Waiting, 'start'> & {readonly signal?: AbortSignal},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const begun = async (isHere: boolean): Promise<T> => {
        signal?.throwIfAborted()
        return work(isHere)
      }
      const start = (isHere: boolean): Promise<void> => begun(isHere).then(resolve, reject)
      this.#waiting.push({...where, start})
      this.#begin()
    })
  }

  /** Starts what can start, first come first served; nothing comes before a large job that waits for all to end. */
  #begin(): void {
    for (let at = 0; at < this.#waiting.length && !this.#hasLarge;) {
      const job = this.#waiting[at]
      const isHere = job === undefined ? undefined : this.#placeFor(job)
      if (job === undefined || isHere === undefined) {
        if (job?.isLarge === true) return
        at++
        continue
      }
      this.#waiting.splice(at, 1)
      if (isHere) this.#isBusyHere = true
      else this.#elsewhere++
      const relax = job.isTight ? keepHeapTight() : undefined
      if (job.isLarge) {
        this.#hasLarge = true
        // A thread keeps the garbage of what it did last.
        workers().endIdle()
      }
      void job.start(isHere).then(() => {
        relax?.()
        if (job.isLarge) this.#hasLarge = false
        if (isHere) this.#isBusyHere = false
        else this.#elsewhere--
        this.#begin()
      })
    }
  }

  /** True: on this thread. Undefined: nowhere now. */
  #placeFor({isOnlyHere, isLarge, isBetterElsewhere}: Waiting): boolean | undefined {
    if (isLarge) return this.#isBusyHere || this.#elsewhere > 0 ? undefined : true
    const mayGo = !isOnlyHere && this.#elsewhere < this.#size - 1 && this.#weightBytes >= WORTH_A_THREAD_BYTES
    if (mayGo && (isBetterElsewhere || this.#isBusyHere)) return false
    return this.#isBusyHere ? undefined : true
  }
}

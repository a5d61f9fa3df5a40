import {setMaxListeners} from 'node:events'
import * as nodeModule from 'node:module'
import {availableParallelism} from 'node:os'
import path from 'node:path'
import {Worker} from 'node:worker_threads'
import {InternalError} from '../model/errors.js'
import {IS_EXECUTABLE, ownFileUrl, readOwnFile} from '../model/own-files.js'
import {unpackError} from './packed-error.js'
import type {TaskAnswer, TaskName, TaskRequest} from './task.js'

/** What the threads run: a module beside the others, and in the single executable a script of its own. */
const ENTRY = 'tasks/worker.js'
const ENTRY_SCRIPT = 'tasks/worker.cjs'

export interface RunTaskOptions {
  /** Buffers inside of the input that move to the worker; the caller's views of them become empty. */
  readonly transfer?: readonly ArrayBuffer[]
  /** Aborted: the call fails with its reason, once the worker has let go of what it works on. */
  readonly signal?: AbortSignal | undefined
  /** The work takes long: no other call is to wait behind it. */
  readonly isLong?: boolean
  /** Hears what the task tells on its way. */
  readonly onTold?: (message: unknown) => void
}

/** Of a thread's heap, for what lives shortly; 48 without. What tasks hold at once is small, and memory is promised. */
const YOUNG_MEGABYTES = 12

interface Call {
  readonly request: Extract<TaskRequest, {name: string}>
  readonly transfer: readonly ArrayBuffer[]
  readonly isLong: boolean
  readonly onTold: ((message: unknown) => void) | undefined
  readonly resolve: (output: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** What it works on, by id. */
  readonly calls: Map<number, Call>
}

/** Calls that a thread has at once: one to work on, and the next one lying ready, so that it need not wait for this thread. */
const CALLS_PER_THREAD = 2

/**
 * Threads that work on tasks, as many as there are cores. They start with the first calls and do not keep the process
 * running. Calls are begun in their order and may end in any: who cares keeps the promises in order. Nothing bounds how
 * many wait, so callers do.
 */
export class WorkerPool {
  readonly #size: number
  readonly #threads: Thread[] = []
  readonly #waiting: Call[] = []
  #nextId = 0

  constructor(size: number = availableParallelism()) {
    this.#size = size
  }

  /** Threads at most. */
  get size(): number {
    return this.#size
  }

  /** Runs a task on another thread. Fails as the task fails, with an error of the same class and code. */
  run<Input, Output>(task: TaskName<Input, Output>, input: Input, options: RunTaskOptions = {}): Promise<Output> {
    const {signal, transfer = [], isLong = false, onTold} = options
    return new Promise<unknown>((resolve, reject) => {
      signal?.throwIfAborted()
      const request = {id: this.#nextId++, name: task.name, input}
      const onAbort = () => {
        this.#cancel(call)
      }
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', onAbort)
          if (signal?.aborted === true) reject(signal.reason as Error)
          else settle(value)
        }
      const call: Call = {request, transfer, isLong, onTold, resolve: settled(resolve), reject: settled(reject)}
      if (signal !== undefined) {
        // Each call under way listens to the one signal of its command: many of them are no leak.
        setMaxListeners(0, signal)
        signal.addEventListener('abort', onAbort, {once: true})
      }
      this.#waiting.push(call)
      this.#begin()
    }) as Promise<Output>
  }

  /** Ends the threads that have nothing to do, and gives their memory back. More work starts new ones. */
  endIdle(): void {
    for (const thread of this.#threads.filter(({calls}) => calls.size === 0)) {
      this.#forget(thread)
      void thread.worker.terminate()
    }
  }

  /** Ends all threads. Calls under way fail. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({worker}) => worker.terminate()))
  }

  #cancel(call: Call): void {
    const at = this.#waiting.indexOf(call)
    if (at >= 0) {
      this.#waiting.splice(at, 1)
      call.reject(undefined)
      return
    }
    const {id} = call.request
    const thread = this.#threads.find(({calls}) => calls.has(id))
    const request: TaskRequest = {id, isCancelled: true}
    thread?.worker.postMessage(request)
  }

  #begin(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#findFree()
      const call = thread === undefined ? undefined : this.#waiting.shift()
      if (thread === undefined || call === undefined) return
      if (thread.calls.size === 0) thread.worker.ref()
      thread.calls.set(call.request.id, call)
      try {
        thread.worker.postMessage(call.request, call.transfer)
      } catch (error) {
        this.#end(thread, call.request.id)
        call.reject(error)
      }
    }
  }

  /** The thread with the least to do, a new one before one that works. */
  #findFree(): Thread | undefined {
    let least: Thread | undefined
    for (const thread of this.#threads) if (least === undefined || loadOf(thread) < loadOf(least)) least = thread
    if (least?.calls.size === 0) return least
    if (this.#threads.length < this.#size) return this.#start()
    return least !== undefined && loadOf(least) < CALLS_PER_THREAD ? least : undefined
  }

  #start(): Thread {
    const env = {...process.env, ...compileCache()}
    const options = {execArgv: [], env, resourceLimits: {maxYoungGenerationSizeMb: YOUNG_MEGABYTES}}
    const worker = IS_EXECUTABLE
      ? new Worker(readOwnFile(ENTRY_SCRIPT), {...options, eval: true})
      : new Worker(ownFileUrl(ENTRY), options)
    const thread: Thread = {worker, calls: new Map()}
    worker.on('message', (answer: TaskAnswer) => {
      if ('told' in answer) {
        thread.calls.get(answer.id)?.onTold?.(answer.told)
        return
      }
      const call = this.#end(thread, answer.id)
      if ('error' in answer) call?.reject(unpackError(answer.error))
      else call?.resolve(answer.output)
      this.#begin()
    })
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => {
      this.#lose(thread, cause)
    })
    worker.unref()
    this.#threads.push(thread)
    return thread
  }

  #end(thread: Thread, id: number): Call | undefined {
    const call = thread.calls.get(id)
    thread.calls.delete(id)
    if (thread.calls.size === 0) thread.worker.unref()
    return call
  }

  /** Gives a thread no more work. */
  #forget(thread: Thread): void {
    const at = this.#threads.indexOf(thread)
    if (at >= 0) this.#threads.splice(at, 1)
  }

  /** A thread that ended by itself takes what it worked on with it; the rest goes on with the others. */
  #lose(thread: Thread, cause: unknown): void {
    this.#forget(thread)
    for (const call of thread.calls.values())
      call.reject(new InternalError('INTERNAL', {what: 'A worker thread ended early.', cause}))
    thread.calls.clear()
    this.#begin()
  }
}

/** Calls that keep a thread busy; long work fills it. */
function loadOf({calls}: Thread): number {
  let load = 0
  for (const {isLong} of calls.values()) load += isLong ? CALLS_PER_THREAD : 1
  return load
}

let pool: WorkerPool | undefined

/** What a thread needs to know to keep compiled code where this thread does. Node has it from 22.1 on. */
function compileCache(): Readonly<Record<string, string>> {
  const {getCompileCacheDir} = nodeModule as {readonly getCompileCacheDir?: () => string | undefined}
  const inUse = getCompileCacheDir?.()
  return inUse === undefined ? {} : {NODE_COMPILE_CACHE: path.dirname(inUse)}
}

/** The pool that all work of this process shares. */
export function workers(): WorkerPool {
  pool ??= new WorkerPool()
  return pool
}

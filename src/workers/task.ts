/*
 * Work for another thread. The module that does the work exports its name, typed, and the function; `src/tasks/tasks.ts`
 * lists the two together, so that the worker finds the function and the pool need not load it.
 */

/** The name of a task, with the types of what it takes and gives: both must survive a structured clone. */
export interface TaskName<Input, Output> {
  readonly name: string
  /** Never set; holds the types. */
  readonly types?: (input: Input) => Output
}

export function taskName<Input, Output>(name: string): TaskName<Input, Output> {
  return {name}
}

/** What a task gives, and the buffers inside that move to the caller's thread instead of being copied. */
export interface TaskResult<Output> {
  readonly output: Output
  readonly transfer?: readonly ArrayBuffer[]
}

export interface TaskOptions {
  /** Aborted: the result is no longer wanted. */
  readonly signal: AbortSignal
  /** Tells the caller something on the way; it must survive a structured clone. */
  readonly tell: (message: unknown) => void
}

/** Does the work. Throwing fails the call on the other thread with the same error. */
export type TaskFunction<Input, Output> = (
  input: Input,
  options: TaskOptions,
) => TaskResult<Output> | Promise<TaskResult<Output>>

/** From the pool to a worker: a task, or the cancelling of one. */
export type TaskRequest =
  | {readonly id: number; readonly name: string; readonly input: unknown}
  | {readonly id: number; readonly isCancelled: true}

/** From a worker to the pool: what it tells on the way, and then one of the others; `error` is a `packedError`. */
export type TaskAnswer =
  | {readonly id: number; readonly told: unknown}
  | {readonly id: number; readonly output: unknown}
  | {readonly id: number; readonly error: unknown}

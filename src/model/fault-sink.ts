import {InputError, TransshipError} from './errors.js'

/** A fault that does not prevent use. */
export interface Warning {
  readonly code: string
  readonly message: string
}

/** Where faults go: `open` throws the first, `verify` gathers all, both with warnings kept. */
export interface FaultSink {
  /** Gives back only when faults are gathered. */
  fault(error: TransshipError): void
  warn(warning: Warning): void
}

/** Throws at the first fault. */
export class StrictSink implements FaultSink {
  readonly warnings: Warning[] = []

  fault(error: TransshipError): void {
    throw error
  }

  warn(warning: Warning): void {
    this.warnings.push(warning)
  }
}

/** The result of a step; undefined when it failed and the sink gathers the fault. */
export async function attempt<T>(sink: FaultSink, step: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    sink.fault(error)
    return undefined
  }
}

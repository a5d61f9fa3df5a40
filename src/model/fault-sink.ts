import {InputError, UnsupportedError, type TransshipError} from './errors.js'
import type {WorkOptions} from './events.js'

/** A fault that does not prevent use. */
export interface Warning {
  readonly code: string
  readonly message: string
}

/** Code of the note on an image that a listing leaves out, since it cannot be read; its subject is where the fault lies. */
export const IMAGE_UNREADABLE = 'image-unreadable'

/** Where faults go: `open` throws the first, `verify` gathers all, `list` tells them; all with warnings kept. */
export interface FaultSink {
  /** For the parts of one item: where one fault makes the item useless, this sink throws it. */
  readonly item: FaultSink
  /** Gives back only when faults are gathered. */
  fault(error: TransshipError): void
  warn(warning: Warning): void
}

/** Throws at the first fault. */
export class StrictSink implements FaultSink {
  readonly warnings: Warning[]

  constructor(warnings: Warning[] = []) {
    this.warnings = warnings
  }

  get item(): FaultSink {
    return this
  }

  fault(error: TransshipError): void {
    throw error
  }

  warn(warning: Warning): void {
    this.warnings.push(warning)
  }
}

/** Keeps the faults of items, each of which is left out for the first that it has; the others must not be hidden. */
export class LeavingOut implements FaultSink {
  readonly warnings: Warning[] = []
  readonly item = new StrictSink(this.warnings)
  readonly #faults: TransshipError[] = []

  fault(error: TransshipError): void {
    this.#faults.push(error)
  }

  warn(warning: Warning): void {
    this.warnings.push(warning)
  }

  /** The same as warnings of what is opened beside them. */
  get leftOut(): readonly Warning[] {
    return this.#faults.map(({message}) => ({code: IMAGE_UNREADABLE, message: `Skipped another image: ${message}`}))
  }

  /** Throws the first fault: what is asked for may be what is left out. */
  requireNone(): void {
    const [first] = this.#faults
    if (first !== undefined) throw first
  }

  /** Tells what was left out, as notes; where nothing else is there, the first fault is thrown. */
  tell(items: readonly unknown[], {onEvent}: WorkOptions, place: string): void {
    if (items.length === 0) this.requireNone()
    for (const {message, at} of this.#faults) {
      const subject = at.path ?? place
      onEvent?.({kind: 'note', code: IMAGE_UNREADABLE, message: `Skipped: ${message}`, subject})
    }
  }
}

/** The result of a step; undefined when it failed and the sink gathers the fault. */
export async function attempt<T>(sink: FaultSink, step: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof InputError || error instanceof UnsupportedError)) throw error
    sink.fault(error)
    return undefined
  }
}

import {refusalOf} from '../../engine-api/containerd/containerd-client.js'
import {pause} from '../../engine-api/connection-error.js'
import {TransshipError} from '../../model/errors.js'

/** How long containerd may be away, as when it is started anew. */
const PATIENCE_MS = 15_000
const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 1000

/** True for a failure of the connection, and for a blob that another writer holds: another attempt may do better. */
export function isPassing(error: unknown): boolean {
  const refusal = refusalOf(error)
  if (refusal === 'UNAVAILABLE' || refusal === 'CANCELLED') return true
  // A stream that the other side broke off.
  return refusal === 'INTERNAL' && error instanceof TransshipError && error.message.includes('RST_STREAM')
}

/** Decides how long to go on trying; each step forward begins the time anew. */
export class Patience {
  readonly #limitMs: number
  #since = performance.now()
  #waitMs = FIRST_WAIT_MS

  constructor(limitMs = PATIENCE_MS) {
    this.#limitMs = limitMs
  }

  progress(): void {
    this.#since = performance.now()
    this.#waitMs = FIRST_WAIT_MS
  }

  /** Waits before another attempt; false when it has been long enough. */
  async again(signal: AbortSignal | undefined): Promise<boolean> {
    if (performance.now() - this.#since > this.#limitMs) return false
    await pause(this.#waitMs, signal ?? new AbortController().signal)
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_WAIT_MS)
    return true
  }
}

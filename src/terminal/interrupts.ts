import process from 'node:process'
import {interruption} from './failure.js'

/**
 * Signals that end the work cleanly: Ctrl-C, `kill` and a service manager, a terminal that was closed, Ctrl-Break. Those
 * that a system does not have are never sent there.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const

/** A shell, npm and the terminal may each pass on one and the same Ctrl-C: what follows within this time is that one. */
const ONE_PRESS_MS = 500

const STILL_CLEANING =
  '\nStill cleaning up. Once more ends transship at once and may leave a lock and temporary files.\n'

/**
 * Aborts on a signal, so that the work takes back what it has begun. A second signal tells that the clean-up goes on, and
 * a third ends the process at once, for when the clean-up hangs.
 *
 * The listeners stay until `close`: signal-exit, which ora and listr2 bring, sends the signal to the process again when
 * its own listener is the only one left, and that kills it before anything is cleaned up.
 */
export class Interrupts {
  readonly #abort = new AbortController()
  #presses = 0
  #pressed = 0

  readonly #onSignal = (name: NodeJS.Signals) => {
    const now = performance.now()
    if (this.#presses > 0 && now - this.#pressed < ONE_PRESS_MS) return
    this.#pressed = now
    this.#presses++
    if (this.#presses === 1) this.#abort.abort(interruption())
    else if (this.#presses === 2) process.stderr.write(STILL_CLEANING)
    else {
      this.close()
      process.kill(process.pid, name)
    }
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  listen(): void {
    // Writing to a terminal that was closed fails, which must not end the clean-up.
    process.stderr.on('error', () => undefined)
    for (const name of SIGNALS) process.on(name, this.#onSignal)
  }

  /** From here on a signal ends the process at once. */
  close(): void {
    for (const name of SIGNALS) process.removeListener(name, this.#onSignal)
  }
}

import process from 'node:process'
import {isatty} from 'node:tty'

const STANDARD_STREAMS = [0, 1, 2]

/**
 * Makes the end of a process whose terminal was closed an end by hang-up. Node gives each terminal among the standard
 * streams back as it was, and if that fails it aborts, or crashes on the way to that. So the process ends by SIGHUP before
 * Node gets there, as any program does whose terminal is closed. A closed terminal is none any more for `isatty`; whether
 * the process has read, written or been signalled since does not matter.
 */
export function endWithTerminal(): void {
  const terminals = STANDARD_STREAMS.filter((stream) => isatty(stream))
  if (terminals.length === 0 || process.platform === 'win32') return
  process.once('exit', () => {
    if (terminals.every((stream) => isatty(stream))) return
    // Those of signal-exit, which ora and listr2 bring, would take it for handled.
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  })
}

import {UsageError} from '../model/errors.js'

/** Linux signals in the order of their numbers, from 1, on x86 and Arm. Source: signal(7). */
const LINUX_SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )

/**
 * Number of `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3` inside a container, whatever the host's own numbers are. Throws
 * `BAD_OPTION`.
 */
export function requireSignalNumber(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  const name = text.toUpperCase().replace(/^SIG/, '')
  const realTime = /^RTMIN(?:\+(\d{1,2}))?$/.exec(name)
  // systemd images stop on SIGRTMIN+3; glibc keeps 32 and 33 for itself.
  if (realTime !== null) return 34 + Number(realTime[1] ?? 0)
  const index = LINUX_SIGNALS.indexOf(name)
  if (index < 0) throw new UsageError('BAD_OPTION', {what: `'${text}' is not a signal.`})
  return index + 1
}

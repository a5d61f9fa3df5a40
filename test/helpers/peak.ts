import {readFileSync} from 'node:fs'

/**
 * Kibibytes that this process held at its peak. On Linux, `maxRSS` also counts what the parent held when it made the
 * process, which says nothing of the process itself: the kernel's own mark of its address space is taken there.
 */
export function peakKibibytes(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (found !== undefined) return Number(found)
  } catch {
    // No Linux.
  }
  return process.resourceUsage().maxRSS
}

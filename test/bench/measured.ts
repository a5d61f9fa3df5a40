import {spawn} from 'node:child_process'
import {readFileSync} from 'node:fs'

export interface Measured {
  readonly seconds: number
  /** Of user and system, with all children that ended; Linux only, to a hundredth. What a busy machine disturbs least. */
  readonly cpuSeconds: number
  /** Highest resident set seen, bytes; Linux only. */
  readonly peakBytes: number
}

/** Runs a command to its end. A failing one is an error with what it said. */
export function measure(command: string, args: readonly string[], cwd: string): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const cpuBefore = cpuOfChildren()
    const child = spawn(command, args, {cwd, stdio: ['ignore', 'ignore', 'pipe']})
    let said = ''
    let peakBytes = 0
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid))
    }, 10)
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(watch)
      const seconds = (performance.now() - started) / 1000
      if (code === 0) resolve({seconds, cpuSeconds: cpuOfChildren() - cpuBefore, peakBytes})
      else reject(new Error(`${command} ${args.join(' ')} ended with ${String(code)}:\n${said}`))
    })
  })
}

/** Fields 16 and 17 of the line, behind the name in brackets; a hundred ticks a second. Source: proc(5). */
function cpuOfChildren(): number {
  try {
    const line = readFileSync('/proc/self/stat', 'utf8')
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[13]) + Number(fields[14])) / 100
  } catch {
    return 0
  }
}

/** The kernel keeps the highest value itself, so looking now and then is enough. */
function peakOf(pid: number | undefined): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))
    return Number(found?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

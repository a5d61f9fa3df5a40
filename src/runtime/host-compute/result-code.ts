import {EnvironmentError, InputError, type ErrorCode, type TransshipError} from '../../model/errors.js'

/** What an HRESULT of the Host Compute Service means for the work. */
export type ResultKind = 'done' | 'pending' | 'already-stopped' | 'not-found' | 'timed-out' | 'failed'

/** Both generations: vmcompute gives NTSTATUS-like 0xC037xxxx, computecore the HRESULT 0x8037xxxx. */
const COMPUTE_FACILITIES: ReadonlySet<number> = new Set([0xc037, 0x8037])
const COMPUTE_KINDS: Readonly<Record<number, ResultKind>> = {
  0x0103: 'pending',
  0x010e: 'not-found',
  0x0110: 'already-stopped',
  0x0117: 'pending',
  0x0118: 'timed-out',
}
const WIN32_FACILITY = 0x8007

interface Meaning {
  readonly code: ErrorCode
  readonly why: string
  readonly suggestion: string
}

const ELEVATED = 'Run in an elevated terminal (Run as administrator).'
const RESTART = 'Check the event log Microsoft-Windows-Hyper-V-Compute, and restart the service vmcompute.'

/** Plain words for Windows error codes, and for the service's own below 0x8037. Source: winerror.h. */
const WIN32_MEANINGS: Readonly<Record<number, Meaning>> = {
  0x02: {code: 'NOT_FOUND', why: 'a file or folder does not exist', suggestion: 'Check the paths.'},
  0x03: {code: 'NOT_FOUND', why: 'a folder does not exist', suggestion: 'Check the paths.'},
  0x05: {code: 'NO_ACCESS', why: 'access is denied', suggestion: ELEVATED},
  0x20: {code: 'LOCKED', why: 'a file is in use', suggestion: 'Stop the containers that use the layer.'},
  0x32: {code: 'FORMAT_UNSUPPORTED', why: 'this Windows does not support it', suggestion: 'Use a newer Windows.'},
  0x50: {code: 'DESTINATION_EXISTS', why: 'the file already exists', suggestion: 'Choose another destination.'},
  0x70: {code: 'NO_SPACE', why: 'the disk is full', suggestion: 'Free some space.'},
  0xb7: {code: 'DESTINATION_EXISTS', why: 'the folder already exists', suggestion: 'Choose another destination.'},
  0x0424: {code: 'ENGINE_UNAVAILABLE', why: 'the service is not installed', suggestion: 'Add the Containers feature.'},
  0x0426: {code: 'ENGINE_UNAVAILABLE', why: 'the service is not started', suggestion: 'Run: Start-Service vmcompute'},
  0x04c7: {code: 'INTERRUPTED', why: 'it was cancelled', suggestion: 'Start it again.'},
  0x0522: {code: 'NO_ACCESS', why: 'a privilege is missing', suggestion: ELEVATED},
  0x06ba: {code: 'ENGINE_UNAVAILABLE', why: 'the service does not answer', suggestion: 'Run: Start-Service vmcompute'},
}
const COMPUTE_MEANINGS: Readonly<Record<number, Meaning>> = {
  0x0102: {code: 'ENGINE_UNAVAILABLE', why: 'Hyper-V is not installed', suggestion: 'Add the Hyper-V feature.'},
  0x0105: {code: 'ENGINE_UNAVAILABLE', why: 'the state does not allow it', suggestion: 'List the containers again.'},
  0x0106: {code: 'ENGINE_UNAVAILABLE', why: 'it ended unexpectedly', suggestion: RESTART},
  0x0108: {code: 'ENGINE_UNAVAILABLE', why: 'the guest does not accept connections', suggestion: RESTART},
  0x0109: {code: 'TIMED_OUT', why: 'the guest does not answer', suggestion: RESTART},
  0x010d: {code: 'INTERNAL', why: 'the JSON document is not valid', suggestion: 'Report this.'},
  0x010e: {code: 'NOT_FOUND', why: 'the system does not exist', suggestion: 'List the containers again.'},
  0x0112: {code: 'LAYER_CORRUPT', why: 'the layer is not valid', suggestion: 'Check the layer: transship verify'},
  0x0114: {code: 'ENGINE_UNAVAILABLE', why: 'a service is not available', suggestion: RESTART},
  0x0118: {code: 'TIMED_OUT', why: 'the operation took too long', suggestion: RESTART},
  0x011b: {code: 'NO_ACCESS', why: 'access is denied', suggestion: ELEVATED},
}

/** Sorts an unsigned HRESULT. */
export function classifyResult(result: number): ResultKind {
  if (result < 0x80000000 && result !== 0x5 && result !== 0x32) return 'done'
  if (COMPUTE_FACILITIES.has(result >>> 16)) return COMPUTE_KINDS[result & 0xffff] ?? 'failed'
  return 'failed'
}

/** `0x80070005`, as Windows documents write it. */
export function formatResult(result: number): string {
  return `0x${result.toString(16).padStart(8, '0')}`
}

/** Error for a failed call: the HRESULT, what it means, and what to do. `detail` is the service's own JSON, if any. */
export function resultError(result: number, what: string, detail?: string): TransshipError {
  const meaning = meaningOf(result)
  const own = detail === undefined || detail === '' ? '' : ` ${detail.slice(0, 1000)}`
  const details = {
    what,
    why: `Windows returned ${formatResult(result)}${meaning === undefined ? '' : `: ${meaning.why}`}.${own}`,
    suggestions: [meaning?.suggestion ?? RESTART],
  }
  const code = meaning?.code ?? 'ENGINE_UNAVAILABLE'
  return code === 'NOT_FOUND' || code === 'LAYER_CORRUPT' || code === 'DESTINATION_EXISTS'
    ? new InputError(code, details)
    : new EnvironmentError(code, details)
}

function meaningOf(result: number): Meaning | undefined {
  if (COMPUTE_FACILITIES.has(result >>> 16)) return COMPUTE_MEANINGS[result & 0xffff]
  // Some calls give the bare Windows error.
  if (result >>> 16 === WIN32_FACILITY || result >>> 16 === 0) return WIN32_MEANINGS[result & 0xffff]
  return undefined
}

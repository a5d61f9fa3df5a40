import type {Parts} from '../model/events.js'
import {formatProgress} from '../model/quantities.js'

/** How far a step is. */
export interface StepState {
  readonly bytes: number
  readonly totalBytes: number | undefined
  readonly parts: Parts | undefined
  /** By `performance.now()`. */
  readonly started: number
}

/** `2 of 5 layers, 12.0 MiB of 2.0 GiB, 80.0 MiB/s, 25 s left`; empty as long as nothing is known. */
export function formatStep({bytes, totalBytes, parts, started}: StepState): string {
  const seconds = (performance.now() - started) / 1000
  return [
    ...(parts === undefined ? [] : [`${parts.done} of ${parts.of} ${parts.noun}s`]),
    ...(bytes === 0 ? [] : [formatProgress(bytes, totalBytes, seconds)]),
  ].join(', ')
}

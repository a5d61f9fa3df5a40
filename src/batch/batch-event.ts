import type {Note, WorkEvent} from '../model/events.js'
import type {ItemFailure, ItemReport} from './batch-report.js'

/** What a batch reports while it works: plain JSON values. */
export type BatchEvent =
  /** Told before the batch begins, of what may take minutes. */
  | {readonly kind: 'waiting'; readonly title: string}
  /** Told before the batch begins, of what sources have and no item is made of. */
  | ({readonly kind: 'note'} & Note)
  /** Told once each time when the server of the queue goes away, and when it is back. */
  | {readonly kind: 'queue'; readonly state: 'away' | 'back'; readonly title: string}
  /** Told once, when everything is known and nothing is done yet. */
  | {
      readonly kind: 'batch'
      readonly title: string
      readonly items: number
      readonly alreadyDone: number
      /** To be read by what is left, as far as known. */
      readonly totalBytes: number
    }
  | {readonly kind: 'item-begun'; readonly id: string; readonly destination: string; readonly totalBytes?: number}
  /** Bytes read so far by this try of the item. */
  | {readonly kind: 'item-progress'; readonly id: string; readonly bytes: number}
  | {readonly kind: 'item-retried'; readonly id: string; readonly waitMs: number; readonly failure: ItemFailure}
  | {readonly kind: 'item-ended'; readonly item: ItemReport; readonly bytes: number}
  /** What the work on one item tells, losses and notes. */
  | {readonly kind: 'item-told'; readonly id: string; readonly event: Extract<WorkEvent, {kind: 'loss' | 'note'}>}

/** What waits before a batch begins, as its event. */
export function asWaiting(tell: (event: BatchEvent) => void): (event: WorkEvent) => void {
  return (event) => {
    if (event.kind === 'step') tell({kind: 'waiting', title: event.title})
  }
}

/** What listing the sources of a plan tells, as its event. */
export function asNoted(tell: (event: BatchEvent) => void): (event: WorkEvent) => void {
  return (event) => {
    if (event.kind === 'note') tell(event)
  }
}

/** What every asynchronous call of a batch takes. */
export interface BatchWorkOptions {
  readonly signal?: AbortSignal
  /** Hears which items begin, go on and end. */
  readonly onEvent?: (event: BatchEvent) => void
}

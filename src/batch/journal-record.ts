import type {ConvertReport} from '../convert/report.js'
import type {ItemFailure} from './batch-report.js'

/**
 * What a run writes down. `begun`: from now on the unit's destination may be there; `isFree` says that before, nothing
 * was there that its writing could hit, so that what is found there later is its own. `done`: it is, and was verified
 * while it was written. `failed`: it ended, and left nothing.
 */
export type JournalRecord =
  | {
      readonly kind: 'begun'
      readonly key: string
      readonly id: string
      readonly destination: string
      readonly isFree: boolean
    }
  | {readonly kind: 'done'; readonly key: string; readonly id: string; readonly result: ConvertReport}
  | {
      readonly kind: 'failed'
      readonly key: string
      readonly id: string
      readonly failure: ItemFailure
      /** It went on with what a process that was killed had left, which may still be there. */
      readonly isLeft: boolean
    }

import type {Job} from 'bullmq'
import {EnvironmentError} from '../../model/errors.js'
import type {ItemFailure, ItemReport} from '../batch-report.js'
import {failureOf} from '../item-failure.js'
import type {UnitJobData, UnitJobResult} from './unit-job.js'

export type UnitJob = Job<UnitJobData, UnitJobResult, 'convert'>

/** How a job that has ended is told of. */
export function reportOf(job: UnitJob): ItemReport {
  const {unit, outcome} = job.data
  const {id, source, destination, after, before} = unit
  const told = {id, source, destination, after, before}
  const attempts = job.attemptsMade + job.stalledCounter
  // BullMQ gives null for what is not there yet, whatever its types say.
  const value = job.returnvalue as UnitJobResult | null
  if (value !== null) {
    return {...told, state: 'converted', result: value.result, attempts: value.attempts, seconds: value.seconds}
  }
  if (outcome === undefined) return {...told, state: 'failed', failure: failureOfJob(job), attempts, seconds: 0}
  const {state, failure, seconds} = outcome
  const tried = state === 'blocked' ? 0 : Math.max(1, attempts)
  return {...told, state, ...(failure === undefined ? {} : {failure}), attempts: tried, seconds}
}

/** What is told of a job that ended without saying how: its worker was killed each time it was tried. */
function failureOfJob({failedReason}: UnitJob): ItemFailure {
  const isLost = failedReason.includes('stalled')
  return failureOf(
    new EnvironmentError('IO_FAILED', {
      what: isLost ? 'Every worker that started this item was lost.' : 'The worker could not convert this item.',
      why: isLost ? 'Each of them was killed or stopped answering.' : failedReason,
      suggestions: ['Check the logs of the workers. An item that does not fit their memory ends like this.'],
    }),
  )
}

import {totalsOf, type ArtifactFacts, type BatchReport, type ItemFailure} from '../batch/batch-report.js'
import {factsOf} from '../batch/facts-of.js'
import {list} from '../convert/list.js'
import type {ConvertReport} from '../convert/report.js'
import {shownReference} from '../transports/catalog.js'
import type {ListOptions} from '../model/transport.js'

/** What the source is before it is converted; nothing where it cannot be told: the conversion says why, and better. */
export async function factsBefore(source: string, options: ListOptions = {}): Promise<readonly ArtifactFacts[]> {
  try {
    return (await list(source, {...options, images: true})).items.map(factsOf)
  } catch {
    return []
  }
}

export type Outcome = {readonly result: ConvertReport} | {readonly failure: ItemFailure}

export interface Conversion {
  readonly source: string
  readonly destination: string
  /** ISO 8601. */
  readonly startedTime: string
  readonly seconds: number
  readonly before: readonly ArtifactFacts[]
  readonly outcome: Outcome
}

/** A batch of which nothing can be told but why: one that was refused before any work. */
export function reportRefusal(
  refusal: Pick<BatchReport, 'title' | 'startedTime' | 'seconds'> & {readonly failure: ItemFailure},
): BatchReport {
  return {...refusal, totals: totalsOf([]), items: []}
}

/** A single conversion as the report of a batch of one. */
export function reportConversion(conversion: Conversion): BatchReport {
  const {startedTime, seconds, before, outcome} = conversion
  const source = shownReference(conversion.source)
  const destination = shownReference(conversion.destination)
  const item = {
    id: source,
    source,
    destination,
    state: 'result' in outcome ? ('converted' as const) : ('failed' as const),
    after: [],
    before,
    ...outcome,
    attempts: 1,
    seconds,
  }
  return {title: source, startedTime, seconds, totals: totalsOf([item]), items: [item]}
}

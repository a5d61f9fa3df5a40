import {totalsOf, type ArtifactFacts, type BatchReport, type ItemFailure} from '../batch/batch-report.js'
import {list, type ListRow} from '../convert/list.js'
import type {ConvertReport} from '../convert/report.js'
import type {TransshipError} from '../model/errors.js'
import type {NetworkOptions} from '../transports/transport.js'

/** A row of `list` as a report tells it. */
export function factsOf(row: ListRow): ArtifactFacts {
  const {platform, createdTime: _, ...facts} = row
  if (platform === undefined) return facts
  const version = platform.osVersion === undefined ? '' : ` ${platform.osVersion}`
  return {...facts, platform: `${platform.os}/${platform.architecture}${version}`}
}

/** What the source is before it is converted; nothing where it cannot be told: the conversion says why, and better. */
export async function factsBefore(source: string, options: NetworkOptions = {}): Promise<readonly ArtifactFacts[]> {
  try {
    return (await list(source, options)).items.map(factsOf)
  } catch {
    return []
  }
}

/** An error as a report tells it. */
export function failureOf({code, exitCode, message, what, why, suggestions}: TransshipError): ItemFailure {
  // The first sentence of the message names the place as well.
  const told = why !== undefined && message.endsWith(why) ? message.slice(0, -why.length).trimEnd() : message
  return {code, exitCode, what: told === '' ? what : told, ...(why === undefined ? {} : {why}), suggestions}
}

export interface Conversion {
  readonly source: string
  readonly destination: string
  readonly startedTime: string
  readonly seconds: number
  readonly before: readonly ArtifactFacts[]
  readonly outcome: {readonly result: ConvertReport} | {readonly failure: ItemFailure}
}

/** A single conversion as the report of a batch of one. */
export function reportConversion(conversion: Conversion): BatchReport {
  const {source, destination, startedTime, seconds, before, outcome} = conversion
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

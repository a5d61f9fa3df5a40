import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {keepingOpen} from '../../disk/kept-open.js'
import {asTransshipError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {isNoSuchThing} from '../../model/no-such-thing.js'
import type {NetworkOptions} from '../../model/transport.js'
import {verify} from '../../convert/verify.js'
import type {BatchReport} from '../batch-report.js'
import {runLoaded, type BatchOptions} from '../run-batch.js'
import type {MigrateReport, VerifiedArtifact} from './migration-report.js'
import type {Migration} from './prepare-migration.js'

/**
 * Carries out a migration that was prepared, or goes on with it where an earlier run stopped. Failures are told in the
 * report. Throws `NO_SPACE`, `LOCKED`, `PLAN_INVALID`.
 */
export function runMigration({loaded, report}: Migration, options: BatchOptions): Promise<BatchReport> {
  const folder = path.dirname(report.journal)
  try {
    mkdirSync(folder, {recursive: true})
  } catch (error) {
    throw asTransshipError(error, {path: folder})
  }
  return runLoaded(loaded, {...options, journal: report.journal})
}

/** Reads back all that a batch made or found made, each artifact once, to its last byte. */
export async function verifyMigrated(
  {items}: BatchReport,
  {network, ...options}: WorkOptions & {readonly network?: NetworkOptions | undefined},
): Promise<readonly VerifiedArtifact[]> {
  const references = new Set(items.flatMap(({result}) => (result?.artifacts ?? []).map(({reference}) => reference)))
  const verified: VerifiedArtifact[] = []
  const of = references.size
  const id = 'verify all'
  options.onEvent?.({kind: 'step', id, title: `Verify ${of} ${of === 1 ? 'artifact' : 'artifacts'}`})
  await keepingOpen(async () => {
    for (const reference of references) {
      options.signal?.throwIfAborted()
      verified.push(await verifyOne(reference, {...options, ...network}))
      if (of > 1) options.onEvent?.({kind: 'part', id, noun: 'artifact', done: verified.length, of})
    }
  })
  const faulty = verified.filter(({ok}) => !ok).length
  options.onEvent?.({kind: 'done', id, summary: faulty === 0 ? 'sound' : `${faulty} with faults`})
  return verified
}

async function verifyOne(reference: string, options: WorkOptions & NetworkOptions): Promise<VerifiedArtifact> {
  try {
    // What it notes of an artifact that was just written was told when that was written.
    const {signal, onEvent: _, ...rest} = options
    const {ok, faults} = await verify(reference, {...rest, ...(signal === undefined ? {} : {signal})})
    return {reference, ok, faults}
  } catch (error) {
    if (!(error instanceof TransshipError) || !isNoSuchThing(error)) throw error
    return {reference, ok: false, faults: [{code: error.code, message: error.message, subject: reference}]}
  }
}

/** The report of a migration that was carried out. */
export function migrated(
  {report}: Migration,
  batch: BatchReport,
  verified: readonly VerifiedArtifact[] | undefined,
): MigrateReport {
  const {failed, blocked, notStarted} = batch.totals
  const isDone = failed + blocked + notStarted === 0 && (verified ?? []).every(({ok}) => ok)
  return {
    ...report,
    state: isDone ? 'done' : 'incomplete',
    batch,
    ...(verified === undefined ? {} : {verified}),
  }
}

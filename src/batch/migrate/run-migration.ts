import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {keepingOpen} from '../../disk/kept-open.js'
import {asTransshipError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {isNoSuchThing} from '../../model/no-such-thing.js'
import type {NetworkOptions} from '../../model/transport.js'
import {verify, type VerifyReport} from '../../convert/verify.js'
import {findReference, formatReference} from '../../transports/catalog.js'
import {holdsPackages} from '../place.js'
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
  const verified = new Map<string, VerifiedArtifact>()
  const of = references.size
  const id = 'verify all'
  options.onEvent?.({kind: 'step', id, title: `Verify ${of} ${of === 1 ? 'artifact' : 'artifacts'}`})
  const inner = {...options, ...network}
  const keep = (artifact: VerifiedArtifact) => {
    verified.set(artifact.reference, artifact)
    if (of > 1) options.onEvent?.({kind: 'part', id, noun: 'artifact', done: verified.size, of})
  }
  await keepingOpen(async () => {
    for (const [place, own] of packagesByPlace(references))
      for (const artifact of await soundPackagesIn(place, own, inner)) keep(artifact)
    for (const reference of references) {
      options.signal?.throwIfAborted()
      if (!verified.has(reference)) keep(await verifyOne(reference, inner))
    }
  })
  const found = [...references].flatMap((reference) => verified.get(reference) ?? [])
  const faulty = found.filter(({ok}) => !ok).length
  options.onEvent?.({kind: 'done', id, summary: faulty === 0 ? 'sound' : `${faulty} with faults`})
  return found
}

/** Packages by the place that holds several of them: full name to reference. */
function packagesByPlace(references: ReadonlySet<string>): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const places = new Map<string, Map<string, string>>()
  for (const text of references) {
    const reference = findReference(text)
    if (reference?.selector === undefined || !holdsPackages(reference)) continue
    const {selector, ...place} = reference
    const key = formatReference(place)
    const own = places.get(key) ?? new Map<string, string>()
    places.set(key, own.set(selector, text))
  }
  return new Map([...places].filter(([, own]) => own.size > 1))
}

/**
 * Verifies packages of one place together: its list is read once, and not once for each. Gives those that are sound. Where
 * anything is wrong, none is given: whose fault it is, checking each by itself tells.
 */
async function soundPackagesIn(
  place: string,
  packages: ReadonlyMap<string, string>,
  options: WorkOptions & NetworkOptions,
): Promise<readonly VerifiedArtifact[]> {
  let found: Pick<VerifyReport, 'layers' | 'faults'>
  try {
    const {onEvent: _, ...rest} = options
    found = await verify(place, {...rest, only: new Set(packages.keys())})
  } catch (error) {
    if (!(error instanceof TransshipError) || !isNoSuchThing(error)) throw error
    return []
  }
  const {layers, faults} = found
  if (faults.length > 0) return []
  return layers.flatMap(({title}) => {
    const reference = packages.get(title)
    return reference === undefined ? [] : [{reference, ok: true, faults: []}]
  })
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

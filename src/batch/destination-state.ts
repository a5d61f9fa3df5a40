import {existsSync} from 'node:fs'
import path from 'node:path'
import {list, type ListRow} from '../convert/list.js'
import {referenceOfIdentity} from '../convert/identity-mapping.js'
import type {ConvertReport, ReportArtifact} from '../convert/report.js'
import {EnvironmentError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {parseFullName} from '../model/package-identity.js'
import type {Reference} from '../model/reference.js'
import {findReference, formatReference, resolveReference, transportOf} from '../transports/catalog.js'
import {isNamedBy, refOf} from '../formats/image-documents/image-name.js'
import type {UnpackOptions} from '../model/limits.js'
import type {NetworkOptions} from '../model/transport.js'
import {textsOf} from './parse-plan.js'
import {holdsPackages, isLocal, referenceIn} from './place.js'
import type {PlannedUnit, Unit} from './unit.js'
import {unitOpening, type UnitSurroundings} from './unit-options.js'

export type StateOptions = WorkOptions & UnitSurroundings

/** What is at the destinations of a batch. Each place is listed once, so it is asked before anything is written. */
export class DestinationState {
  readonly #options: StateOptions
  readonly #listed = new Map<string, Promise<readonly ListRow[]>>()

  constructor(options: StateOptions) {
    this.#options = options
  }

  /** True when all that a conversion made is still there, by what a listing tells: no payload is read. */
  async isThere(unit: Unit, {artifacts}: ConvertReport): Promise<boolean> {
    const reference = destinationOf(unit, this.#options.folder)
    const opening = unitOpening(unit.options, this.#options)
    for (const artifact of artifacts) {
      const rows = (await this.#rows(reference, artifact, opening)).filter((row) => isRowOf(row, artifact))
      if (rows.length === 0) return false
      if (artifact.kind === 'package' || !isLocal(reference)) continue
      for (const selector of selectorsOf(artifact, unit)) {
        // The images of an index have its names, and may have those of other entries besides.
        if (artifact.kind === 'image' && rows.some((row) => isRowNamed(row, selector))) continue
        // A listing need not show all that leads to an image.
        const selected = await rowsOf(formatReference({...reference, selector}), {...this.#options, ...opening})
        if (!selected.some((row) => isRowOf(row, artifact))) return false
      }
    }
    return true
  }

  /** True when every byte of what a conversion made is as it should be. */
  async isWhole(unit: Unit, {artifacts, destination}: ConvertReport): Promise<boolean> {
    const {signal} = this.#options
    for (const artifact of artifacts) {
      const told = (await resolveReference(artifact.reference)).reference
      const reference = this.#placed(told, findReference(destination), unit)
      const options = {...unitOpening(unit.options, this.#options), ...(signal === undefined ? {} : {signal})}
      const {faults} = await transportOf(reference).verify(reference, options)
      if (faults.length > 0) return false
    }
    return true
  }

  /** An artifact where it lies now: what was told may be relative to the folder that an earlier run was started in. */
  #placed(artifact: Reference, destination: Reference | undefined, unit: Unit): Reference {
    if (destination === undefined || !isLocal(artifact) || !isLocal(destination)) return artifact
    const inside = path.relative(destination.path, artifact.path)
    return {...artifact, path: path.join(destinationOf(unit, this.#options.folder).path, inside)}
  }

  /** A place that cannot be listed for lack of access or network is not one where nothing is. */
  #rows(
    {selector: _, ...place}: Reference,
    artifact: ReportArtifact,
    opening: NetworkOptions & UnpackOptions,
  ): Promise<readonly ListRow[]> {
    const text = isLocal(place) ? formatReference(place) : textOfName(artifact)
    // One name may lead to several engines.
    const key = JSON.stringify([text, opening])
    const known = this.#listed.get(key)
    if (known !== undefined) return known
    const rows = rowsOf(text, {...this.#options, ...opening})
    this.#listed.set(key, rows)
    return rows
  }
}

function rowsOf(text: string, options: WorkOptions & NetworkOptions): Promise<readonly ListRow[]> {
  return orNone(async () => (await list(text, {...options, onEvent: () => undefined})).items, options)
}

/** What cannot be read is none; lack of access or network is another matter. */
async function orNone<T>(read: () => Promise<readonly T[]>, options: WorkOptions): Promise<readonly T[]> {
  try {
    return await read()
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof EnvironmentError) throw error
    return []
  }
}

/** What was made at an image registry or an engine, with its tag: without one, a listing tells of all tags. */
function textOfName({reference: text}: ReportArtifact): string {
  const reference = findReference(text)
  if (reference?.transport !== 'docker') return text
  return formatReference({...reference, selector: reference.selector ?? 'latest'})
}

function isRowOf(row: ListRow, artifact: ReportArtifact): boolean {
  if (artifact.kind === 'index') return row.index?.digest === artifact.manifestDigest
  if (artifact.kind === 'image') return row.imageId === artifact.imageId
  const [layer] = artifact.layers
  // A bare layout holds no names: the index that was written beside it says whose it is.
  if (row.kind === 'transport-layout') return layer === undefined || row.payloadDigest === layer.digest
  if (row.identity?.toLowerCase() !== artifact.identity?.toLowerCase()) return false
  return layer === undefined || (row.layers !== 0 && (row.payloadDigest ?? layer.digest) === layer.digest)
}

/** By what an image that was made is found: its tag or name, and the others that were asked for beside it. */
function selectorsOf({reference}: ReportArtifact, {destination, options}: Unit): readonly string[] {
  const {selector} = findReference(reference) ?? {}
  // One that is selected by its digest or place has no name.
  if (selector === undefined || selector.startsWith('@')) return []
  const isOne = findReference(destination)?.selector === undefined && options.all !== true
  return [selector, ...(isOne ? textsOf(options.tag) : [])]
}

function isRowNamed({reference, names}: ListRow, selector: string): boolean {
  return findReference(reference)?.selector === selector || names.some((name) => isNamedBy(name, selector))
}

function destinationOf({destination}: Unit, folder: string): Reference {
  const reference = findReference(destination)
  return referenceIn(folder, reference ?? {transport: 'layout', path: destination})
}

/**
 * True when nothing is at the destination that the unit could hit: should it be stopped, what is found there later is its
 * own. Of repositories of packages it need not be known: there, equal packages are found unchanged.
 */
export async function isDestinationFree(unit: PlannedUnit, options: StateOptions): Promise<boolean> {
  const {selector, ...place} = destinationOf(unit, options.folder)
  if (!isLocal(place) || holdsPackages(place)) return false
  if (!existsSync(place.path)) return true
  const transport = transportOf(place)
  if (transport.names === undefined) return false
  const taken = await orNone(async () => (await transport.names?.(place, options)) ?? [], options)
  const tags = selector === undefined ? tagsOf(unit) : [selector]
  return !taken.some((name) => tags.some((tag) => isNamedBy(name, tag)))
}

/** The tags that an OCI layout would give to what the unit makes. */
function tagsOf({options, before}: PlannedUnit): readonly string[] {
  const given = textsOf(options.tag)
  const own = before.flatMap(({names, identity}) => [
    ...names,
    ...(identity === undefined ? [] : [referenceOfIdentity(parseFullName(identity))]),
  ])
  return (given.length > 0 ? given : own).map(refOf)
}

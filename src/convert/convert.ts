import {LossError, placedError, UsageError} from '../model/errors.js'
import type {Loss, Note} from '../model/events.js'
import type {Image} from '../model/image.js'
import {formatFullName} from '../model/package-identity.js'
import type {Reference} from '../model/reference.js'
import {resolveReference, transportOf} from '../transports/catalog.js'
import type {Destination, DestinationOptions, OpenOptions, PackageDestination} from '../model/transport.js'
import {pinOfLayer} from '../formats/package/pin-file.js'
import {supplyBases} from './bases.js'
import {Meter} from './metered.js'
import {Findings} from './findings.js'
import {networkOf} from './network.js'
import {unpackOptions} from '../model/limits.js'
import {openOptions} from './open-options.js'
import type {ConvertOptions} from './options.js'
import type {ConversionPlan, PlanStep} from './plan.js'
import {resolveTelling} from './recognise.js'
import type {ConvertReport, ReportArtifact} from './report.js'
import {sourcesOf, type Source} from './sources.js'
import {outcomesOf} from './foresee.js'
import {stepsOf, type AnyPlan} from './plan-steps.js'
import {planImage} from './to-image.js'
import {planPackages, type PackagesPlan} from './to-packages.js'
import {companionsFor, tellReferrers, type HeldCompanions} from './companions.js'
import {writeOneImage} from './write-image.js'
import {writePackages} from './write-packages.js'
import {indexStep, openIndex, writeIndex} from './write-index.js'
import type {Writing, Written} from './writing.js'

/** Spells out what `withBase` means. Throws `BAD_OPTION` for options that contradict each other. */
function consistent(options: ConvertOptions): ConvertOptions {
  const {layers, squashRange, withBase, ...rest} = options
  const contradicts = (what: string): UsageError => new UsageError('BAD_OPTION', {what})
  if (squashRange !== undefined && layers === 'chain')
    throw contradicts('A range is squashed, and chain squashes nothing.')
  const mode = squashRange === undefined ? layers : 'squash'
  const given = {
    ...rest,
    ...(mode === undefined ? {} : {layers: mode}),
    ...(squashRange === undefined ? {} : {squashRange}),
  }
  if (withBase !== true) return given
  if (mode === 'chain') throw contradicts('--with-base folds the operating system in, and chain keeps every layer.')
  if (squashRange !== undefined)
    throw contradicts('--with-base squashes all layers; a range that begins with 0 holds the base.')
  if ((options.osLayers ?? 0) > 0)
    throw contradicts('--with-base folds the operating system in; --os-layers keeps it apart.')
  if (options.withoutBase === true) throw contradicts('--with-base and --without-base exclude each other.')
  return {...given, layers: 'squash', osLayers: 0}
}

interface OpenedEnds {
  readonly source: Reference
  readonly destination: Reference
}

async function resolveEnds(source: string, destination: string, findings: Findings): Promise<OpenedEnds> {
  return {
    source: await resolveTelling(source, findings),
    destination: await resolveTelling(destination, findings),
  }
}

function destinationOptions(options: ConvertOptions): DestinationOptions {
  const {replace, acceptBaseMismatch, tags, compression, compressionLevel, archiveFormat, manifestFormat, concurrency} =
    options
  return {
    ...networkOf(options),
    ...(replace === undefined ? {} : {replace}),
    ...(acceptBaseMismatch === undefined ? {} : {acceptBaseMismatch}),
    ...(tags === undefined ? {} : {names: tags}),
    ...(compression === undefined ? {} : {compression}),
    ...(compressionLevel === undefined ? {} : {compressionLevel}),
    ...(archiveFormat === undefined ? {} : {archiveFormat}),
    ...(manifestFormat === undefined ? {} : {manifestFormat}),
    ...(concurrency === undefined ? {} : {concurrency}),
    ...(options.signal === undefined ? {} : {signal: options.signal}),
    ...(options.onEvent === undefined ? {} : {onEvent: options.onEvent}),
    ...unpackOptions(options),
  }
}

async function planFor(sink: Destination, image: Image, options: ConvertOptions): Promise<AnyPlan> {
  return sink.holds === 'packages'
    ? {kind: 'packages', plan: await packagesFor(sink, image, options)}
    : {kind: 'image', plan: await planImage(image, options)}
}

/** Where names are dropped, none is asked for. */
function namedFor(sink: PackageDestination, options: ConvertOptions): ConvertOptions {
  return sink.dropsMetadata === true ? {name: 'Payload', ...options} : options
}

/** What is to be written there. Where one package has room, it is the top one; that the payload of others is missing is a loss. */
async function packagesFor(sink: PackageDestination, image: Image, options: ConvertOptions): Promise<PackagesPlan> {
  const plan = await planPackages(image, namedFor(sink, options), sink)
  if (options.pins === 'none' && sink.dropsMetadata !== true) tellDroppedPins(image, options)
  if (sink.holdsOne !== true) return plan
  for (const {draft} of plan.packages.slice(0, -1)) {
    if (draft.layer === undefined) continue
    options.onEvent?.({
      kind: 'loss',
      code: 'dependency-left-out',
      message: 'A file holds one package. Name a folder to write one file for each package.',
      subject: formatFullName(draft.metadata.identity),
    })
  }
  return {...plan, packages: plan.packages.slice(-1)}
}

/** What hangs on the digests of compressed layers is lost, since it was asked for. */
function tellDroppedPins({layers, names, manifest}: Image, options: ConvertOptions): void {
  const count = layers.filter((layer) => pinOfLayer(layer) !== undefined || (layer.pins ?? []).length > 0).length
  if (count === 0) return
  const what = count === 1 ? '1 layer is' : `${count} layers are`
  const message = `The compressed form of ${what} not kept (--pins none): the image comes back with other digests.`
  options.onEvent?.({kind: 'loss', code: 'pins-dropped', message, subject: names[0] ?? manifest?.digest ?? 'the image'})
}

/**
 * What `convert` would do, without touching the destination. Reads metadata, and of the lowest layer as much as is
 * needed to tell whether it is an operating system.
 */
export async function planConversion(
  source: string,
  destination: string,
  options: ConvertOptions = {},
): Promise<ConversionPlan> {
  const findings = new Findings(options)
  const inner = {...consistent(options), onEvent: findings.onEvent}
  const ends = await resolveEnds(source, destination, findings)
  const target = transportOf(ends.destination)
  const opened = await target.create(ends.destination, destinationOptions(inner))
  try {
    const steps: PlanStep[] = []
    let first: AnyPlan | undefined
    for (const source of await sourcesOf(ends.source, opened, inner)) {
      const {reference} = source
      if (source.kind === 'index') {
        const index = await openIndex(reference, openOptions(inner, []))
        steps.push(indexStep(index))
        await index.close()
        continue
      }
      const image = source.named(await openSource(reference, inner, opened.holds))
      try {
        const planned = await planFor(opened, image, inner)
        first ??= planned
        const outcomes = await outcomesOf(planned, opened, {reference: ends.destination, options: inner})
        for (const step of stepsOf(planned, image, outcomes)) steps.push(step)
        if (planned.kind === 'packages') for (const note of planned.plan.notes) findings.note(note)
      } finally {
        await image.close()
      }
    }
    const osLayers = first?.plan.osLayers
    return {
      source: transportOf(ends.source).format(ends.source),
      destination: target.format(ends.destination),
      mode: first?.plan.mode ?? 'copy',
      steps,
      ...(osLayers === undefined ? {} : {osLayers}),
      losses: findings.losses,
      notes: findings.notes,
    }
  } finally {
    await opened.abort()
  }
}

async function openSource(
  reference: Reference,
  options: ConvertOptions,
  becoming: Destination['holds'],
): Promise<Image> {
  const bases = await Promise.all((options.bases ?? []).map((base) => resolveReference(base)))
  const references = bases.map((base) => base.reference)
  const parents = await Promise.all((options.parents ?? []).map((parent) => resolveReference(parent)))
  const openedWith = {...openOptions(options, references), parents: parents.map((parent) => parent.reference)}
  const image = await openPlaced(reference, openedWith)
  return supplyBases(image, references, {
    ...openOptions(options, []),
    source: transportOf(reference).format(reference),
    withoutBase: options.withoutBase,
    becomesPackages: becoming === 'packages',
  })
}

/** What cannot be written cannot come back with the same bytes. */
function noWayBack(reference: Reference): Note {
  const transport = transportOf(reference)
  const message = `transship does not write ${transport.name}: references.`
  return {code: 'source-only', message, subject: transport.format(reference)}
}

/** Errors of a source name it, also where it was one of several. */
async function openPlaced(reference: Reference, options: OpenOptions): Promise<Image> {
  try {
    return await transportOf(reference).open(reference, options)
  } catch (error) {
    throw placedError(error, {reference: transportOf(reference).format(reference)})
  }
}

/**
 * Converts what `source` names and writes it to `destination`. Nothing is visible at the destination before everything
 * has been written and verified; on any failure it is left as it was. Losses are reported, and refused under `strict`.
 */
export async function convert(
  source: string,
  destination: string,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  const started = performance.now()
  const findings = new Findings(options)
  const inner = {...consistent(options), onEvent: findings.onEvent}
  const ends = await resolveEnds(source, destination, findings)
  const meter = new Meter(inner)
  const sink = await transportOf(ends.destination).create(ends.destination, destinationOptions(inner))
  const artifacts = new Map<string, ReportArtifact>()
  let bytesWritten = 0
  try {
    for (const each of await sourcesOf(ends.source, sink, inner)) {
      const written = await writeSource(each, sink, {meter, findings, options: inner})
      for (const artifact of written.artifacts) tellOnce(artifact, artifacts)
      bytesWritten += written.bytes
    }
    if (options.strict === true) requireLossless(findings.losses)
    options.signal?.throwIfAborted()
    await sink.commit(inner)
  } catch (error) {
    await sink.abort()
    throw error
  }
  const isUnchanged = sink.holds === 'images' && sink.isUnchanged === true
  return {
    source: transportOf(ends.source).format(ends.source),
    destination: transportOf(ends.destination).format(ends.destination),
    artifacts: [...artifacts.values()].map((artifact) => (isUnchanged ? {...artifact, unchanged: true} : artifact)),
    losses: findings.losses,
    notes: findings.notes,
    exact: findings.inexact.length === 0 && findings.losses.length === 0,
    inexact: findings.inexact,
    bytesRead: meter.bytes,
    bytesWritten: isUnchanged ? 0 : bytesWritten,
    seconds: (performance.now() - started) / 1000,
  }
}

/** Opens a source, writes what it holds, and closes it. */
async function writeSource(source: Source, sink: Destination, writing: Writing): Promise<Written> {
  const {reference} = source
  const {findings, options} = writing
  const at = {reference: transportOf(reference).format(reference)}
  const opened =
    source.kind === 'index'
      ? await openIndex(reference, openOptions(options, []))
      : source.named(await openSource(reference, options, sink.holds))
  let held: HeldCompanions | undefined
  try {
    if (transportOf(reference).isSourceOnly === true) findings.inexact.push(noWayBack(reference))
    if (source.kind === 'index' && 'document' in opened) return await writeIndex(opened, source.sink, writing)
    if ('document' in opened) return {artifacts: [], bytes: 0}
    // A bare layout has no name of its own.
    const subject = opened.names.length > 0 ? opened.names.join(' ') : at.reference
    for (const warning of opened.warnings) findings.note({...warning, subject})
    if (sink.holds === 'packages' && sink.dropsMetadata !== true) held = await companionsFor(opened, source, writing)
    else await tellReferrers(opened, sink, writing)
    return await writeImage(opened, sink, {...writing, companions: held?.companions})
  } catch (error) {
    throw placedError(error, at)
  } finally {
    await held?.close()
    await opened.close()
  }
}

function requireLossless(losses: readonly Loss[]): void {
  const [first] = losses
  if (first === undefined) return
  throw new LossError('LOSS_REFUSED', {
    what: `${losses.length} ${losses.length === 1 ? 'thing' : 'things'} would be lost, and --strict refuses losses.`,
    why: `${first.subject}: ${first.message}`,
    suggestions: ['Leave out --strict to convert and report the losses.'],
  })
}

/** A package that several images share is told of once, as it was when it was made; one that was written anew, as it is now. */
function tellOnce(artifact: ReportArtifact, told: Map<string, ReportArtifact>): void {
  if (artifact.unchanged === true && told.has(artifact.reference)) return
  told.set(artifact.reference, artifact)
}

async function writeImage(image: Image, sink: Destination, writing: Writing): Promise<Written> {
  const metered = {...image, layers: image.layers.map((layer) => writing.meter.layer(layer))}
  if (sink.holds === 'images') return writeOneImage(metered, sink, writing)
  return writePackages(metered, await packagesFor(sink, metered, writing.options), sink, writing)
}

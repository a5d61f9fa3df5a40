import {placedError} from '../model/errors.js'
import type {Image} from '../model/image.js'
import {formatFullName, identityKey, isSamePackage, type PackageIdentity} from '../model/package-identity.js'
import type {PackageArtifact, PackageDestination, PackageDraft} from '../model/transport.js'
import {withCompanions} from './companions.js'
import {imageAsPackages, metadataReasons, packageReasons, proven, renamedReasons} from './exactness.js'
import {readSizeOf} from './metered.js'
import type {ConvertOptions} from './options.js'
import {madeConfigReasons} from './made-config.js'
import type {PlannedPackage} from './planned-package.js'
import {onRenamed} from './renamed-base.js'
import {reportArtifact, type ReportArtifact} from './report.js'
import type {PackagesPlan} from './to-packages.js'
import type {Writing, Written} from './writing.js'

/** Packages whose payloads are begun before it is their turn: enough for every thread, few enough to wait for on a failure. */
const AHEAD = 4

/** Writes the packages of a plan, base first, and tells what became of them. */
export async function writePackages(
  image: Image,
  plan: PackagesPlan,
  sink: PackageDestination,
  writing: Writing,
): Promise<Written> {
  const {findings} = writing
  for (const note of plan.notes) findings.note(note)
  try {
    const written = await writePlanned(image, plan.packages, sink, writing)
    plan.names.forget()
    return await toldOf(image, plan, written, writing)
  } finally {
    // The image is closed next.
    await sink.settle?.()
  }
}

interface WrittenPackage {
  readonly artifact: PackageArtifact
  readonly draft: PackageDraft
  readonly layers: readonly number[]
}

async function writePlanned(
  image: Image,
  packages: readonly PlannedPackage[],
  sink: PackageDestination,
  {meter, findings, options, companions}: Writing,
): Promise<readonly WrittenPackage[]> {
  const renamed = new Map<string, PackageIdentity>()
  const written: WrittenPackage[] = []
  for (const [index, planned] of packages.entries()) {
    const {layers} = planned
    const isLast = planned === packages.at(-1)
    const draft = {...withCompanions(onRenamed(planned.draft, renamed), companions), isLast}
    const id = formatFullName(draft.metadata.identity)
    const passed = layers.flatMap((index) => image.layers[index] ?? [])
    const total = passed.reduce((sum, layer) => sum + (readSizeOf(layer) ?? 0), 0)
    const place = packages.length > 1 ? ` (${index + 1} of ${packages.length})` : ''
    findings.onEvent({
      kind: 'step',
      id,
      title: `Write package ${id}${place}`,
      ...(total > 0 ? {totalBytes: total} : {}),
    })
    meter.begin(id, passed)
    for (const {draft: next} of packages.slice(index, index + AHEAD)) await sink.begin?.(next, options)
    const artifact = await writePlaced(sink, draft, {title: titleOf(image, layers), options})
    findings.onEvent({kind: 'done', id, summary: artifact.unchanged ? 'already there' : 'written'})
    if (!isSamePackage(artifact.identity, draft.metadata.identity))
      renamed.set(identityKey(draft.metadata.identity), artifact.identity)
    written.push({artifact, draft, layers})
  }
  return written
}

/** What is told of packages, once it is known whether they give their layers back. */
async function toldOf(
  image: Image,
  plan: PackagesPlan,
  written: readonly WrittenPackage[],
  {findings, options}: Writing,
): Promise<Written> {
  const artifacts: ReportArtifact[] = []
  const told: PackageArtifact[] = []
  const pinned = new Set<number>()
  const before = findings.inexact.length
  let bytes = 0
  for (const {artifact: pending, draft, layers} of written) {
    const artifact = await proven(pending)
    const [layer] = layers
    if (layer !== undefined && artifact.layers[0]?.pin !== undefined) pinned.add(layer)
    bytes += artifact.bytesWritten
    artifacts.push(reportArtifact(artifact))
    told.push(artifact)
    findings.inexact.push(
      ...renamedReasons(image, draft, artifact),
      ...metadataReasons(draft, artifact),
      ...(await packageReasons(image, {draft, layers}, artifact, options)),
    )
  }
  for (const each of [...plan.inexact, ...imageAsPackages(image, {pinned, top: told.at(-1)?.keeps})])
    findings.inexact.push(each)
  // What is inexact for another reason has other packages, of which another configuration is made.
  if (findings.inexact.length === before) findings.inexact.push(...(await madeConfigReasons(image, told)))
  return {artifacts, bytes}
}

function titleOf(image: Image, layers: readonly number[]): string | undefined {
  const [first, last] = [layers[0], layers.at(-1)].map((index) => image.layers[index ?? -1]?.title)
  return first === last ? first : `${first ?? ''} to ${last ?? ''}`
}

/** A fault that the writer of a package meets is one of the layers that it writes. */
async function writePlaced(
  sink: PackageDestination,
  draft: PackageDraft,
  {title, options}: {readonly title: string | undefined; readonly options: ConvertOptions},
): Promise<PackageArtifact> {
  try {
    return await sink.write(draft, options)
  } catch (error) {
    throw title === undefined ? error : placedError(error, {path: title})
  }
}

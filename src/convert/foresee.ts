import {existsSync} from 'node:fs'
import {manifestFor} from '../formats/image-documents/written-manifest.js'
import {digestOf, type Digest} from '../model/digest.js'
import {EnvironmentError, TransshipError} from '../model/errors.js'
import {formatFullName} from '../model/package-identity.js'
import type {Reference} from '../model/reference.js'
import type {Destination, ImageDestination, ImageDraft, OpenOptions} from '../model/transport.js'
import {findReference, transportOf} from '../transports/catalog.js'
import {openOptions} from './open-options.js'
import type {ConvertOptions} from './options.js'
import type {StepOutcome} from './plan.js'
import type {AnyPlan} from './plan-steps.js'

/*
 * What is at the destination already, and what becomes of it, by the one rule of `model/replacing.ts`. Nothing is written,
 * and no layer is read: where only their content can tell, that is said.
 */

interface Place {
  readonly reference: Reference
  readonly options: ConvertOptions
}

/** What has a name there: nothing, the same, something else, or something of which only reading it tells. */
type There = 'none' | 'same' | 'other' | 'unknown'

/** Of each step of a plan; undefined where the destination cannot be asked. */
export async function outcomesOf(
  planned: AnyPlan,
  sink: Destination,
  place: Place,
): Promise<readonly (StepOutcome | undefined)[]> {
  const {reference, options} = place
  const replace = options.replace === true
  if (planned.kind === 'image') {
    const there = sink.holds === 'images' ? await findImage(planned.plan.draft, sink, place) : undefined
    return [outcomeOf(there, replace)]
  }
  if (sink.holds === 'packages' && sink.foresee !== undefined) {
    const {packages} = planned.plan
    const nameOf = ({draft}: (typeof packages)[number]) => formatFullName(draft.metadata.identity).toLowerCase()
    const own = new Set(packages.map(nameOf))
    return packages.map(({draft}) => {
      const {there = 'unknown', neededBy = []} = sink.foresee?.(draft) ?? {}
      // What is to be replaced by its equal is read first, and mended where it is damaged.
      if (there === 'same' && replace) return 'compared'
      // What is replaced as well holds nothing back.
      return neededBy.some((name) => !own.has(name.toLowerCase())) ? 'refused' : outcomeOf(there, replace)
    })
  }
  const isThere = reference.transport === 'layout' && existsSync(reference.path)
  const outcome = reference.transport === 'layout' ? outcomeOf(isThere ? 'unknown' : 'none', replace) : undefined
  return planned.plan.packages.map(() => outcome)
}

function outcomeOf(there: There | undefined, replace: boolean): StepOutcome | undefined {
  if (there === undefined) return undefined
  const outcomes = {
    none: 'written',
    same: 'unchanged',
    unknown: 'compared',
    other: replace ? 'replaced' : 'refused',
  } as const
  return outcomes[there]
}

/** What is known of an image before it is written. */
interface Predicted {
  readonly imageId?: Digest
  readonly manifestDigest?: Digest
}

async function findImage(draft: ImageDraft, sink: ImageDestination, place: Place): Promise<There | undefined> {
  const {reference, options} = place
  const {transport, path} = reference
  const predicted = predict(draft, options)
  if (transport === 'docker-archive' || transport === 'oci-archive')
    return path === '-' || !existsSync(path) ? 'none' : findInArchive(predicted, place)
  if (transport === 'oci' && !existsSync(path)) return 'none'
  const found: There[] = []
  for (const each of namesAt(draft, sink, place)) found.push(await findNamed(each, predicted, options))
  if (found.length === 0) return transport === 'oci' ? 'none' : undefined
  if (found.includes('other')) return 'other'
  if (found.includes('unknown')) return 'unknown'
  return found.every((there) => there === 'same') ? 'same' : 'none'
}

/** References by which the image will be found. */
function namesAt({names}: ImageDraft, sink: ImageDestination, {reference, options}: Place): readonly Reference[] {
  const {transport, path, selector} = reference
  if (transport === 'docker') {
    const tags = selector === undefined ? (options.tags ?? ['latest']) : [selector]
    return tags.map((tag) => ({...reference, selector: /:([^:/]+)$/.exec(tag)?.[1] ?? tag}))
  }
  if (sink.placesOf !== undefined) return sink.placesOf(names)
  const isWholePlace = path === '' || (transport === 'containerd' && path.endsWith('/'))
  return isWholePlace ? names.flatMap((name) => findReference(`${transport}:${path}${name}`) ?? []) : [reference]
}

async function findNamed(reference: Reference, predicted: Predicted, options: ConvertOptions): Promise<There> {
  const {transport} = reference
  const quiet = quietly(options)
  try {
    // An engine makes an archive of whatever is opened; its listing tells as much.
    if (transport === 'docker-daemon') return await findListed(reference, predicted, quiet)
    const image = await transportOf(reference).open(reference, quiet)
    try {
      const there = image.manifest?.digest
      if (there === undefined || predicted.manifestDigest === undefined) return 'unknown'
      return there === predicted.manifestDigest ? 'same' : 'other'
    } finally {
      await image.close()
    }
  } catch (error) {
    if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
    if (error.code === 'NOT_FOUND') return 'none'
    if (error instanceof EnvironmentError && error.code !== 'UNAUTHORIZED') throw error
    // Something is there that cannot be opened as one image: an index of several, or what is damaged.
    return 'unknown'
  }
}

async function findListed(reference: Reference, {imageId}: Predicted, options: OpenOptions): Promise<There> {
  const rows = await transportOf(reference).list(reference, options)
  if (rows.length === 0) return 'none'
  return imageId !== undefined && rows.some((row) => row.imageId === imageId) ? 'same' : 'unknown'
}

/** Archives are compared as a whole, byte for byte; one without the image is certainly another. */
async function findInArchive({imageId}: Predicted, {reference, options}: Place): Promise<There> {
  const {selector: _, ...file} = reference
  try {
    const rows = await transportOf(file).list(file, quietly(options))
    return imageId === undefined || rows.some((row) => row.imageId === imageId) ? 'unknown' : 'other'
  } catch (error) {
    if (!(error instanceof TransshipError) || error.exitCode !== 3) throw error
    return 'other'
  }
}

function quietly(options: ConvertOptions): OpenOptions {
  const {platform: _, onEvent: __, ...rest} = openOptions(options, [])
  return rest
}

/** Digests that follow from the source where every layer is passed on as it is stored. */
function predict(draft: ImageDraft, options: ConvertOptions): Predicted {
  const diffIds = draft.layers.flatMap(({diffId, isUntouched}) => (isUntouched === undefined ? (diffId ?? []) : []))
  // A payload may have been edited since its package was made.
  if (diffIds.length !== draft.layers.length || draft.layers.some((layer) => layer.package !== undefined)) return {}
  const config = draft.config(diffIds)
  const imageId = digestOf(config.bytes)
  const layers = draft.layers.map((layer, index) => partOf(layer, diffIds[index], options))
  if (!layers.every((part) => part !== undefined)) return {imageId}
  const parts = {config: {digest: imageId, size: config.bytes.byteLength}, layers}
  const manifest = manifestFor(parts, {kept: draft.manifest, family: options.manifestFormat})
  return {imageId, manifestDigest: digestOf(manifest.bytes)}
}

function partOf(
  {blob, hasContent}: ImageDraft['layers'][number],
  diffId: Digest | undefined,
  {compression: wanted, compressionLevel: level}: ConvertOptions,
) {
  if (blob === undefined || diffId === undefined) return undefined
  const {descriptor, compression} = blob
  if (!hasContent) return descriptor
  if (compression !== 'none' && compression !== 'gzip' && compression !== 'zstd') return undefined
  if ((wanted !== undefined && wanted !== compression) || (level !== undefined && wanted !== 'none')) return undefined
  return {diffId, digest: descriptor.digest, size: descriptor.size, compression}
}

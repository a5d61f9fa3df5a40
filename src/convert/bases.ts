import {InputError} from '../model/errors.js'
import type {Image, KnownPackage, Layer} from '../model/image.js'
import {formatFullName, isSamePackage, type PackageIdentity} from '../model/package-identity.js'
import type {Reference} from '../model/reference.js'
import {transportOf} from '../transports/catalog.js'
import {dependencyError} from '../formats/package/dependency-error.js'
import {BASE_MISMATCH, differenceOf} from '../formats/package/payload-mark.js'
import type {OpenOptions} from '../model/transport.js'
import {labelledLayers} from './labelled-layers.js'

export interface SupplyOptions extends OpenOptions {
  /** The source, for messages. */
  readonly source: string
  /** The lowest layers may stay missing: they are what is to be left out. */
  readonly withoutBase?: boolean | undefined
  readonly becomesPackages: boolean
}

/**
 * Fills in the layers that a source only names from the images that `--base` gives: the layer with the same diffID, or
 * the payload of the same package with all it builds on, or the layers of an image of the same OS version. Closing the
 * image closes the bases. Throws `LAYER_MISSING` where a layer that was taken out of the source stays missing.
 */
export async function supplyBases(
  image: Image,
  references: readonly Reference[],
  options: SupplyOptions,
): Promise<Image> {
  const bases: Image[] = []
  const close = async () => {
    for (const opened of [image, ...bases]) await opened.close()
  }
  try {
    const isWhole = image.layers.every((layer) => layer.hasContent)
    // Packages that are to be made depend on those that their layers are known as.
    const asksWhatIsKnown = options.becomesPackages && image.layers[0]?.package === undefined
    if (!isWhole || asksWhatIsKnown)
      for (const reference of references) bases.push(await transportOf(reference).open(reference, options))
    const layers = image.layers.flatMap((layer) => (layer.hasContent ? [layer] : supply(layer, bases, options)))
    requireSupplied(layers, options)
    return bases.length === 0 ? image : {...image, layers, known: bases.flatMap(knownIn), close}
  } catch (error) {
    await close()
    throw error
  }
}

/** A foreign layer may stay where it is, and a package a stub; what was taken out of the source is nowhere. */
function requireSupplied(layers: readonly Layer[], {source, withoutBase = false}: SupplyOptions): void {
  const lowestHeld = layers.findIndex(({hasContent}) => hasContent)
  const mayMiss = withoutBase ? (lowestHeld < 0 ? layers.length : lowestHeld) : 0
  const lost = layers.find(
    ({hasContent, absence, package: own}, index) =>
      !hasContent && absence !== undefined && own === undefined && index >= mayMiss,
  )
  if (lost === undefined) return
  throw new InputError('LAYER_MISSING', {
    what: `The source does not contain the content of ${lost.title}.`,
    ...(lost.absence === undefined ? {} : {why: lost.absence}),
    suggestions: [
      'Pass --base REFERENCE with an image that contains it.',
      'If it is the operating system and you convert to packages, pass --without-base to write a stub for it.',
    ],
    at: {reference: source, path: lost.title},
  })
}

function knownIn(base: Image): readonly KnownPackage[] {
  const labelled = labelledLayers(base)
  return base.layers.flatMap(({diffId, package: own}, index) => {
    const metadata = own ?? labelled[index]?.metadata
    if (diffId === undefined || metadata === undefined) return []
    const {identity, isOsImage, dependencies} = metadata
    const [below] = dependencies
    return [{diffId, identity, isOsImage, ...(below === undefined ? {} : {below})}]
  })
}

/** What stands in for a layer that the source only names. Throws `DEPENDENCY_MISMATCH` when the bases have another payload of its name. */
function supply(layer: Layer, bases: readonly Image[], options: OpenOptions): readonly Layer[] {
  for (const base of bases) {
    const index = base.layers.findIndex(
      (candidate) => candidate.hasContent && candidate.diffId !== undefined && candidate.diffId === layer.diffId,
    )
    const found = base.layers.slice(0, index + 1)
    // An OS package is all that lies below; a layer of an image is itself alone.
    const isWhole = layer.package?.isOsImage === true && found.every((each) => each.hasContent)
    if (found.length > 0) return isWhole ? withTop(layer, found) : [withPackageOf(layer, ...found.slice(-1))]
  }
  if (layer.package === undefined) return [layer]
  const {identity} = layer.package
  let difference: string | undefined
  for (const base of bases) {
    const index = base.layers.findIndex((_, position) => isPackage(base, position, identity))
    const found = base.layers.slice(0, index + 1)
    const [top] = found.slice(-1)
    if (top === undefined || !found.every((each) => each.hasContent)) continue
    const other = differenceOf(layer, top)
    if (other === undefined) return withTop(layer, found)
    difference ??= other
    if (options.acceptBaseMismatch !== true) continue
    noteMismatch(options, formatFullName(identity), other)
    return withTop(layer, found)
  }
  if (difference !== undefined) throw dependencyError(formatFullName(identity), {isMismatch: true, why: difference})
  return layer.package.isOsImage ? supplyOs(layer, identity, bases, options) : [layer]
}

function isPackage(base: Image, index: number, identity: PackageIdentity): boolean {
  const layer = base.layers[index]
  if (layer?.package !== undefined) return isSamePackage(layer.package.identity, identity)
  const labelled = labelledLayers(base)[index]
  return labelled !== undefined && isSamePackage(labelled.metadata.identity, identity)
}

/** An image that knows nothing of packages stands for the OS package of its version; never one of other layers than those recorded. */
function supplyOs(
  layer: Layer,
  identity: PackageIdentity,
  bases: readonly Image[],
  options: OpenOptions,
): readonly Layer[] {
  const complete = bases.filter((base) => base.layers.length > 0 && base.layers.every((each) => each.hasContent))
  const exact = complete.find((base) => base.platform.osVersion === identity.version)
  const taken = exact ?? (options.acceptBaseMismatch === true ? complete[0] : undefined)
  if (taken === undefined) return [layer]
  const subject = formatFullName(identity)
  const [top] = taken.layers.slice(-1)
  const difference = top === undefined ? undefined : differenceOf(layer, top)
  if (difference !== undefined && options.acceptBaseMismatch !== true)
    throw dependencyError(subject, {isMismatch: true, why: difference})
  const message = `${taken.names[0] ?? 'An image'} of OS version ${taken.platform.osVersion ?? 'unknown'} is used in its place.`
  if (exact === undefined || difference !== undefined) noteMismatch(options, subject, message)
  else options.onEvent?.({kind: 'note', code: 'base-supplied', message, subject})
  return withTop(layer, taken.layers)
}

function noteMismatch({onEvent}: OpenOptions, subject: string, message: string): void {
  onEvent?.({kind: 'note', code: BASE_MISMATCH, message, subject})
}

/** The package that was asked for is what the topmost of the layers completes. */
function withTop(layer: Layer, found: readonly Layer[]): readonly Layer[] {
  return found.map((each, index) => (index === found.length - 1 ? withPackageOf(layer, each) : each))
}

/** What was only named, with what holds its content. */
function withPackageOf(layer: Layer, found: Layer = layer): Layer {
  const {absence: _absence, isMismatch: _isMismatch, payloadDigest: _payloadDigest, diffId: _diffId, ...named} = layer
  const known = found.package ?? layer.package
  return {...named, ...found, ...(known === undefined ? {} : {package: known})}
}

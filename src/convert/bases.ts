import {InputError} from '../model/errors.js'
import type {Image, Layer} from '../model/image.js'
import {formatFullName, isSamePackage, type PackageIdentity} from '../model/package-identity.js'
import type {Reference} from '../model/reference.js'
import {transportOf} from '../transports/catalog.js'
import type {OpenOptions} from '../model/transport.js'
import {labelledPackages} from './package-label.js'

export interface SupplyOptions extends OpenOptions {
  /** The source, for messages. */
  readonly source: string
  /** The lowest layers may stay missing: they are what is to be left out. */
  readonly withoutBase?: boolean | undefined
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
    if (!isWhole) for (const reference of references) bases.push(await transportOf(reference).open(reference, options))
    const layers = image.layers.flatMap((layer) => (layer.hasContent ? [layer] : supply(layer, bases, options)))
    requireSupplied(layers, options)
    return bases.length === 0 ? image : {...image, layers, close}
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
    what: `The content of ${lost.title} is not in the source.`,
    ...(lost.absence === undefined ? {} : {why: lost.absence}),
    suggestions: [
      'Give --base REFERENCE with an image that holds it.',
      'Towards packages, give --without-base if it is the operating system: a stub of that is written.',
    ],
    at: {reference: source, path: lost.title},
  })
}

function supply(layer: Layer, bases: readonly Image[], options: OpenOptions): readonly Layer[] {
  const sameLayer = bases
    .flatMap((base) => base.layers)
    .find((candidate) => candidate.hasContent && candidate.diffId !== undefined && candidate.diffId === layer.diffId)
  if (sameLayer !== undefined) return [withPackageOf(layer, sameLayer)]
  if (layer.package === undefined) return [layer]
  const {identity} = layer.package
  for (const base of bases) {
    const index = base.layers.findIndex((_, position) => isPackage(base, position, identity))
    const found = base.layers.slice(0, index + 1)
    if (found.length > 0 && found.every((each) => each.hasContent)) return withTop(layer, found)
  }
  return layer.package.isOsImage ? supplyOs(layer, identity, bases, options) : [layer]
}

function isPackage(base: Image, index: number, identity: PackageIdentity): boolean {
  const layer = base.layers[index]
  if (layer?.package !== undefined) return isSamePackage(layer.package.identity, identity)
  const labelled = labelledPackages(base).find((candidate) => candidate.diffId === layer?.diffId)
  return labelled !== undefined && isSamePackage(labelled.metadata.identity, identity)
}

/** An image that knows nothing of packages stands for the OS package of its version. */
function supplyOs(
  layer: Layer,
  identity: PackageIdentity,
  bases: readonly Image[],
  {acceptBaseMismatch, onEvent}: OpenOptions,
): readonly Layer[] {
  const complete = bases.filter((base) => base.layers.length > 0 && base.layers.every((each) => each.hasContent))
  const exact = complete.find((base) => base.platform.osVersion === identity.version)
  const taken = exact ?? (acceptBaseMismatch === true ? complete[0] : undefined)
  if (taken === undefined) return [layer]
  const code = exact === undefined ? 'base-mismatch' : 'base-supplied'
  const message = `${taken.names[0] ?? 'An image'} of OS version ${taken.platform.osVersion ?? 'unknown'} stands in for it.`
  onEvent?.({kind: 'note', code, message, subject: formatFullName(identity)})
  return withTop(layer, taken.layers)
}

/** The package that was asked for is what the topmost of the layers completes. */
function withTop(layer: Layer, found: readonly Layer[]): readonly Layer[] {
  return found.map((each, index) => (index === found.length - 1 ? withPackageOf(layer, each) : each))
}

function withPackageOf(layer: Layer, found: Layer): Layer {
  const known = found.package ?? layer.package
  return {...layer, ...found, ...(known === undefined ? {} : {package: known})}
}

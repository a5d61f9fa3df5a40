import type {Image, Layer} from '../model/image.js'
import type {Reference} from '../model/reference.js'
import {transportOf} from '../transports/catalog.js'
import type {OpenOptions} from '../transports/transport.js'

/**
 * Fills in the layers that a source only names from the images that `--base` gives: the layer with the same diffID, or
 * the payload of the same package. Closing the image closes the bases.
 */
export async function supplyBases(
  image: Image,
  references: readonly Reference[],
  options: OpenOptions,
): Promise<Image> {
  if (references.length === 0 || image.layers.every((layer) => layer.hasContent)) return image
  const bases: Image[] = []
  const close = async () => {
    for (const opened of [image, ...bases]) await opened.close()
  }
  try {
    for (const reference of references) bases.push(await transportOf(reference).open(reference, options))
  } catch (error) {
    await close()
    throw error
  }
  const supplies = bases.flatMap((base) => base.layers).filter((layer) => layer.hasContent)
  return {...image, layers: image.layers.map((layer) => (layer.hasContent ? layer : supply(layer, supplies))), close}
}

function supply(layer: Layer, supplies: readonly Layer[]): Layer {
  const found = supplies.find((candidate) => candidate.diffId !== undefined && candidate.diffId === layer.diffId)
  return found === undefined
    ? layer
    : {...layer, ...found, ...(layer.package === undefined ? {} : {package: layer.package})}
}

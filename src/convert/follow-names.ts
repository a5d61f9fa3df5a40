import type {Layer} from '../model/image.js'
import type {ImageNames} from '../model/image-names.js'

/**
 * A layer whose names are checked as its entries pass, and whose hard links tell what they mean. Stored bytes that a
 * destination passes on are not decoded, and so not looked at.
 */
export function followingNames(layer: Layer, index: number, names: ImageNames): Layer {
  if (!layer.hasContent) return layer
  return {...layer, entries: (options = {}) => names.follow(index, layer.entries(options), options)}
}

import type {Layer} from '../model/image.js'
import type {LayerTap} from '../model/layer-tap.js'

/** The same layer, which shows its bytes while its entries are read. */
export function tapped(layer: Layer, tap: LayerTap): Layer {
  return {...layer, entries: (options) => layer.entries({...options, tap})}
}

import type {Layer} from '../../model/image.js'

/**
 * The layer of an image that has a manifest, on its way from or to an image registry. To unpack it on the way would cost
 * several times the transfer and protect from nobody: whoever states a wrong diffID could state any content as well, and
 * every engine checks it when it unpacks. So do skopeo and crane. What a package keeps is no such thing: a conversion says
 * of it that it is exact.
 */
export function vouchedFor(layer: Layer): Layer {
  return layer.blob === undefined || layer.package !== undefined
    ? layer
    : {...layer, blob: {...layer.blob, isVouchedFor: true}}
}

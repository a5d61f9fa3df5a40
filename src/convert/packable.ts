import {InputError, UnsupportedError} from '../model/errors.js'
import type {Image} from '../model/image.js'

/** Throws `PLATFORM_UNSUPPORTED` or `LAYER_MISSING` for an image that can become no package. */
export function requirePackable(image: Image, {all = false}: {readonly all?: boolean}): void {
  if (image.platform.os !== 'windows') {
    throw new UnsupportedError('PLATFORM_UNSUPPORTED', {
      what: `A package holds Windows payload; this image is for ${image.platform.os}.`,
      suggestions: [
        'Convert it between Docker-side transports only.',
        ...(all ? ['Take the images for Windows alone: --platform windows/amd64'] : []),
      ],
    })
  }
  if (image.layers.length === 0) {
    throw new InputError('LAYER_MISSING', {what: 'The image has no layers, so there is nothing to put into a package.'})
  }
}

import {InputError, UnsupportedError} from '../model/errors.js'
import type {Image} from '../model/image.js'

/** Throws `PLATFORM_UNSUPPORTED` or `LAYER_MISSING` for an image that can become no package. */
export function requirePackable(image: Image, {all = false}: {readonly all?: boolean}): void {
  if (image.platform.os !== 'windows') {
    throw new UnsupportedError('PLATFORM_UNSUPPORTED', {
      what: `A package can only store Windows content, but this image is for ${image.platform.os}.`,
      suggestions: [
        'Convert it to an image destination instead.',
        ...(all ? ['Convert only the images for Windows: --platform windows/amd64'] : []),
      ],
    })
  }
  if (image.layers.length === 0) {
    throw new InputError('LAYER_MISSING', {what: 'The image has no layers, so a package would be empty.'})
  }
}

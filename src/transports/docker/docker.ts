import type {Transport} from '../transport.js'
import {createDestination} from './destination.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'
import {listImages, openImage, verifyImages} from './source.js'

/** Image registries, by the distribution interface that Docker Hub and all others speak. */
export const docker: Transport = {
  name: NAME,
  grammar: GRAMMAR,
  parse: parseLocation,
  format: formatLocation,
  recognises: () => Promise.resolve(false),
  list: listImages,
  open: openImage,
  create: createDestination,
  verify: verifyImages,
}

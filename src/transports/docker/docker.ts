import type {Transport} from '../../model/transport.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'

// The HTTP client takes a tenth of a second to load, which no run that stays on this machine should pay.
const source = () => import('./source.js')
const destination = () => import('./destination.js')

/** Image registries, by the distribution interface that Docker Hub and all others speak. */
export const docker: Transport = {
  name: NAME,
  grammar: GRAMMAR,
  parse: parseLocation,
  format: formatLocation,
  recognises: () => Promise.resolve(false),
  list: async (reference, options) => (await source()).listImages(reference, options),
  open: async (reference, options) => (await source()).openImage(reference, options),
  openIndex: async (reference, options) => (await source()).openIndex(reference, options),
  create: async (reference, options) => (await destination()).createDestination(reference, options),
  verify: async (reference, options) => (await source()).verifyImages(reference, options),
}

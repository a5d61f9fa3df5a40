import {importOptional} from '../../model/optional-package.js'
import type {Transport} from '../../model/transport.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'

// gRPC takes a tenth of a second to load, which no run that asks no containerd should pay.
const PURPOSE = "Reaching containerd's store"
const source = () => importOptional(PURPOSE, () => import('./source.js'))
const destination = () => importOptional(PURPOSE, () => import('./destination.js'))

/** Images in containerd's own store, by its gRPC interface: no image registry is asked. */
export const containerd: Transport = {
  name: NAME,
  grammar: GRAMMAR,
  parse: parseLocation,
  format: formatLocation,
  recognises: () => Promise.resolve(false),
  list: async (reference, options) => (await source()).listImages(reference, options),
  open: async (reference, options) => (await source()).openImage(reference, options),
  create: async (reference, options) => (await destination()).createDestination(reference, options),
  verify: async (reference, options) => (await source()).verifyImages(reference, options),
}

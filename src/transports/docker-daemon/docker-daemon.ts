import type {Transport} from '../../model/transport.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'

// No run that asks no engine should pay for what speaks to one.
const source = () => import('./source.js')
const destination = () => import('./destination.js')

/** Images in an engine on this machine or another: Docker or Podman, by the engine API. */
export const dockerDaemon: Transport = {
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

import type {Transport} from '../../model/transport.js'
import {lazyTransport} from '../../model/lazy-transport.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'

const source = () => import('./source.js')

/** Image registries, by the distribution interface that Docker Hub and all others speak. */
export const docker: Transport = {
  ...lazyTransport(
    {name: NAME, grammar: GRAMMAR, parse: parseLocation, format: formatLocation},
    {source, destination: () => import('./destination.js')},
  ),
  openIndex: async (reference, options) => (await source()).openIndex(reference, options),
}

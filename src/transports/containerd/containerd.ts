import {importOptional} from '../../model/optional-package.js'
import {lazyTransport} from '../../model/lazy-transport.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'

const PURPOSE = "Reaching containerd's store"

/** Images in containerd's own store, by its gRPC interface: no image registry is asked. */
export const containerd = lazyTransport(
  {name: NAME, grammar: GRAMMAR, parse: parseLocation, format: formatLocation},
  {
    source: () => importOptional(PURPOSE, () => import('./source.js')),
    index: () => importOptional(PURPOSE, () => import('./open-index.js')),
    destination: () => importOptional(PURPOSE, () => import('./destination.js')),
  },
)

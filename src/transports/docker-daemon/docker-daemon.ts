import {lazyTransport} from '../../model/lazy-transport.js'
import {formatLocation, GRAMMAR, NAME, parseLocation} from './reference.js'

/** Images in an engine on this machine or another: Docker or Podman, by the engine API. */
export const dockerDaemon = lazyTransport(
  {name: NAME, grammar: GRAMMAR, parse: parseLocation, format: formatLocation},
  {source: () => import('./source.js'), destination: () => import('./destination.js')},
)

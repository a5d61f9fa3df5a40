import type {KeptFacts} from '../../model/transport.js'
import {platformOf} from './fitting-packages.js'
import type {StoredPackage} from './repository.js'
import {layerOfPackage} from './stored-layer.js'

/** What a package keeps for the way back, as its metadata tell. */
export function keptFactsOf(stored: StoredPackage): KeptFacts {
  const {ConfigDigest: configDigest, ManifestDigest: manifestDigest} = stored.docker ?? {}
  return {
    ...(configDigest === undefined ? {} : {configDigest}),
    ...(manifestDigest === undefined ? {} : {manifestDigest}),
    platform: platformOf(stored),
    layer: () => layerOfPackage(stored),
  }
}

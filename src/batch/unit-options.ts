import {parseCompression, parseLayers, parseOsLayers} from '../convert/option-text.js'
import type {ConvertOptions} from '../convert/options.js'
import {findReference, formatReference} from '../transports/catalog.js'
import type {NetworkOptions} from '../transports/transport.js'
import {textsOf} from './parse-plan.js'
import {pathIn, referenceIn} from './place.js'
import type {PlanOptions} from './plan-schema.js'

/** The options of a plan as those of the library; what is a path is relative to `folder`. Throws `BAD_OPTION`. */
export function unitOptions(options: PlanOptions, folder: string): ConvertOptions {
  const osLayers = options['os-layers'] === undefined ? undefined : parseOsLayers(String(options['os-layers']))
  const dockerConfig = options['docker-config']
  const given: {[K in keyof ConvertOptions]: ConvertOptions[K] | undefined} = {
    ...(options.layers === undefined ? {} : parseLayers(options.layers)),
    ...(options.compression === undefined ? {} : parseCompression(options.compression)),
    osLayers: osLayers === 'auto' ? undefined : osLayers,
    withBase: options['with-base'],
    withoutBase: options['without-base'],
    all: options.all,
    keepRecipe: options['keep-recipe'],
    name: options.name,
    publisher: options.publisher,
    packageVersion: options['package-version'],
    tags: options.tag === undefined ? undefined : textsOf(options.tag),
    archiveFormat: options['archive-format'],
    manifestFormat: options['manifest-format'],
    replace: options.replace,
    strict: options.strict,
    concurrency: options.concurrency,
    sourceDateEpoch: options['source-date-epoch'],
    platform: options.platform,
    bases: options.base === undefined ? undefined : textsOf(options.base).map((text) => placed(text, folder)),
    parents: options.parent === undefined ? undefined : textsOf(options.parent).map((text) => placed(text, folder)),
    acceptBaseMismatch: options['accept-base-mismatch'],
    tlsVerify: options['tls-verify'],
    dockerConfig: dockerConfig === undefined ? undefined : pathIn(folder, dockerConfig),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** How a unit reaches registries and engines: as its options say, else as `network` does for all. */
export function unitNetwork(options: PlanOptions, folder: string, network: NetworkOptions = {}): NetworkOptions {
  const {'tls-verify': tlsVerify, 'docker-config': dockerConfig} = options
  return {
    ...network,
    ...(tlsVerify === undefined ? {} : {tlsVerify}),
    ...(dockerConfig === undefined ? {} : {dockerConfig: pathIn(folder, dockerConfig)}),
  }
}

function placed(text: string, folder: string): string {
  const reference = findReference(text)
  return reference === undefined ? pathIn(folder, text) : formatReference(referenceIn(folder, reference))
}

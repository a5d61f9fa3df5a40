import {parseCompression, parseLayers, parseOsLayers, parseSize} from '../convert/option-text.js'
import type {ConvertOptions} from '../convert/options.js'
import {findReference, formatReference} from '../transports/catalog.js'
import {parseEngineEndpoint} from '../engine-api/endpoint.js'
import type {EnginePlaces} from '../model/engine-places.js'
import {UsageError} from '../model/errors.js'
import type {UnpackOptions} from '../model/limits.js'
import type {NetworkOptions} from '../model/transport.js'
import {textsOf} from './parse-plan.js'
import {pathIn, referenceIn} from './place.js'
import type {PlanOptions} from './plan-schema.js'

/** Where the paths of options lie, and how this machine reaches registries and engines when a plan says nothing. */
export interface UnitSurroundings {
  /** Of the plan. */
  readonly folder: string
  readonly network?: NetworkOptions | undefined
}

/** The options of a plan as those of the library; what is a path is relative to the plan's folder. Throws `BAD_OPTION`. */
export function unitOptions(options: PlanOptions, {folder, network}: UnitSurroundings): ConvertOptions {
  const osLayers = options['os-layers'] === undefined ? undefined : parseOsLayers(String(options['os-layers']))
  const given: {[K in keyof ConvertOptions]: ConvertOptions[K] | undefined} = {
    ...(options.layers === undefined ? {} : parseLayers(options.layers)),
    ...(options.compression === undefined ? {} : parseCompression(options.compression)),
    osLayers: osLayers === 'auto' ? undefined : osLayers,
    withBase: options['with-base'],
    withoutBase: options['without-base'],
    all: options.all,
    keepRecipe: options['keep-recipe'],
    pins: options.pins,
    referrers: options.referrers,
    companions: options.companions,
    osName: options['os-name'],
    osVersion: options['os-version'],
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
    ...unitOpening(options, {folder, network}),
  }
  return withoutUndefined(given)
}

/**
 * How what an item names is opened, to list, weigh, check or convert it alike: reached as its options say, and unpacked within
 * their limits. Throws `BAD_OPTION`.
 */
export function unitOpening(options: PlanOptions, surroundings: UnitSurroundings): NetworkOptions & UnpackOptions {
  return {...unitNetwork(options, surroundings), ...unitLimits(options)}
}

function unitLimits(options: PlanOptions): UnpackOptions {
  return withoutUndefined({
    maxUnpackedBytes: sizeOf(options['max-unpacked']),
    maxRatio: options['max-ratio'],
    maxEntries: options['max-entries'],
    maxNameDepth: options['max-name-depth'],
  })
}

/** Limits of the library as a plan spells them. */
export function limitOptions({maxUnpackedBytes, maxRatio, maxEntries, maxNameDepth}: UnpackOptions): PlanOptions {
  return withoutUndefined({
    'max-unpacked': maxUnpackedBytes,
    'max-ratio': maxRatio,
    'max-entries': maxEntries,
    'max-name-depth': maxNameDepth,
  })
}

/** As the options of an item say, else as this machine does. */
function unitNetwork(options: PlanOptions, {folder, network = {}}: UnitSurroundings): NetworkOptions {
  const placed = (text: string | undefined) => (text === undefined ? undefined : pathIn(folder, text))
  return {
    ...network,
    ...withoutUndefined({
      tlsVerify: options['tls-verify'],
      dockerConfig: placed(options['docker-config']),
      authFile: placed(options.authfile),
      certsFolder: placed(options['certs-dir']),
      allowPrivateHosts: options['allow-private-hosts'],
      leastBytesPerSecond: sizeOf(options['least-rate']),
      maxRequestSeconds: options['max-request-time'],
      engine: engineOf(options, network.engine, placed(options['engine-certs'])),
    }),
  }
}

function sizeOf(text: string | number | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(String(text))
}

/** An engine that a plan names has nothing of the one that this machine would use. */
function engineOf(
  {engine: host, 'engine-context': context}: PlanOptions,
  otherwise: EnginePlaces | undefined,
  certificates: string | undefined,
): EnginePlaces | undefined {
  const certs = certificates === undefined ? {} : {certificates}
  if (host !== undefined && context !== undefined) {
    throw new UsageError('BAD_OPTION', {
      what: 'engine and engine-context cannot be used together.',
      suggestions: ['Leave out one of them; each names an engine.'],
    })
  }
  if (host !== undefined) {
    parseEngineEndpoint(host)
    return {host, ...certs}
  }
  if (context !== undefined) return {context}
  return certificates === undefined ? otherwise : {...otherwise, ...certs}
}

function withoutUndefined<T extends object>(values: T): {[K in keyof T]?: Exclude<T[K], undefined>} {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

function placed(text: string, folder: string): string {
  const reference = findReference(text)
  return reference === undefined ? pathIn(folder, text) : formatReference(referenceIn(folder, reference))
}

import {CONFIG_SCHEMA} from '../formats/image-documents/image-documents.js'
import {parseJson} from '../codecs/json/json-document.js'
import {compileSchema, errorsText} from '../codecs/json/validator.js'
import {InputError} from '../model/errors.js'
import type {Digest} from '../model/digest.js'
import type {Platform, RawDocument} from '../model/image.js'

/** The parts of an image configuration that transship looks at; everything else stays in the bytes. */
export interface ImageConfig {
  readonly created?: string
  readonly config?: {readonly Labels?: Readonly<Record<string, string>>}
  readonly history?: readonly HistoryItem[]
  readonly rootfs?: {readonly diff_ids?: readonly string[]}
}

export interface HistoryItem {
  readonly created?: string
  readonly created_by?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** `created_by` of layers that were packages. */
export const OWN_HISTORY = 'transship'

export const CONFIG_MEDIA_TYPE = 'application/vnd.oci.image.config.v1+json'

/** As it stands in the document: an item may be null. */
type StatedConfig = Omit<ImageConfig, 'history'> & {readonly history?: readonly (HistoryItem | null)[] | null}

const validate = compileSchema<StatedConfig>(CONFIG_SCHEMA)

/** Parses a configuration document. Throws `CONFIG_INVALID`. Source: image-spec config.md. */
export function parseImageConfig(document: RawDocument): ImageConfig {
  const json = parseObject(document)
  if (!validate(json)) {
    throw new InputError('CONFIG_INVALID', {
      what: 'The image configuration is malformed.',
      why: errorsText(validate, 'config'),
    })
  }
  const {history, ...rest} = json
  return {...rest, ...(Array.isArray(history) ? {history: history.map((item: HistoryItem | null) => item ?? {})} : {})}
}

function parseObject(document: RawDocument): Record<string, unknown> {
  let json: unknown
  try {
    json = parseJson(new TextDecoder().decode(document.bytes))
  } catch (cause) {
    throw new InputError('CONFIG_INVALID', {what: 'The image configuration is not JSON.', cause})
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InputError('CONFIG_INVALID', {what: 'The image configuration is not a JSON object.'})
  }
  return Object.fromEntries(Object.entries(json))
}

/** What a configuration made by transship says. */
export interface ConfigFacts {
  readonly platform: Platform
  /** RFC 3339. */
  readonly created: string
  readonly labels: Readonly<Record<string, string>>
  readonly diffIds: readonly Digest[]
  /** One item per layer. */
  readonly history: readonly HistoryItem[]
}

/** A configuration from nothing but facts. Deterministic bytes; the key order is fixed. */
export function makeImageConfig(facts: ConfigFacts): RawDocument {
  const {platform} = facts
  return encodeConfig({
    created: facts.created,
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.osVersion === undefined ? {} : {'os.version': platform.osVersion}),
    ...(platform.osFeatures === undefined || platform.osFeatures.length === 0
      ? {}
      : {'os.features': platform.osFeatures}),
    config: {...(Object.keys(facts.labels).length === 0 ? {} : {Labels: facts.labels})},
    rootfs: {type: 'layers', diff_ids: facts.diffIds},
    history: facts.history,
  })
}

/** A kept configuration with new layers under it: everything else stays, labels are added to. */
export function rewriteImageConfig(
  document: RawDocument,
  facts: Omit<ConfigFacts, 'platform' | 'created'>,
): RawDocument {
  const config = parseImageConfig(document)
  return encodeConfig({
    ...parseObject(document),
    config: {...config.config, Labels: {...config.config?.Labels, ...facts.labels}},
    rootfs: {type: 'layers', diff_ids: facts.diffIds},
    history: facts.history,
  })
}

function encodeConfig(config: object): RawDocument {
  return {mediaType: CONFIG_MEDIA_TYPE, bytes: Buffer.from(JSON.stringify(config))}
}

/** The history items that made a layer, base first; undefined when the history does not account for every layer. */
export function layerHistory(config: ImageConfig, layers: number): readonly HistoryItem[] | undefined {
  const items = (config.history ?? []).filter((item) => item.empty_layer !== true)
  return items.length === layers ? items : undefined
}

/**
 * True for a configuration that holds nothing but what `makeImageConfig` puts in: engines and archives may have spelt it
 * anew, so keys without a value count as absent.
 */
export function isOwnConfig(document: RawDocument, ownLabel: string): boolean {
  const {config, history} = parseImageConfig(document)
  const isEmpty = (value: unknown) =>
    value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
  const known = new Set(['created', 'architecture', 'os', 'os.version', 'os.features', 'config', 'rootfs', 'history'])
  const others = Object.entries(parseObject(document)).filter(([key, value]) => !known.has(key) && !isEmpty(value))
  const settings = Object.entries(config ?? {}).filter(([key, value]) => key !== 'Labels' && !isEmpty(value))
  const labels = Object.keys(config?.Labels ?? {}).filter((key) => key !== ownLabel)
  const isOwnHistory = (history ?? []).every((item) => item.created_by === OWN_HISTORY)
  return others.length === 0 && settings.length === 0 && labels.length === 0 && isOwnHistory
}

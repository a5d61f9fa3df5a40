import {findDigest, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {Descriptor, Platform} from '../../model/image.js'
import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../../codecs/json/json-document.js'

/* The three documents of an image: index, manifest, configuration. Source: image-spec; Docker's are the same shape. */

/** A descriptor as documents spell it; `platform` occurs in an index. */
export interface StatedDescriptor {
  readonly mediaType: string
  readonly artifactType?: string | null
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[] | null
  readonly annotations?: Readonly<Record<string, string>> | null
  readonly platform?: StatedPlatform | null
  /** Base64 of the blob itself. */
  readonly data?: string | null
}

export interface StatedPlatform {
  readonly os?: string
  readonly architecture?: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[] | null
}

/** What a document refers to; cosign leaves out its size. */
export interface StatedSubject {
  readonly digest: string
}

export interface IndexDocument {
  readonly mediaType?: string
  readonly artifactType?: string | null
  /** Docker 25.0 wrote null for images saved by digest. */
  readonly manifests?: readonly StatedDescriptor[] | null
  readonly subject?: StatedSubject | null
  readonly annotations?: Readonly<Record<string, string>> | null
}

export interface ManifestDocument {
  readonly mediaType?: string
  readonly artifactType?: string | null
  readonly subject?: StatedSubject | null
  readonly config: StatedDescriptor
  readonly layers?: readonly StatedDescriptor[] | null
  readonly annotations?: Readonly<Record<string, string>> | null
}

export interface ConfigDocument {
  readonly os?: string
  readonly architecture?: string
  readonly created?: string | null
  readonly 'os.version'?: string
  readonly variant?: string
  readonly 'os.features'?: readonly string[] | null
  readonly rootfs?: {
    readonly type?: string
    readonly base_layer?: string
    readonly diff_ids?: readonly string[] | null
  } | null
}

const texts = {type: 'object', nullable: true, additionalProperties: {type: 'string'}} as const
const text = {type: 'string'} as const
const descriptor = {
  type: 'object',
  required: ['mediaType', 'digest', 'size'],
  properties: {
    mediaType: text,
    artifactType: {type: 'string', nullable: true},
    digest: text,
    size: {type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER},
    urls: {type: 'array', nullable: true, items: text},
    annotations: texts,
    platform: {
      type: 'object',
      nullable: true,
      properties: {
        os: text,
        architecture: text,
        variant: text,
        'os.version': text,
        'os.features': {type: 'array', nullable: true, items: text},
      },
    },
    data: {type: 'string', nullable: true},
  },
} as const

const artifactType = {type: 'string', nullable: true} as const
const subject = {type: 'object', nullable: true, required: ['digest'], properties: {digest: text}} as const

/** A document may be an index or a manifest, never both: readers would disagree (CVE-2021-41190). */
const notBoth = (other: string) => ({not: {required: [other]}})

const validateIndex = compileSchema<IndexDocument>({
  type: 'object',
  properties: {
    mediaType: text,
    artifactType,
    subject,
    manifests: {type: 'array', nullable: true, items: descriptor},
    annotations: texts,
  },
  allOf: [notBoth('layers'), notBoth('config')],
})

const validateManifest = compileSchema<ManifestDocument>({
  type: 'object',
  required: ['config'],
  properties: {
    mediaType: text,
    artifactType,
    subject,
    config: descriptor,
    layers: {type: 'array', nullable: true, items: descriptor},
    annotations: texts,
  },
  ...notBoth('manifests'),
})

const maybeText = {type: 'string', nullable: true} as const

/**
 * A configuration as far as any reader of it looks: what one of them refuses, opening and verifying refuse as well. Null
 * stands for nothing, as Go reads it. Source: image-spec config.md; moby image/image.go.
 */
export const CONFIG_SCHEMA = {
  type: 'object',
  properties: {
    os: text,
    architecture: text,
    created: maybeText,
    'os.version': text,
    'os.features': {type: 'array', nullable: true, items: text},
    config: {type: 'object', nullable: true, properties: {Labels: texts}},
    history: {
      type: 'array',
      nullable: true,
      items: {
        type: 'object',
        nullable: true,
        properties: {
          created: maybeText,
          created_by: maybeText,
          comment: maybeText,
          empty_layer: {type: 'boolean', nullable: true},
        },
      },
    },
    rootfs: {
      type: 'object',
      nullable: true,
      properties: {type: text, base_layer: text, diff_ids: {type: 'array', nullable: true, items: text}},
    },
  },
} as const

const validateConfig = compileSchema<ConfigDocument>(CONFIG_SCHEMA)

/** Throws `MANIFEST_INVALID`. */
export function parseIndex(bytes: Uint8Array, title: string): IndexDocument {
  return parseDocument(bytes, {title, validate: validateIndex, code: 'MANIFEST_INVALID'})
}

/** Throws `MANIFEST_INVALID`. */
export function parseManifest(bytes: Uint8Array, title: string): ManifestDocument {
  return parseDocument(bytes, {title, validate: validateManifest, code: 'MANIFEST_INVALID'})
}

/** Throws `MANIFEST_INVALID` when the digest is none. */
export function descriptorOf(stated: StatedDescriptor, title: string): Descriptor {
  const digest = findDigest(stated.digest)
  if (digest === undefined) {
    throw new InputError('MANIFEST_INVALID', {
      what: `${title} names '${stated.digest.slice(0, 200)}', which is not a digest.`,
      at: {path: title},
    })
  }
  const {mediaType, size, urls, annotations} = stated
  return {
    mediaType,
    digest,
    size,
    ...(urls === undefined || urls === null || urls.length === 0 ? {} : {urls}),
    ...(annotations === undefined || annotations === null ? {} : {annotations}),
  }
}

/** What a source needs to know of a configuration. */
export interface ConfigFacts {
  readonly platform: Platform
  readonly created?: string
  readonly diffIds: readonly Digest[]
  /** `layers+base` of Windows Docker up to 1.12: the OS layer was installed on the host and is only named. */
  readonly baseLayer?: string
}

/** Reads a configuration. Throws `CONFIG_INVALID`. Source: image-spec config.md. */
export function readConfig(bytes: Uint8Array, title: string): ConfigFacts {
  const config = parseDocument(bytes, {title, validate: validateConfig, code: 'CONFIG_INVALID'})
  const type = config.rootfs?.type ?? 'layers'
  if (type !== 'layers' && type !== 'layers+base') {
    throw new InputError('CONFIG_INVALID', {
      what: `The root file system of ${title} has the unknown type '${type.slice(0, 100)}'.`,
      why: 'Expected layers.',
      at: {path: title},
    })
  }
  const base = config.rootfs?.base_layer
  return {
    platform: platformOf(config),
    diffIds: (config.rootfs?.diff_ids ?? []).map((diffId) => requireDiffId(diffId, title)),
    ...(typeof config.created === 'string' ? {created: config.created} : {}),
    ...(type === 'layers+base' && base !== undefined ? {baseLayer: base} : {}),
  }
}

/** Docker took a missing os for Linux and a missing architecture for amd64. */
export function platformOf(config: StatedPlatform): Platform {
  const osVersion = config['os.version']
  const osFeatures = config['os.features']
  return {
    os: config.os ?? 'linux',
    architecture: config.architecture ?? 'amd64',
    ...(osVersion === undefined || osVersion === '' ? {} : {osVersion}),
    // As Go reads it: half of a surrogate pair, which no metadata could hold, is U+FFFD.
    ...(osFeatures === undefined || osFeatures === null
      ? {}
      : {osFeatures: osFeatures.map((each) => Buffer.from(each).toString())}),
  }
}

function requireDiffId(diffId: string, title: string): Digest {
  const digest = findDigest(diffId)
  if (digest !== undefined) return digest
  throw new InputError('CONFIG_INVALID', {
    what: `${title} names '${diffId.slice(0, 200)}', which is not a digest.`,
    at: {path: title},
  })
}

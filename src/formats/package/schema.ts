import {compileSchema} from '../../codecs/json/validator.js'
import {InputError} from '../../model/errors.js'
import type {FactsJson} from './package-facts.js'

/* metadata.json of a package, format version 1. Source: inbox package page, section 3.2. */

export interface IdentityJson {
  readonly Publisher: string
  readonly Name: string
  readonly Version: string
}

export interface DockerLayerJson {
  readonly DiffID: string
  readonly Recipe?: string
  /** SHA-256 of the recipe file. */
  readonly RecipeDigest?: string
  readonly Pins?: readonly PinJson[]
}

/** A compressed form in which the layer came: as a file, or as the encoder that makes the same bytes of the tar. */
export interface PinJson {
  readonly MediaType: string
  readonly Digest: string
  readonly Size: number
  readonly Compression: 'gzip' | 'zstd'
  readonly File?: string
  readonly Encoder?: string
  /** Base64 of what stands in front of the compressed bytes. */
  readonly Header?: string
}

/** A dependency, and the payload that the package was made on; packages of before state the identity alone. */
export interface DependencyJson extends IdentityJson {
  readonly PayloadDigest?: string
  readonly DiffID?: string
}

/** Extension `docker/1`: what Docker knows and a package does not. */
export interface DockerJson {
  readonly References?: readonly string[]
  readonly ConfigFile?: string
  readonly ConfigDigest?: string
  readonly ConfigMediaType?: string
  readonly ManifestFile?: string
  readonly ManifestDigest?: string
  readonly ManifestMediaType?: string
  readonly Layers?: readonly DockerLayerJson[]
  readonly Companions?: CompanionsJson
}

/** A document or blob that lies in the folder `docker` under its digest. */
export interface CompanionJson {
  readonly MediaType: string
  readonly Digest: string
  readonly Size: number
}

/** What belongs to the image and is no part of it. */
export interface CompanionsJson {
  /** Digest of the index that the image was in; it is among the documents. */
  readonly Index?: string
  readonly Documents: readonly CompanionJson[]
  readonly Blobs: readonly CompanionJson[]
  readonly Referrers: readonly {
    readonly Subject: string
    readonly Digest: string
    readonly ArtifactType: string
    readonly Tag?: string
  }[]
}

export interface PayloadJson {
  readonly Kind: 'base' | 'delta' | 'none'
  readonly Layout: 'transport-1' | 'plain-1'
  readonly Entries?: number
  readonly Bytes?: number
  readonly Digest?: string
}

export interface PackageJson extends FactsJson {
  readonly FormatVersion: 1
  readonly Publisher: string
  readonly Dependencies: readonly DependencyJson[]
  readonly Payload: PayloadJson
  readonly Extensions?: Readonly<Record<string, unknown>> & {readonly 'docker/1'?: DockerJson}
}

export interface MetadataJson {
  readonly Name: string
  readonly Version: string
  readonly Path: string
  readonly Size: number
  readonly CreatedTime: string
  readonly Package?: PackageJson
}

const name = {type: 'string', pattern: '^[-.A-Za-z0-9]{3,50}$'}
const version = {type: 'string', pattern: '^(0|[1-9][0-9]{0,4})(\\.(0|[1-9][0-9]{0,4})){3}$'}
const publisher = {
  type: 'string',
  pattern: '^CN=[^,+="<>#;]+(, (CN|L|O|OU|E|C|S|STREET|T|G|I|SN|DC|SERIALNUMBER)=[^,+="<>#;]+)*$',
  maxLength: 8192,
}
const identity = {
  type: 'object',
  required: ['Publisher', 'Name', 'Version'],
  properties: {Publisher: publisher, Name: name, Version: version},
}
const text = {type: 'string'}
/** Half of a surrogate pair has no form in UTF-8: a label could not hold it, and it would come back as another text. */
const wellFormed = {type: 'string', pattern: '^\\P{Surrogate}*$'}
const digest = {type: 'string', pattern: '^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$'}
const dependency = {...identity, properties: {...identity.properties, PayloadDigest: digest, DiffID: digest}}
/** A file of the package: below it, without a way out. */
const file = {type: 'string', pattern: '^docker/[A-Za-z0-9][-A-Za-z0-9._]*$'}
const pin = {
  type: 'object',
  required: ['MediaType', 'Digest', 'Size', 'Compression'],
  properties: {
    MediaType: text,
    Digest: digest,
    Size: {type: 'integer', minimum: 0},
    Compression: {enum: ['gzip', 'zstd']},
    File: file,
    Encoder: {type: 'string', pattern: '^[a-z0-9.:-]{1,64}$'},
    Header: {type: 'string', pattern: '^[A-Za-z0-9+/]{1,64}={0,2}$'},
  },
  oneOf: [{required: ['File']}, {required: ['Encoder', 'Header']}],
}

const companion = {
  type: 'object',
  required: ['MediaType', 'Digest', 'Size'],
  properties: {MediaType: text, Digest: digest, Size: {type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER}},
}
const companions = {
  type: 'object',
  required: ['Documents', 'Blobs', 'Referrers'],
  properties: {
    Index: digest,
    Documents: {type: 'array', maxItems: 10_000, items: companion},
    Blobs: {type: 'array', maxItems: 100_000, items: companion},
    Referrers: {
      type: 'array',
      maxItems: 10_000,
      items: {
        type: 'object',
        required: ['Subject', 'Digest', 'ArtifactType'],
        properties: {Subject: digest, Digest: digest, ArtifactType: text, Tag: text},
      },
    },
  },
}

/** What may stand in the extension; other keys are let be when a package is read, and told when it is verified. */
export const DOCKER_SCHEMA = {
  type: 'object',
  properties: {
    References: {type: 'array', items: text},
    ConfigFile: file,
    ConfigDigest: digest,
    ConfigMediaType: text,
    ManifestFile: file,
    ManifestDigest: digest,
    ManifestMediaType: text,
    Companions: companions,
    Layers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['DiffID'],
        properties: {DiffID: digest, Recipe: file, RecipeDigest: digest, Pins: {type: 'array', items: pin}},
      },
    },
  },
  dependencies: {ConfigFile: ['ConfigDigest'], ManifestFile: ['ManifestDigest']},
}

const SCHEMA = {
  type: 'object',
  required: ['Name', 'Version', 'Path', 'Size', 'CreatedTime'],
  properties: {
    Name: name,
    Version: version,
    Path: text,
    Size: {type: 'integer', minimum: 0},
    CreatedTime: {
      type: 'string',
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$',
    },
    Package: {
      type: 'object',
      required: ['FormatVersion', 'Publisher', 'Architecture', 'IsOSImage', 'Dependencies', 'Payload'],
      properties: {
        FormatVersion: {const: 1},
        Publisher: publisher,
        FriendlyName: {...wellFormed, minLength: 1, maxLength: 256},
        Description: {...wellFormed, maxLength: 2048},
        Architecture: {enum: ['x86', 'x64', 'arm', 'arm64', 'neutral']},
        OSVersion: version,
        OSFeatures: {type: 'array', items: wellFormed},
        IsOSImage: {type: 'boolean'},
        IsDeleted: {type: 'boolean'},
        Dependencies: {type: 'array', maxItems: 1, items: dependency},
        Payload: {
          type: 'object',
          required: ['Kind', 'Layout'],
          properties: {
            Kind: {enum: ['base', 'delta', 'none']},
            Layout: {enum: ['transport-1', 'plain-1']},
            Entries: {type: 'integer', minimum: 0},
            Bytes: {type: 'integer', minimum: 0},
            Digest: digest,
          },
        },
        Extensions: {type: 'object', properties: {'docker/1': DOCKER_SCHEMA}},
      },
    },
  },
}

const validate = compileSchema<MetadataJson>(SCHEMA)

/** Parses and checks a metadata.json. Throws `METADATA_INVALID` with each rule that is broken. */
export function parseMetadata(bytes: Uint8Array, place: string): MetadataJson {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes))
  } catch (error) {
    throw invalid(place, error instanceof Error ? error.message : 'It is not JSON.', error)
  }
  if (validate(json)) return json
  const faults = (validate.errors ?? []).map(
    (fault) => `${fault.instancePath || '/'} ${fault.message ?? fault.keyword}`,
  )
  throw invalid(place, `${faults.join('; ')}.`)
}

function invalid(place: string, why: string, cause?: unknown): InputError {
  return new InputError('METADATA_INVALID', {
    what: 'transship cannot read the metadata of a package.',
    why,
    suggestions: ['Restore the file from a copy, or write the package again.'],
    at: {path: place},
    cause,
  })
}

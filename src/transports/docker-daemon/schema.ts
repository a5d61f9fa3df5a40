import {compileSchema} from '../../codecs/json/validator.js'

/** Element of `GET /images/json`. */
export interface ImageSummary {
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
  readonly Size?: number
}

/** Answer of `GET /images/{name}/json`, as far as it is used. */
export interface ImageDetails {
  /** Digest of the configuration; in an engine on containerd's store, of the manifest or the index of manifests. */
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
  readonly Created?: string
  readonly Os?: string
  readonly OsVersion?: string
  readonly Architecture?: string
  readonly Variant?: string
  readonly Size?: number
  readonly RootFS?: {readonly Layers?: readonly string[] | null} | null
}

/** Answer of `GET /info`, as far as it is used. */
export interface EngineInfo {
  readonly DriverStatus?: readonly (readonly string[])[] | null
}

/** One line of the answer of `POST /images/load`: an error may be in an answer whose status was success. */
export interface LoadLine {
  readonly stream?: string
  /** In place of the others where the status was a failure. */
  readonly message?: string
  readonly error?: string
  readonly errorDetail?: {readonly message?: string} | null
}

const text = {type: 'string'} as const
const whole = {type: 'number'} as const
const texts = {type: 'array', nullable: true, items: text} as const

export const isImageList = compileSchema<readonly ImageSummary[]>({
  type: 'array',
  maxItems: 1_000_000,
  items: {type: 'object', required: ['Id'], properties: {Id: text, RepoTags: texts, Size: whole}},
})

export const isImageDetails = compileSchema<ImageDetails>({
  type: 'object',
  required: ['Id'],
  properties: {
    Id: text,
    RepoTags: texts,
    Created: text,
    Os: text,
    OsVersion: text,
    Architecture: text,
    Variant: text,
    Size: whole,
    RootFS: {type: 'object', nullable: true, properties: {Layers: texts}},
  },
})

export const isEngineInfo = compileSchema<EngineInfo>({
  type: 'object',
  properties: {DriverStatus: {type: 'array', nullable: true, items: {type: 'array', items: text}}},
})

export const isLoadLine = compileSchema<LoadLine>({
  type: 'object',
  properties: {
    stream: text,
    message: text,
    error: text,
    errorDetail: {type: 'object', nullable: true, properties: {message: text}},
  },
})

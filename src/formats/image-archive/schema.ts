import type {StatedDescriptor} from '../image-documents/image-documents.js'
import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../../codecs/json/json-document.js'

/** One image of `manifest.json`. Source: moby daemon/internal/image/tarexport/tarexport.go. */
export interface ManifestItem {
  readonly Config: string
  readonly RepoTags?: readonly string[] | null
  readonly Layers?: readonly string[] | null
  readonly Parent?: string
  /** By diffID; the only place where the URLs of a foreign layer survive `docker save`. */
  readonly LayerSources?: Readonly<Record<string, StatedDescriptor>> | null
}

/** `json` of a v1 layer directory. Source: moby daemon/internal/image/image.go V1Image. */
export interface V1Document {
  readonly id?: string
  readonly parent?: string
  readonly created?: string
  readonly author?: string
  readonly comment?: string
  readonly container_config?: {readonly Cmd?: readonly string[] | string | null} | null
  readonly os?: string
  readonly architecture?: string
  readonly 'os.version'?: string
}

const text = {type: 'string'} as const
const texts = {type: 'array', nullable: true, items: text} as const

const validateManifests = compileSchema<readonly ManifestItem[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['Config'],
    properties: {
      Config: text,
      RepoTags: texts,
      Layers: texts,
      Parent: text,
      LayerSources: {
        type: 'object',
        nullable: true,
        additionalProperties: {
          type: 'object',
          required: ['mediaType', 'digest', 'size'],
          properties: {
            mediaType: text,
            digest: text,
            size: {type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER},
            urls: texts,
          },
        },
      },
    },
  },
})

const validateRepositories = compileSchema<Readonly<Record<string, Readonly<Record<string, string>>>>>({
  type: 'object',
  additionalProperties: {type: 'object', additionalProperties: text},
})

const validateV1 = compileSchema<V1Document>({
  type: 'object',
  properties: {
    id: text,
    parent: text,
    created: text,
    author: text,
    comment: text,
    os: text,
    architecture: text,
    'os.version': text,
    container_config: {
      type: 'object',
      nullable: true,
      properties: {Cmd: {anyOf: [{type: 'array', items: text}, text, {type: 'null'}]}},
    },
  },
})

/** Go decodes without regard to case, so other spellings are in use. Throws `MANIFEST_INVALID`. */
export function parseManifestItems(bytes: Uint8Array): readonly ManifestItem[] {
  const keysInAnyCase = ['Config', 'RepoTags', 'Layers', 'Parent', 'LayerSources']
  return parseDocument(bytes, {
    title: 'manifest.json',
    validate: validateManifests,
    code: 'MANIFEST_INVALID',
    keysInAnyCase,
  })
}

/** Name and tag -> id of the top layer. Throws `MANIFEST_INVALID`. */
export function parseRepositories(bytes: Uint8Array): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return parseDocument(bytes, {title: 'repositories', validate: validateRepositories, code: 'MANIFEST_INVALID'})
}

/** Throws `CONFIG_INVALID`. */
export function parseV1Document(bytes: Uint8Array, title: string): V1Document {
  return parseDocument(bytes, {title, validate: validateV1, code: 'CONFIG_INVALID'})
}

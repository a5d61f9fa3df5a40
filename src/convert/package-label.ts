import {compileSchema} from '../codecs/json/validator.js'
import {findDigest, type Digest} from '../model/digest.js'
import type {Image, LayerForm, PackageMetadata} from '../model/image.js'
import {formatFullName, parseFullName, requirePackageIdentity, type PackageIdentity} from '../model/package-identity.js'
import {TransshipError} from '../model/errors.js'
import {parseImageConfig} from './image-config.js'

/*
 * The label that carries packages through images: engines and image registries pass labels on untouched. It names each
 * package by the diffID of the layer that is its payload, since an image built on top of ours inherits the label.
 */

/** Label of an image configuration: compact JSON, see docs/labels.md. */
export const PACKAGE_LABEL = 'io.transship.package'

/** A package that a label describes, with the layer that holds its payload. */
export interface LabelledPackage {
  readonly metadata: PackageMetadata
  readonly form: LayerForm
  readonly diffId: Digest
}

interface PackageJson {
  readonly FullName: string
  readonly FriendlyName?: string
  readonly Description?: string
  readonly Architecture: string
  readonly OSVersion?: string
  readonly OSFeatures?: readonly string[]
  readonly IsOSImage: boolean
  readonly IsDeleted?: boolean
  readonly CreatedTime: string
  readonly Dependencies: readonly string[]
  readonly Form: LayerForm
  readonly DiffID: string
  /** The metadata document, verbatim. */
  readonly Document?: string
  /** Base64, by name. */
  readonly Attachments?: Readonly<Record<string, string>>
}

interface LabelJson {
  readonly FormatVersion: 1
  readonly Packages: readonly PackageJson[]
}

const text = {type: 'string'} as const
const SCHEMA = {
  type: 'object',
  required: ['FormatVersion', 'Packages'],
  properties: {
    FormatVersion: {const: 1},
    Packages: {
      type: 'array',
      maxItems: 1000,
      items: {
        type: 'object',
        required: ['FullName', 'Architecture', 'IsOSImage', 'CreatedTime', 'Dependencies', 'Form', 'DiffID'],
        properties: {
          FullName: text,
          FriendlyName: text,
          Description: text,
          Architecture: text,
          OSVersion: text,
          OSFeatures: {type: 'array', items: text},
          IsOSImage: {type: 'boolean'},
          IsDeleted: {type: 'boolean'},
          CreatedTime: text,
          Dependencies: {type: 'array', items: text},
          Form: {enum: ['base', 'delta']},
          DiffID: text,
          Document: text,
          Attachments: {type: 'object', additionalProperties: text},
        },
      },
    },
  },
}

const validate = compileSchema<LabelJson>(SCHEMA)

/** The label's text for the packages of an image, base first. */
export function formatPackageLabel(packages: readonly LabelledPackage[]): string {
  const label: LabelJson = {
    FormatVersion: 1,
    Packages: packages.map(({metadata, form, diffId}) => ({
      FullName: formatFullName(metadata.identity),
      ...(metadata.friendlyName === undefined ? {} : {FriendlyName: metadata.friendlyName}),
      ...(metadata.description === undefined ? {} : {Description: metadata.description}),
      Architecture: metadata.architecture,
      ...(metadata.osVersion === undefined ? {} : {OSVersion: metadata.osVersion}),
      ...(metadata.osFeatures === undefined ? {} : {OSFeatures: metadata.osFeatures}),
      IsOSImage: metadata.isOsImage,
      ...(metadata.isDeleted === undefined ? {} : {IsDeleted: metadata.isDeleted}),
      CreatedTime: metadata.createdTime,
      Dependencies: metadata.dependencies.map(formatFullName),
      Form: form,
      DiffID: diffId,
      ...(metadata.document === undefined ? {} : {Document: Buffer.from(metadata.document.bytes).toString('utf8')}),
      ...(metadata.attachments === undefined ? {} : {Attachments: encodeAttachments(metadata.attachments)}),
    })),
  }
  return JSON.stringify(label)
}

function encodeAttachments(attachments: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attachments).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  )
}

/**
 * Parses a label. Undefined when it is not one of ours or malformed: a label is a hint from outside, never a reason to
 * refuse the image; the caller notes it.
 */
export function findPackageLabel(label: string): readonly LabelledPackage[] | undefined {
  try {
    const json: unknown = JSON.parse(label)
    return validate(json) ? json.Packages.map(decodePackage) : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TransshipError) return undefined
    throw error
  }
}

function decodePackage(json: PackageJson): LabelledPackage {
  const identity = requirePackageIdentity(parseFullName(json.FullName))
  const diffId = findDigest(json.DiffID)
  if (diffId === undefined) throw new SyntaxError('not a digest')
  const dependencies: PackageIdentity[] = json.Dependencies.map(parseFullName)
  return {
    form: json.Form,
    diffId,
    metadata: {
      identity,
      ...(json.FriendlyName === undefined ? {} : {friendlyName: json.FriendlyName}),
      ...(json.Description === undefined ? {} : {description: json.Description}),
      architecture: json.Architecture,
      ...(json.OSVersion === undefined ? {} : {osVersion: json.OSVersion}),
      ...(json.OSFeatures === undefined ? {} : {osFeatures: json.OSFeatures}),
      isOsImage: json.IsOSImage,
      ...(json.IsDeleted === undefined ? {} : {isDeleted: json.IsDeleted}),
      createdTime: json.CreatedTime,
      dependencies,
      ...(json.Document === undefined
        ? {}
        : {document: {mediaType: 'application/json', bytes: Buffer.from(json.Document, 'utf8')}}),
      ...(json.Attachments === undefined ? {} : {attachments: decodeAttachments(json.Attachments)}),
    },
  }
}

function decodeAttachments(attachments: Readonly<Record<string, string>>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(attachments).map(([name, base64]) => [name, Buffer.from(base64, 'base64')]))
}

/** The packages that an image's label names; none where there is no label or it is malformed. */
export function labelledPackages(image: Image): readonly LabelledPackage[] {
  if (image.config === undefined) return []
  const label = parseImageConfig(image.config).config?.Labels?.[PACKAGE_LABEL]
  return (label === undefined ? undefined : findPackageLabel(label)) ?? []
}

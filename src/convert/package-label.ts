import {findBase64} from '../codecs/bytes/base64.js'
import {compileSchema} from '../codecs/json/validator.js'
import {findDigest, type Digest} from '../model/digest.js'
import {TransshipError} from '../model/errors.js'
import type {LayerForm, PackageMetadata, RawDocument} from '../model/image.js'
import {foldPath} from '../model/layer-path.js'
import {
  formatFullName,
  isSamePackage,
  parseFullName,
  requirePackageIdentity,
  type PackageIdentity,
} from '../model/package-identity.js'
import {decodeDocument, requireStorable} from '../formats/package/metadata.js'
import {holdsAttachments} from '../formats/package/package-words.js'
import {decodeFacts, encodeFacts, type FactsJson} from '../formats/package/package-facts.js'
import {isAttachmentName, MAX_ATTACHMENT_BYTES} from '../formats/package/package-folder.js'

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

interface PackageJson extends FactsJson {
  readonly FullName: string
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
      ...encodeFacts(metadata),
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
 * refuse the image; the caller notes it. Whatever of it could not be written again is left out, and told to `onIgnored`.
 */
export function findPackageLabel(
  label: string,
  onIgnored: (what: string) => void = () => undefined,
): readonly LabelledPackage[] | undefined {
  try {
    const json: unknown = JSON.parse(label, requireWellFormed)
    return validate(json) ? json.Packages.map((each) => decodePackage(each, onIgnored)) : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TransshipError) return undefined
    throw error
  }
}

/** The packages that do not come back from a label as they were put into it. */
export function lostInLabel(label: string, packages: readonly LabelledPackage[]): readonly PackageIdentity[] {
  const found = findPackageLabel(label)
  const isBack = ({metadata}: LabelledPackage, index: number) => {
    const back = found?.[index]?.metadata
    if (back === undefined || !isSameText(back, metadata)) return false
    return holdsAttachments(back, metadata) && holdsAttachments(metadata, back)
  }
  return packages.filter((each, index) => !isBack(each, index)).map(({metadata}) => metadata.identity)
}

function isSameText(left: PackageMetadata, right: PackageMetadata): boolean {
  const [one, other] = [left.document?.bytes, right.document?.bytes]
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0
}

/** Half of a surrogate pair has no form in UTF-8: it would be another text once it is written. */
function requireWellFormed(key: string, value: unknown): unknown {
  if (isIllFormed(key) || (typeof value === 'string' && isIllFormed(value))) throw new SyntaxError('not well-formed')
  return value
}

function isIllFormed(value: string): boolean {
  return /\p{Surrogate}/u.test(value)
}

/** Bytes of the name of a folder or file on every file system. */
const MAX_NAME_BYTES = 255

function decodePackage(json: PackageJson, onIgnored: (what: string) => void): LabelledPackage {
  const identity = requirePackageIdentity(parseFullName(json.FullName))
  const fullName = formatFullName(identity)
  if (Buffer.byteLength(`${fullName}.appx`) > MAX_NAME_BYTES) throw new SyntaxError('a name that is too long')
  const diffId = findDigest(json.DiffID)
  if (diffId === undefined) throw new SyntaxError('not a digest')
  const dependencies: PackageIdentity[] = json.Dependencies.map(parseFullName)
  const stated: PackageMetadata = {
    identity,
    ...decodeFacts(json),
    createdTime: json.CreatedTime,
    dependencies,
  }
  requireStorable(stated)
  const document = json.Document === undefined ? undefined : findDocument(json.Document, stated)
  if (json.Document !== undefined && document === undefined) onIgnored(`the metadata.json of ${fullName}`)
  const attachments = json.Attachments === undefined ? undefined : decodeAttachments(json.Attachments, onIgnored)
  return {
    form: json.Form,
    diffId,
    metadata: {
      ...stated,
      // What the package was made on stands in its document alone.
      ...(document === undefined ? {} : {dependencies: document.dependencies, document: document.document}),
      ...(attachments === undefined ? {} : {attachments}),
    },
  }
}

/** The document as it was, if it speaks of this very package. */
function findDocument(
  text: string,
  stated: PackageMetadata,
): {readonly document: RawDocument; readonly dependencies: PackageMetadata['dependencies']} | undefined {
  const bytes = Buffer.from(text, 'utf8')
  try {
    // Windows PowerShell writes a mark of the byte order in front, which readers pass over.
    JSON.parse(text.replace(/^\ufeff/, ''), requireWellFormed)
    const {metadata} = decodeDocument(bytes, formatFullName(stated.identity))
    const [own, ...others] = metadata.dependencies
    const [wanted] = stated.dependencies
    const isSameBase =
      others.length === 0 && (own === undefined || wanted === undefined ? own === wanted : isSamePackage(own, wanted))
    const isSame =
      isSameBase && metadata.architecture === stated.architecture && metadata.isOsImage === stated.isOsImage
    const document = {mediaType: 'application/json', bytes}
    return isSame ? {document, dependencies: metadata.dependencies} : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TransshipError) return undefined
    throw error
  }
}

/** Those that a package can have beside its payload; of names that differ in case alone, the first. */
function decodeAttachments(
  attachments: Readonly<Record<string, string>>,
  onIgnored: (what: string) => void,
): Record<string, Uint8Array> | undefined {
  const kept = new Map<string, {readonly name: string; readonly bytes: Uint8Array}>()
  for (const [name, base64] of Object.entries(attachments)) {
    const bytes = findBase64(base64)
    const isSound = bytes !== undefined && bytes.byteLength <= MAX_ATTACHMENT_BYTES
    if (isSound && isAttachmentName(name) && !kept.has(foldPath(name))) kept.set(foldPath(name), {name, bytes})
    else onIgnored(`the attachment ${JSON.stringify(name.slice(0, 100))}`)
  }
  if (kept.size === 0) return undefined
  return Object.fromEntries([...kept.values()].map(({name, bytes}) => [name, bytes]))
}

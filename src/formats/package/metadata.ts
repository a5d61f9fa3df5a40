import {findDigest, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {LayerForm, PackageDependency, PackageMetadata} from '../../model/image.js'
import {
  formatFullName,
  isSamePackage,
  parseFullName,
  requirePackageIdentity,
  type PackageIdentity,
} from '../../model/package-identity.js'
import {decodeFacts, encodeFacts} from './package-facts.js'
import {differenceOf} from './payload-mark.js'
import {
  parseMetadata,
  type DependencyJson,
  type DockerJson,
  type MetadataJson,
  type PackageJson,
  type PayloadJson,
} from './schema.js'

export const METADATA_MEDIA_TYPE = 'application/json'
/** The document carries labels and extensions, never content. */
export const MAX_METADATA_BYTES = 16 * 1024 * 1024
export const DOCKER_EXTENSION = 'docker/1'

/** What a metadata.json says. */
export interface PackageDocument {
  readonly metadata: PackageMetadata
  readonly payload: PayloadJson
  readonly docker?: DockerJson
  /** True for one that Install-ContainerOSImage wrote: five keys, a plain tree. */
  readonly isLegacy: boolean
}

/**
 * Decodes the metadata.json of the package in `folderName`. One without `Package` is an OS package of the time, whose
 * publisher only the folder tells. Throws `METADATA_INVALID`, also when folder and document disagree.
 */
export function decodeDocument(bytes: Uint8Array, folderName: string): PackageDocument {
  const place = `${folderName}/metadata.json`
  const json = parseMetadata(bytes, place)
  const named = parseFullName(folderName)
  const identity = requirePackageIdentity({
    publisher: json.Package?.Publisher ?? named.publisher,
    name: json.Name,
    version: json.Version,
  })
  if (!isSamePackage(identity, named)) {
    throw new InputError('METADATA_INVALID', {
      what: `The folder '${folderName}' holds the metadata of another package.`,
      why: `Its metadata.json says ${formatFullName(identity)}.`,
      suggestions: ['Rename the folder, or restore its metadata.json from a copy.'],
      at: {path: place},
    })
  }
  const document = {mediaType: METADATA_MEDIA_TYPE, bytes}
  if (json.Package === undefined) return decodeLegacy(json, identity, document)
  const {Package: facts} = json
  const docker = facts.Extensions?.[DOCKER_EXTENSION]
  return {
    isLegacy: false,
    payload: facts.Payload,
    ...(docker === undefined ? {} : {docker}),
    metadata: {
      identity,
      ...decodeFacts(facts),
      createdTime: json.CreatedTime,
      dependencies: facts.Dependencies.map(decodeDependency),
      document,
    },
  }
}

function decodeDependency(json: DependencyJson): PackageDependency {
  const {PayloadDigest: payload, DiffID: diff} = json
  const payloadDigest = payload === undefined ? undefined : findDigest(payload)
  const diffId = diff === undefined ? undefined : findDigest(diff)
  return {
    ...requirePackageIdentity({publisher: json.Publisher, name: json.Name, version: json.Version}),
    ...(payloadDigest === undefined ? {} : {payloadDigest}),
    ...(diffId === undefined ? {} : {diffId}),
  }
}

function encodeDependency({publisher, name, version, payloadDigest, diffId}: PackageDependency): DependencyJson {
  return {
    Publisher: publisher,
    Name: name,
    Version: version,
    ...(payloadDigest === undefined ? {} : {PayloadDigest: payloadDigest}),
    ...(diffId === undefined ? {} : {DiffID: diffId}),
  }
}

/** Source: inbox package page, sections 1.4 and 1.5: os.features is win32k for all but Nano Server. */
function decodeLegacy(
  json: MetadataJson,
  identity: PackageIdentity,
  document: {mediaType: string; bytes: Uint8Array},
): PackageDocument {
  return {
    isLegacy: true,
    payload: {Kind: 'base', Layout: 'plain-1'},
    metadata: {
      identity,
      friendlyName: identity.name,
      architecture: 'x64',
      osVersion: identity.version,
      osFeatures: /^nanoserver$/i.test(identity.name) ? [] : ['win32k'],
      isOsImage: true,
      createdTime: json.CreatedTime,
      dependencies: [],
      document,
    },
  }
}

/** What was written of a payload; undefined for a stub. */
export interface PayloadFacts {
  readonly form: LayerForm
  readonly entries: number
  readonly bytes: number
  readonly digest: Digest
}

/**
 * The bytes of a metadata.json: one line, keys in fixed order, CRLF behind it as the original installer has it. Unknown
 * extensions of the document that the package came with are kept.
 */
export function encodeDocument(
  metadata: PackageMetadata,
  payload: PayloadFacts | undefined,
  docker: DockerJson | undefined,
): Uint8Array {
  const {identity} = metadata
  const extensions = {...keptExtensions(metadata), ...(docker === undefined ? {} : {[DOCKER_EXTENSION]: docker})}
  const facts: PackageJson = {
    FormatVersion: 1,
    Publisher: identity.publisher,
    ...encodeFacts({isDeleted: false, ...metadata}),
    Dependencies: metadata.dependencies.map(encodeDependency),
    Payload:
      payload === undefined
        ? {Kind: 'none', Layout: 'transport-1'}
        : {
            Kind: payload.form,
            Layout: 'transport-1',
            Entries: payload.entries,
            Bytes: payload.bytes,
            Digest: payload.digest,
          },
    ...(Object.keys(extensions).length === 0 ? {} : {Extensions: extensions}),
  }
  const json: MetadataJson = {
    Name: identity.name,
    Version: identity.version,
    Path: formatFullName(identity),
    Size: payload?.bytes ?? 0,
    CreatedTime: metadata.createdTime,
    Package: facts,
  }
  return Buffer.from(`${JSON.stringify(json)}\r\n`)
}

/** What is known of a package that is to become another: its own document no longer fits, but what others put there stays. */
export function withoutDocument(metadata: PackageMetadata): PackageMetadata {
  const {document: _document, ...own} = metadata
  const extensions = keptExtensions(metadata)
  return Object.keys(extensions).length === 0 ? own : {...own, extensions}
}

function keptExtensions({document, extensions, identity}: PackageMetadata): Readonly<Record<string, unknown>> {
  if (document === undefined) return extensions ?? {}
  const {[DOCKER_EXTENSION]: _docker, ...others} =
    parseMetadata(document.bytes, formatFullName(identity)).Package?.Extensions ?? {}
  return others
}

/** True when a document that came with a package still says just what is about to be written. */
export function isStillTrue(
  document: PackageDocument,
  metadata: PackageMetadata,
  payload: PayloadFacts | undefined,
  docker: DockerJson | undefined,
): boolean {
  const stated = document.payload
  const hasPayload =
    payload === undefined
      ? stated.Kind === 'none'
      : stated.Kind === payload.form &&
        stated.Layout === 'transport-1' &&
        (stated.Digest === undefined || findDigest(stated.Digest) === payload.digest) &&
        (stated.Bytes === undefined || stated.Bytes === payload.bytes) &&
        (stated.Entries === undefined || stated.Entries === payload.entries)
  const [dependency] = metadata.dependencies
  const [statedDependency] = document.metadata.dependencies
  const hasDependency =
    dependency === undefined || statedDependency === undefined
      ? dependency === statedDependency
      : isSamePackage(dependency, statedDependency) && differenceOf(statedDependency, dependency) === undefined
  const {docker: kept} = document
  // Without the extension, the package was no image's: a recipe of the layer it became meanwhile is not its own.
  const hasDocker =
    kept === undefined
      ? docker?.ConfigDigest === undefined && docker?.ManifestDigest === undefined
      : kept.ConfigDigest === docker?.ConfigDigest &&
        kept.ConfigFile === docker?.ConfigFile &&
        kept.ManifestDigest === docker?.ManifestDigest &&
        kept.ManifestFile === docker?.ManifestFile &&
        JSON.stringify(kept.Layers) === JSON.stringify(docker?.Layers) &&
        JSON.stringify(kept.Companions) === JSON.stringify(docker?.Companions)
  return (
    !document.isLegacy &&
    isSamePackage(document.metadata.identity, metadata.identity) &&
    hasPayload &&
    hasDependency &&
    hasDocker
  )
}

/** Throws `METADATA_INVALID` or `IDENTITY_INVALID` for metadata that could not be read again once they are written. */
export function requireStorable(metadata: PackageMetadata): void {
  const {document: _document, ...stated} = metadata
  const title = formatFullName(metadata.identity)
  decodeDocument(encodeDocument(stated, undefined, undefined), title)
  if (Number.isNaN(Date.parse(metadata.createdTime)))
    throw new InputError('METADATA_INVALID', {
      what: `The package ${title} contains a time that does not exist.`,
      why: `Found ${metadata.createdTime}.`,
    })
}

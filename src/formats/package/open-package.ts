import {digestOf, findDigest} from '../../model/digest.js'
import {EnvironmentError, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Image, Layer, RawDocument} from '../../model/image.js'
import {formatFullName, identityKey} from '../../model/package-identity.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import {parseManifest} from '../image-documents/image-documents.js'
import {companionsOf} from './companion-files.js'
import {dependencyError} from './dependency-error.js'
import {resolveDependencies, type MissingDependency} from './dependencies.js'
import {withForeignLayers} from './foreign-layers.js'
import {tellLeftOut} from './left-out.js'
import {platformOf, selectFitting} from './fitting-packages.js'
import {BASE_MISMATCH, isMarked, onlyMark} from './payload-mark.js'
import {isFullName, selectPackage, type Repository, type StoredPackage} from './repository.js'
import {layerOfPackage} from './stored-layer.js'
import {untouchedLayer} from './untouched-layer.js'

const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

/** Code of the note on a package that a listing leaves out, since it cannot be read; its subject is the file or folder. */
export const PACKAGE_UNREADABLE = 'package-unreadable'

/** The packages of a repository, by full name; narrowed to what the selector fits. What is left out is told as notes. */
export function listPackages(
  repository: Repository,
  selector: string | undefined,
  {onEvent}: WorkOptions,
): readonly ListItem[] {
  for (const fault of selector === undefined ? repository.faults : []) {
    // A folder that is neither called like a package nor holds one may be anything.
    const isPackage = fault.code !== 'PACKAGE_INCOMPLETE' || isFullName(fault.subject)
    const code = isPackage ? PACKAGE_UNREADABLE : 'no-package'
    onEvent?.({kind: 'note', code, message: `Skipped: ${fault.message}`, subject: fault.subject})
  }
  const packages = selector === undefined ? repository.packages : [selectPackage(repository, selector)]
  return packages.filter(({metadata}) => metadata.isDeleted !== true).map((stored) => listItemOf(repository, stored))
}

export function listItemOf(repository: Repository, stored: StoredPackage): ListItem {
  const {metadata, payload, docker} = stored
  const fullName = formatFullName(metadata.identity)
  const imageId = docker?.ConfigDigest === undefined ? undefined : findDigest(docker.ConfigDigest)
  const payloadDigest = payload.Digest === undefined ? undefined : findDigest(payload.Digest)
  return {
    kind: 'package',
    reference: repository.referenceTo(metadata.identity),
    names: [fullName, ...(docker?.References ?? [])],
    identity: metadata.identity,
    dependencies: metadata.dependencies,
    platform: platformOf(stored),
    createdTime: metadata.createdTime,
    layers: payload.Kind === 'none' ? 0 : 1,
    ...(imageId === undefined ? {} : {imageId}),
    ...(payloadDigest === undefined ? {} : {payloadDigest}),
    ...(payload.Bytes === undefined ? {} : {sizeBytes: payload.Bytes}),
  }
}

/**
 * Opens a package with all it depends on, as an image whose layers are the payloads, base first. A dependency that the
 * repository does not hold becomes a layer without content; `--base` may supply it. Closing the image closes the
 * repository.
 */
export function openPackage(repository: Repository, selector: string | undefined, options: OpenOptions): Image {
  const top = selectFitting(repository, selector, options.platform)
  const chain = resolveDependencies(repository, top, {
    acceptBaseMismatch: options.acceptBaseMismatch ?? false,
    onMismatch: (message) =>
      options.onEvent?.({kind: 'note', code: BASE_MISMATCH, message, subject: formatFullName(top.metadata.identity)}),
  })
  const hidden =
    chain.missing === undefined ? undefined : repository.unreadable.get(identityKey(chain.missing.identity))
  // That the disk fails says nothing of the package, which is there.
  if (hidden instanceof EnvironmentError) throw hidden
  const layers = chain.packages.map((stored, index) => {
    tellLeftOut(stored, options)
    const [record] = chain.packages[index + 1]?.metadata.dependencies ?? []
    if (record === undefined || !isMarked(record)) return layerOfPackage(stored)
    // A stub holds nothing that could be compared; what stands in for it must be what was built on.
    if (stored.payload.Kind === 'none') return {...layerOfPackage(stored), ...onlyMark(record)}
    return options.acceptBaseMismatch === true ? layerOfPackage(stored) : untouchedLayer(stored)
  })
  const config = readConfig(top)
  const manifest = readManifest(top)
  return {
    names: config === undefined ? [formatFullName(top.metadata.identity)] : (top.docker?.References ?? []),
    platform: platformOf(top),
    ...(config === undefined ? {} : {config}),
    ...(manifest === undefined ? {} : {manifest}),
    ...(top.docker?.Companions === undefined ? {} : {findCompanions: (inner: WorkOptions) => companionsOf(top, inner)}),
    layers: withForeignLayers(chain.missing === undefined ? layers : [missingLayer(chain.missing), ...layers], {
      manifest,
      config,
    }),
    warnings: [
      ...repository.faults.map(({code, message}) => ({code, message})),
      ...chain.packages.flatMap(({warnings = []}) => warnings),
    ],
    close: () => {
      repository.close()
      return Promise.resolve()
    },
  }
}

function missingLayer({identity, code, why}: MissingDependency): Layer {
  const {publisher, name, version} = identity
  const isOsImage = /^cn=microsoft(,|$)/i.test(identity.publisher)
  return {
    title: formatFullName(identity),
    ...onlyMark(identity),
    hasContent: false,
    absence: why,
    ...(code === 'DEPENDENCY_MISMATCH' ? {isMismatch: true} : {}),
    package: {
      identity: {publisher, name, version},
      architecture: 'neutral',
      isOsImage,
      createdTime: '1970-01-01T00:00:00.0000000Z',
      dependencies: [],
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    async *entries() {
      throw dependencyError(formatFullName(identity), {isMismatch: code === 'DEPENDENCY_MISMATCH', why})
      yield undefined as never
    },
  }
}

function readConfig(stored: StoredPackage): RawDocument | undefined {
  const {ConfigFile, ConfigDigest, ConfigMediaType} = stored.docker ?? {}
  const bytes = readVerified(stored, ConfigFile, ConfigDigest)
  return bytes === undefined ? undefined : {mediaType: ConfigMediaType ?? DOCKER_CONFIG, bytes}
}

/** Media type of a configuration whose manifest was not kept. Source: Docker image page, section on media types. */
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

/**
 * The manifest that is kept of the image; undefined where there is none. It is of the type that it says itself, and readers
 * refuse it under another. Throws `METADATA_INVALID`, `MANIFEST_INVALID`, and what `readVerified` does.
 */
export function readManifest(stored: StoredPackage): Image['manifest'] {
  const {ManifestFile, ManifestDigest, ManifestMediaType} = stored.docker ?? {}
  const bytes = readVerified(stored, ManifestFile, ManifestDigest)
  if (bytes === undefined) return undefined
  const {mediaType = ManifestMediaType ?? DOCKER_MANIFEST} = parseManifest(
    bytes,
    `${stored.entryName}/${ManifestFile ?? ''}`,
  )
  if (ManifestMediaType !== undefined && ManifestMediaType !== mediaType) {
    throw new InputError('METADATA_INVALID', {
      what: 'metadata.json and the manifest that the package keeps contradict each other.',
      why: `The manifest says that it is ${mediaType.slice(0, 200)}, metadata.json ${ManifestMediaType.slice(0, 200)}.`,
      suggestions: ['Restore the package from a copy.'],
      at: {path: `${stored.entryName}/metadata.json`},
    })
  }
  return {mediaType, bytes, digest: digestOf(bytes)}
}

/** A kept document whose digest is stated. Throws `LAYER_MISSING`-like `NOT_FOUND`, or `DIGEST_MISMATCH`. */
export function readVerified(
  stored: StoredPackage,
  file: string | undefined,
  digest: string | undefined,
): Uint8Array | undefined {
  if (file === undefined) return undefined
  const place = `${stored.entryName}/${file}`
  const bytes = stored.files.findSmall(file, MAX_DOCUMENT_BYTES, place)
  if (bytes === undefined) {
    throw new InputError('CONFIG_MISSING', {
      what: `The package's file '${file}' is missing.`,
      suggestions: ['Restore it from a copy.'],
      at: {path: place},
    })
  }
  if (digestOf(bytes) !== digest) {
    throw new InputError('DIGEST_MISMATCH', {
      what: `The package's file '${file}' is damaged or was edited.`,
      why: `Expected ${String(digest)}, found ${digestOf(bytes)}.`,
      suggestions: ['Restore it from a copy.'],
      at: {path: place},
    })
  }
  return bytes
}

import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {removeTree} from '../../disk/remove-tree.js'
import {digestOf} from '../../model/digest.js'
import {asTransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {PackageMetadata} from '../../model/image.js'
import {formatFullName, isSamePackage as isSameIdentity} from '../../model/package-identity.js'
import type {KeptImage, PackageDraft} from '../../model/transport.js'
import {FolderFiles} from '../transport-layout/folder-files.js'
import {decodeDocument, encodeDocument, isStillTrue, type PayloadFacts} from './metadata.js'
import {isAttachmentName, MAX_ATTACHMENT_BYTES} from './package-folder.js'
import type {LonePayload} from './lone-payload.js'
import {writePayloadParts, type PayloadParts, type PayloadPartsOptions} from './payload-parts.js'
import {missingPins} from './pin-file.js'
import {companionsJson, lacksCompanions, writeCompanions} from './companion-files.js'
import {differenceOf, markOf} from './payload-mark.js'
import type {StoredPackage} from './repository.js'
import type {DockerJson, DockerLayerJson} from './schema.js'

export interface WritePackageOptions extends PayloadPartsOptions {
  /** Writes the payload without a look at the packages below, where it can be tried; it may be under way already. */
  readonly lone?: (() => Promise<LonePayload | undefined>) | undefined
}

export interface WrittenPackage {
  readonly folder: string
  readonly stored: StoredPackage
  readonly payload: PayloadFacts | undefined
  readonly bytesWritten: number
}

export const METADATA = 'metadata.json'
const CONFIG = 'docker/config.json'
const MANIFEST = 'docker/manifest.json'

/** Writes one package into a new folder; its metadata.json comes last and marks it complete. */
export async function writePackage(
  folder: string,
  draft: PackageDraft,
  options: WritePackageOptions,
): Promise<WrittenPackage> {
  try {
    return await write(folder, draft, options)
  } catch (error) {
    throw asTransshipError(error, {path: formatFullName(draft.metadata.identity)})
  }
}

async function write(folder: string, draft: PackageDraft, options: WritePackageOptions): Promise<WrittenPackage> {
  // What was begun alone has its folder, which may have another name until it is done.
  if (options.lone === undefined) mkdirSync(folder)
  const folderName = path.basename(folder)
  const parts = await writeLayer(folder, draft, options)
  const {metadata, stubOf} = draft
  const payload = parts?.payload
  const docker = dockerOf(draft, parts?.layer ?? (stubOf === undefined ? undefined : {DiffID: stubOf}))
  const kept = metadata.document === undefined ? undefined : decodeKept(metadata, folderName)
  const isKept = kept !== undefined && isStillTrue(kept, metadata, payload, docker)
  const usesDocker = isKept ? kept.docker !== undefined : docker !== undefined
  if (usesDocker) await writeImage(folder, draft.image, options)
  else removeTree(path.join(folder, 'docker'))
  for (const [name, bytes] of Object.entries(attachmentsOf(metadata, isKept, options.lower)))
    if (isAttachmentName(name)) writeFileSync(path.join(folder, name), bytes, {flag: 'wx'})
  const document =
    isKept && metadata.document !== undefined ? metadata.document.bytes : encodeDocument(metadata, payload, docker)
  writeFileSync(path.join(folder, METADATA), document, {flag: 'wx', flush: true})
  return {
    folder,
    stored: storedIn(folder, document),
    payload,
    bytesWritten: (payload?.bytes ?? 0) + document.byteLength,
  }
}

/** The payload and what belongs to it: written alone where that can be, else with the packages below. */
async function writeLayer(
  folder: string,
  draft: PackageDraft,
  {lone, ...options}: WritePackageOptions,
): Promise<PayloadParts | undefined> {
  const {layer} = draft
  if (layer === undefined) return undefined
  const written = await lone?.()
  if (written !== undefined) {
    const {names, ...parts} = written
    await draft.lone?.checkNames(names, options)
    return parts
  }
  if (lone !== undefined) {
    removeTree(folder)
    mkdirSync(folder)
  }
  return writePayloadParts(folder, {...draft, layer}, options)
}

function decodeKept({document}: PackageMetadata, folderName: string) {
  try {
    return document === undefined ? undefined : decodeDocument(document.bytes, folderName)
  } catch {
    // A document of another identity, or one that an older release would not have written: a new one is made.
    return undefined
  }
}

function dockerOf({image}: PackageDraft, layer: DockerLayerJson | undefined): DockerJson | undefined {
  if (image === undefined && layer === undefined) return undefined
  const {config, manifest, companions} = image ?? {}
  const kept = companionsJson(companions)
  return {
    ...(image === undefined ? {} : {References: image.names}),
    ...(config === undefined
      ? {}
      : {ConfigFile: CONFIG, ConfigDigest: digestOf(config.bytes), ConfigMediaType: config.mediaType}),
    ...(manifest === undefined
      ? {}
      : {ManifestFile: MANIFEST, ManifestDigest: digestOf(manifest.bytes), ManifestMediaType: manifest.mediaType}),
    ...(kept === undefined ? {} : {Companions: kept}),
    ...(layer === undefined ? {} : {Layers: [layer]}),
  }
}

async function writeImage(folder: string, image: KeptImage | undefined, options: WorkOptions): Promise<void> {
  if (image === undefined) return
  mkdirSync(path.join(folder, 'docker'), {recursive: true})
  if (image.config !== undefined)
    writeFileSync(path.join(folder, CONFIG), image.config.bytes, {flag: 'wx', flush: true})
  if (image.manifest !== undefined)
    writeFileSync(path.join(folder, MANIFEST), image.manifest.bytes, {flag: 'wx', flush: true})
  await writeCompanions(folder, image.companions, options)
}

const VERSION_FILE = 'version.wcx'

/**
 * Files beside the payload: as they came, or a version.wcx as the original installer makes it, which the packages above
 * an OS package have from it. Source: inbox package page, section 1.4.
 */
function attachmentsOf(
  metadata: PackageMetadata,
  isKept: boolean,
  lower: readonly StoredPackage[],
): Readonly<Record<string, Uint8Array>> {
  const {attachments, isOsImage, osVersion, identity} = metadata
  if (isKept || attachments?.[VERSION_FILE] !== undefined) return attachments ?? {}
  const below = lower.find((stored) => stored.metadata.isOsImage)
  const copied = below?.files.findSmall(VERSION_FILE, MAX_ATTACHMENT_BYTES, `${below.entryName}/${VERSION_FILE}`)
  if (copied !== undefined) return {...attachments, [VERSION_FILE]: copied}
  const os = below?.metadata.identity ?? (isOsImage ? identity : undefined)
  const build = (isOsImage ? (osVersion ?? identity.version) : os?.version)?.split('.')[2]
  if (os === undefined || build === undefined) return attachments ?? {}
  return {...attachments, [VERSION_FILE]: Buffer.from(`BuildNumber=${build}\r\nProductName=${os.name}\r\n`, 'latin1')}
}

/**
 * True when the package is there already, as far as can be told without reading the layer: it was made from the same
 * layer, and of the same image.
 */
export function isSameAsStored(draft: PackageDraft, stored: StoredPackage): boolean {
  const {docker, payload} = stored
  // A stub asks for no more than what it stands for, and that a stub in its place keeps an image where it brings one.
  if (draft.layer === undefined) {
    const lacksImage =
      payload.Kind === 'none' && draft.image?.config !== undefined && docker?.ConfigDigest === undefined
    const isIt = draft.stubOf === undefined || differenceOf({diffId: draft.stubOf}, markOf(stored)) === undefined
    return isIt && !lacksImage
  }
  if (!isSameBase(draft, stored)) return false
  const {diffId, payloadDigest} = draft.layer
  const storedDiffId = docker?.Layers?.[0]?.DiffID
  const isSameLayer =
    diffId === undefined ? payloadDigest !== undefined && payload.Digest === payloadDigest : storedDiffId === diffId
  return payload.Kind === draft.form && isSameLayer && isSameImage(draft, stored) && hasPins(draft, stored)
}

/**
 * Every compressed form and companion that the draft would keep is kept there, and a manifest where it has one. What hangs
 * on another manifest than the one that is kept is not kept.
 */
function hasPins(draft: PackageDraft, {docker}: StoredPackage): boolean {
  if (keepsAnotherManifest(draft, docker)) return true
  return (
    missingPins(draft, docker).length === 0 &&
    !lacksCompanions(draft.image?.companions, docker) &&
    (draft.image?.manifest === undefined || !canKeepManifest(docker) || docker.ManifestDigest !== undefined)
  )
}

/** A package keeps one manifest: true when that is another of the same image. */
export function keepsAnotherManifest({image}: PackageDraft, docker: DockerJson | undefined): boolean {
  if (image?.manifest === undefined || !canKeepManifest(docker) || docker.ManifestDigest === undefined) return false
  return docker.ManifestDigest !== digestOf(image.manifest.bytes)
}

/** Without the recipe, there are no layers that a manifest could name. */
function canKeepManifest(docker: DockerJson | undefined): docker is DockerJson {
  return docker?.Layers?.[0]?.Recipe !== undefined
}

/** True when what was written is what is there already: the same payload, the same way back, of the same image. */
export function isSamePackage(draft: PackageDraft, written: WrittenPackage, stored: StoredPackage): boolean {
  const isSame = isSameLayer(written, stored) && isSameImage(draft, stored) && isSameBase(draft, stored)
  return isSame && hasPins(draft, stored)
}

/** Made on the same package, as far as both tell. */
function isSameBase({metadata: {dependencies}}: PackageDraft, {metadata}: StoredPackage): boolean {
  return (
    dependencies.length === metadata.dependencies.length &&
    dependencies.every((dependency, index) => {
      const there = metadata.dependencies[index]
      return there !== undefined && isSameIdentity(dependency, there) && differenceOf(dependency, there) === undefined
    })
  )
}

/** The same package under another identity: its folder and what its metadata.json says. */
export function renameWritten(written: WrittenPackage, draft: PackageDraft): WrittenPackage {
  const {identity} = draft.metadata
  const folder = path.join(path.dirname(written.folder), formatFullName(identity))
  renameSync(written.folder, folder)
  const document = encodeDocument(draft.metadata, written.payload, written.stored.docker)
  const file = path.join(folder, METADATA)
  rmSync(file)
  writeFileSync(file, document, {flag: 'wx', flush: true})
  return {...written, folder, stored: storedIn(folder, document)}
}

/** A package that was written into a folder. */
export function storedIn(folder: string, document: Uint8Array): StoredPackage {
  const entryName = path.basename(folder)
  const files = new FolderFiles(folder, entryName)
  return {entryName, files, place: {kind: 'folder', path: folder}, ...decodeDocument(document, entryName)}
}

/** True when the package as it is there lacks nothing but compressed forms of its layer. */
export function onlyAddsPins(draft: PackageDraft, written: WrittenPackage, stored: StoredPackage): boolean {
  return (
    stored.docker?.Layers?.[0]?.Recipe !== undefined &&
    isSameLayer(written, stored) &&
    isSameImage(draft, stored) &&
    isSameBase(draft, stored)
  )
}

/**
 * True when the package as it is there came from the same layer of some image, and the draft adds the image that the
 * layer is the top of: a base image after an image that was built on it. Replacing it loses nothing.
 */
export function onlyAddsImage(draft: PackageDraft, written: WrittenPackage, stored: StoredPackage): boolean {
  const {docker} = stored
  return (
    draft.image !== undefined &&
    docker !== undefined &&
    docker.ConfigDigest === undefined &&
    isSameLayer(written, stored)
  )
}

/** The same payload, and made from the same tar, where both came from one. */
function isSameLayer({payload, stored: {docker}}: WrittenPackage, stored: StoredPackage): boolean {
  if (payload === undefined || payload.digest !== stored.payload.Digest) return false
  const [made] = docker?.Layers ?? []
  const [known] = stored.docker?.Layers ?? []
  return made === undefined || known === undefined || made.DiffID === known.DiffID
}

/** True when the draft brings no image, or the one that the package was made of. */
function isSameImage({image}: PackageDraft, {docker}: StoredPackage): boolean {
  return image?.config === undefined || docker?.ConfigDigest === digestOf(image.config.bytes)
}

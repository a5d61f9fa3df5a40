import {existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import path from 'node:path'
import type {PackageDraft} from '../../model/transport.js'
import {streamFile} from '../transport-layout/layout-files.js'
import {companionFiles, mergedCompanions} from './companion-files.js'
import {encodeDocument} from './metadata.js'
import {isAttachmentName} from './package-folder.js'
import {METADATA, storedIn, type WrittenPackage} from './write-package.js'
import type {StoredPackage} from './repository.js'
import type {DockerJson} from './schema.js'

/**
 * A package that was written to take the place of one with the same payload, with all that only the other keeps: the
 * compressed forms of its layer, the image that it was the top of, and the files beside its payload. Of those, a stub has
 * at most the image.
 */
export async function supplemented(
  written: WrittenPackage,
  draft: PackageDraft,
  there: StoredPackage,
): Promise<WrittenPackage> {
  const {docker: theirs = {}} = there
  const isStub = there.payload.Kind === 'none'
  const hasImage = theirs.ConfigDigest !== undefined || theirs.ManifestDigest !== undefined
  if (isStub ? !hasImage : written.stored.docker === undefined) return written
  const {docker = {}} = written.stored
  const image = docker.ConfigDigest === undefined ? {...imageOf(theirs), ...docker} : withManifestOf(docker, theirs)
  const companions = mergedCompanions(docker.Companions, theirs.Companions)
  const merged = withPinsOf({...image, ...(companions === undefined ? {} : {Companions: companions})}, theirs)
  const attachments = isStub ? [] : there.files.list('').files.filter(isAttachmentName)
  for (const name of [...filesOf(merged), ...companionFiles(merged), ...attachments])
    await copyMissing(written.folder, there, name)
  // What the package says of itself stays, unless it becomes the top of an image.
  const isTopOfAnother = draft.image !== undefined && theirs.ConfigDigest === undefined
  const metadata = isTopOfAnother || isStub ? written.stored.metadata : there.metadata
  const document = encodeDocument(metadata, written.payload, merged)
  const file = path.join(written.folder, METADATA)
  rmSync(file)
  writeFileSync(file, document, {flag: 'wx', flush: true})
  return {...written, stored: storedIn(written.folder, document)}
}

function imageOf({Layers: _layers, ...image}: DockerJson): DockerJson {
  return image
}

/** What brings the same image without a manifest, as an archive does, leaves the one that is there. */
function withManifestOf(docker: DockerJson, theirs: DockerJson): DockerJson {
  const {ManifestFile, ManifestDigest, ManifestMediaType} = theirs
  if (docker.ManifestDigest !== undefined || theirs.ConfigDigest !== docker.ConfigDigest) return docker
  if (ManifestFile === undefined || ManifestDigest === undefined) return docker
  const {Companions, Layers, ...own} = docker
  return {
    ...own,
    ManifestFile,
    ManifestDigest,
    ...(ManifestMediaType === undefined ? {} : {ManifestMediaType}),
    ...(Companions === undefined ? {} : {Companions}),
    ...(Layers === undefined ? {} : {Layers}),
  }
}

/** The layer as it was written, with the compressed forms of both. */
function withPinsOf(docker: DockerJson, {Layers: [known] = []}: DockerJson): DockerJson {
  const [layer, ...others] = docker.Layers ?? []
  if (layer === undefined) return docker
  const own = layer.Pins ?? []
  const added = (known?.Pins ?? []).filter(({Digest}) => own.every((pin) => pin.Digest !== Digest))
  // In the order in which they came to the package.
  const pins = [...added, ...own]
  return {...docker, Layers: [{...layer, ...(pins.length === 0 ? {} : {Pins: pins})}, ...others]}
}

/** Files that the metadata name. */
function filesOf({ConfigFile, ManifestFile, Layers = []}: DockerJson): readonly string[] {
  const pins = Layers.flatMap(({Pins = []}) => Pins.map(({File}) => File))
  return [ConfigFile, ManifestFile, ...pins].filter((file) => file !== undefined)
}

async function copyMissing(folder: string, there: StoredPackage, name: string): Promise<void> {
  const file = path.join(folder, name)
  const place = `${there.entryName}/${name}`
  // What is missing there is told where it is asked for.
  if (existsSync(file) || there.files.find(name, place) === undefined) return
  mkdirSync(path.dirname(file), {recursive: true})
  await writeFile(file, streamFile(there.files, name, place), {flag: 'wx'})
}

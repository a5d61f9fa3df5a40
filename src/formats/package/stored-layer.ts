import {findDigest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer, LayerForm, PackageMetadata} from '../../model/image.js'
import {formatFullName} from '../../model/package-identity.js'
import {pinsOf} from './kept-pins.js'
import {readEntries, recipeOf} from './package-entries.js'
import {isAttachment, MAX_ATTACHMENT_BYTES} from './package-folder.js'
import {findEdits, findPayloadDifference} from './payload-change.js'
import {isRebuilt} from './rebuild-layer.js'
import type {StoredPackage} from './repository.js'

/** The payload of a package as a layer. */
export function layerOfPackage(stored: StoredPackage): Layer {
  const {metadata, payload} = stored
  const recipe = recipeOf(stored)
  const payloadDigest = payload.Digest === undefined ? undefined : findDigest(payload.Digest)
  const form: LayerForm = payload.Kind === 'none' ? (metadata.isOsImage ? 'base' : 'delta') : payload.Kind
  return {
    title: formatFullName(metadata.identity),
    ...(recipe === undefined ? {} : {diffId: recipe.diffId}),
    ...(payloadDigest === undefined ? {} : {payloadDigest}),
    form,
    package: withAttachments(stored),
    hasContent: payload.Kind !== 'none',
    ...(payload.Bytes === undefined ? {} : {sizeBytes: payload.Bytes}),
    entries: (options = {}) => readEntries(stored, options),
    // The tar of a recipe has a digest of its own that proves it.
    ...(recipe === undefined && payloadDigest !== undefined && payload.Kind !== 'none'
      ? {findChange: (options: WorkOptions) => findPayloadDifference(stored, options)}
      : {}),
    findEdits: (options) => findEdits(stored, options),
    ...pinnedForms(stored),
  }
}

/** Only a recipe gives back the tar that they are the compressed forms of. */
function pinnedForms(stored: StoredPackage): Pick<Layer, 'pins' | 'isUntouched'> {
  const recipe = recipeOf(stored)
  if (recipe === undefined) return {}
  const pins = pinsOf(stored)
  return pins.length === 0 ? {} : {pins, isUntouched: (options) => isRebuilt(stored, recipe.diffId, options)}
}

/** What a package says, with the files beside its payload that are neither ours nor disks: `version.wcx` and the like. */
export function withAttachments({files, entryName, metadata}: StoredPackage): PackageMetadata {
  const attachments: Record<string, Uint8Array> = {}
  for (const name of files.list('').files) {
    // What is too large to be kept is not read to find that out.
    if (!isAttachment({files, entryName}, name)) continue
    const bytes = files.findSmall(name, MAX_ATTACHMENT_BYTES, `${entryName}/${name}`)
    if (bytes !== undefined) attachments[name] = bytes
  }
  return Object.keys(attachments).length === 0 ? metadata : {...metadata, attachments}
}

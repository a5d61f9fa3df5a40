import {findNameFault} from '../../codecs/appx/part-name.js'
import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import type {StoredPackage} from './repository.js'

/* What lies in a package's folder beside its payload. Source: inbox package page, section 3.2. */

/** Files and folders that this transport writes. */
export const OWN_NAMES: ReadonlySet<string> = new Set(['metadata.json', 'payload-index.jsonl', 'docker'])

/** True for a name of the payload at the top of the folder, and for disks, which are made anew on each host. */
export function isPayloadName(name: string): boolean {
  const folded = name.toLowerCase()
  return (
    ['files', 'hives', 'utilityvm', 'baseos', 'tombstones.txt'].includes(folded) ||
    folded.endsWith(DIRECTORY_CARRIER_SUFFIX) ||
    folded.endsWith('.vhdx')
  )
}

/** Names at the top of an .appx file that are not the package's. */
const CONTAINER_NAMES: ReadonlySet<string> = new Set(['assets', 'escaped'])

/** Bytes that a name may have on every file system. */
const MAX_NAME_BYTES = 255

/**
 * True for the name of a file that may lie beside the payload of a package, in a folder as in an .appx file: not one of
 * ours in any case, nor the payload's, and one that every system takes.
 */
export function isAttachmentName(name: string): boolean {
  const folded = name.toLowerCase()
  return (
    !/[/\\]/.test(name) &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES &&
    findNameFault(name) === undefined &&
    !OWN_NAMES.has(folded) &&
    !CONTAINER_NAMES.has(folded) &&
    !isPayloadName(name)
  )
}

/** Attachments travel in a label of an image configuration, which engines read whole. */
export const MAX_ATTACHMENT_BYTES = 64 * 1024

/** True for a file beside the payload that goes with the package: of such a name, and small enough. */
export function isAttachment({files, entryName}: Pick<StoredPackage, 'files' | 'entryName'>, name: string): boolean {
  if (!isAttachmentName(name)) return false
  return (files.find(name, `${entryName}/${name}`)?.sizeBytes ?? Infinity) <= MAX_ATTACHMENT_BYTES
}

import type {PackageMetadata} from '../model/image.js'

/** True when a package has every file beside its payload that another has, with the same bytes. */
export function holdsAttachments(there: PackageMetadata, wanted: PackageMetadata): boolean {
  return Object.entries(wanted.attachments ?? {}).every(([name, bytes]) => {
    const found = there.attachments?.[name]
    return found !== undefined && Buffer.compare(found, bytes) === 0
  })
}

import type {WorkOptions} from '../../model/events.js'
import {formatFullName} from '../../model/package-identity.js'
import {isAttachment, isPayloadName, MAX_ATTACHMENT_BYTES, OWN_NAMES} from './package-folder.js'
import type {StoredPackage} from './repository.js'

/**
 * Reports what lies in the folder of a package and is left out: folders outside the payload, and files that are too large
 * or have a name that no attachment can have. Containers report that themselves. Disks are not reported: each host makes
 * its own.
 */
export function tellLeftOut(stored: StoredPackage, {onEvent}: WorkOptions): void {
  if (onEvent === undefined || stored.place?.kind !== 'folder') return
  const {folders, files} = stored.files.list('')
  const own = (name: string) => OWN_NAMES.has(name.toLowerCase())
  // Where both are there, the folder of the first previews is not the utility VM.
  const hasVm = folders.some((name) => name.toLowerCase() === 'utilityvm')
  const isStrayFolder = (name: string) =>
    !own(name) && (!isPayloadName(name) || (hasVm && name.toLowerCase() === 'baseos'))
  const isStrayFile = (name: string) => !own(name) && !isPayloadName(name) && !isAttachment(stored, name)
  const [first, ...others] = [...folders.filter(isStrayFolder), ...files.filter(isStrayFile)]
  if (first === undefined) return
  const more = others.length === 0 ? ' was' : ` and ${others.length} more were`
  const message = `'${first}'${more} left out: beside its payload, a package carries only files of at most ${MAX_ATTACHMENT_BYTES / 1024} KiB.`
  onEvent({kind: 'loss', code: 'not-payload', message, subject: formatFullName(stored.metadata.identity)})
}

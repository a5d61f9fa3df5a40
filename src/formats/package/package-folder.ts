import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'

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

import {encodeManifest} from '../../codecs/appx/manifest.js'
import {MANIFEST, SIGNATURE} from '../../codecs/appx/part-name.js'
import {verifyCanonical, verifyParts} from '../../codecs/appx/verify-container.js'
import type {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Fault} from '../../model/transport.js'
import type {AppxPackage} from './read-package.js'
import {manifestFacts} from './write-container.js'

/**
 * Checks the container of a package: every header, block, hash and CRC. One that transship wrote is compared byte by byte
 * with what it would write of the same parts; of others, dates and the like are covered by nothing.
 */
export async function verifyContainer(
  stored: AppxPackage,
  options: WorkOptions,
): Promise<{readonly faults: readonly Fault[]; readonly bytes: number}> {
  const {container, entryName, manifest, metadata} = stored
  const {reader} = container
  const faults: Fault[] = []
  const report = ({code, message}: InputError) => faults.push({code, message, subject: entryName})
  const checks = {...options, title: entryName, report}
  const bytes = await verifyParts(reader, container, checks)
  const {own} = manifest
  // A signature is put behind what was written, and changes the lists.
  if (own === undefined || reader.part(SIGNATURE) !== undefined) return {faults, bytes}
  const {containerDigest = ''} = own
  verifyCanonical(reader, container, {...checks, containerDigest})
  const expected = encodeManifest({...manifestFacts(metadata), containerDigest})
  if (Buffer.compare(expected, await reader.document(MANIFEST)) !== 0) {
    const message = 'Its manifest differs from what transship writes for its metadata.json.'
    faults.push({code: 'ARCHIVE_CONTRADICTORY', message, subject: `${entryName}/${MANIFEST}`})
  }
  return {faults, bytes}
}

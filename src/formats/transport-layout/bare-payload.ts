import type {HeldBytes} from '../../codecs/compression/held-bytes.js'
import type {Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'
import {formatFullName} from '../../model/package-identity.js'
import type {PackageArtifact, PackageDraft} from '../../model/transport.js'
import {payloadArtifact} from './payload-artifact.js'
import {writeLayout} from './write-layout.js'

/** A place that holds a payload alone, without the package around it. */
export interface BarePlace {
  /** As the user named it, and may name it again. */
  readonly reference: string
  /** What it is, to begin a sentence with. */
  readonly kind: 'A bare transport layout' | 'A runtime layer'
}

/** Reports a package that was written to such a place, without layers as long as none was. */
export function bareArtifact(
  {metadata: {identity, dependencies}}: PackageDraft,
  {reference}: BarePlace,
): PackageArtifact {
  return {kind: 'package', reference, identity, dependencies, unchanged: false, layers: [], bytesWritten: 0}
}

/**
 * Writes the layer of a package into an existing, empty folder, and reports its metadata as a loss. The index belongs
 * beside the folder, where the place has room for it.
 */
export async function writeBarePayload(
  folder: string,
  {draft, layer, title}: {readonly draft: PackageDraft; readonly layer: Layer; readonly title: string},
  place: BarePlace,
  options: WorkOptions,
): Promise<{readonly artifact: PackageArtifact; readonly index: HeldBytes; readonly digest: Digest}> {
  options.onEvent?.({
    kind: 'loss',
    code: 'metadata-not-kept',
    message: `${place.kind} stores only the payload. Metadata and configuration were left out.`,
    subject: formatFullName(draft.metadata.identity),
  })
  const {index, digest, entries, payloadBytes} = await writeLayout(folder, layer.entries(options), {
    ...options,
    title,
    form: draft.form,
    keepsRecipe: false,
  })
  const layers = [payloadArtifact(layer.diffId, {digest, bytes: payloadBytes, entries})]
  return {artifact: {...bareArtifact(draft, place), layers, bytesWritten: payloadBytes}, index, digest}
}

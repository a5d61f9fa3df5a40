import type {Digest} from '../../model/digest.js'
import type {LayerArtifact} from '../../model/transport.js'

/** A payload in the transport layout: files of its own, no tar. The name is ours; Microsoft has none for it. */
const MEDIA_TYPE = 'application/vnd.transship.transport-layout.v1'

export interface PayloadFigures {
  /** Over the lines of its index. */
  readonly digest: Digest
  readonly bytes: number
  readonly entries: number
}

/** What to tell of a payload that was written, and of the layer that it was made from where that was a tar. */
export function payloadArtifact(diffId: Digest | undefined, payload: PayloadFigures): LayerArtifact {
  return {
    ...(diffId === undefined ? {} : {diffId}),
    digest: payload.digest,
    mediaType: MEDIA_TYPE,
    size: payload.bytes,
    entries: payload.entries,
  }
}

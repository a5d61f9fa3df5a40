import {digestOf} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {RawDocument} from '../../model/image.js'
import {discard} from './http.js'
import type {Registry} from './registry.js'
import {statedDigest} from './stated-digest.js'

/** Puts a manifest or index under a tag, or by its digest alone. Throws `DIGEST_MISMATCH` besides what a registry refuses. */
export async function putManifest(
  registry: Registry,
  document: RawDocument,
  {signal, tag}: WorkOptions & {readonly tag?: string},
): Promise<void> {
  const digest = digestOf(document.bytes)
  const answer = await registry.exchange({
    method: 'PUT',
    url: registry.path(`manifests/${tag ?? digest}`),
    what: 'the manifest',
    scopes: [registry.pushScope],
    takes: [200, 201, 202],
    headers: {'content-type': document.mediaType},
    body: document.bytes,
    signal,
  })
  const stored = statedDigest(answer)
  await discard(answer)
  if (stored !== undefined && stored !== digest) {
    throw new InputError('DIGEST_MISMATCH', {
      what: `${registry.place.host} stored a different manifest from the one sent.`,
      why: `Expected ${digest}, found ${stored.slice(0, 200)}.`,
    })
  }
}

import {digestOf, findDigest, type Digest} from '../../model/digest.js'
import type {WorkOptions} from '../../model/events.js'
import {MAX_DOCUMENT_BYTES} from '../../codecs/json/json-document.js'
import {MEDIA_TYPE} from '../../formats/image-documents/media-types.js'
import {discard, header} from './http.js'
import type {Registry} from './registry.js'

/** Without it some registries serve a form of 2014 that nothing can be checked by. */
export const ACCEPT = [
  MEDIA_TYPE.ociIndex,
  MEDIA_TYPE.dockerIndex,
  MEDIA_TYPE.ociManifest,
  MEDIA_TYPE.dockerManifest,
].join(', ')

/** The digest of what a tag names now, asked for with the rights of a push; undefined when nothing has the tag. */
export async function findTagDigest(
  registry: Registry,
  tag: string,
  {signal}: WorkOptions,
): Promise<Digest | undefined> {
  const exchange = {
    url: registry.path(`manifests/${tag}`),
    what: `tag ${tag}`,
    scopes: [registry.pushScope],
    takes: [200, 404],
    headers: {accept: ACCEPT},
    signal,
  }
  const head = await registry.exchange({...exchange, method: 'HEAD'})
  await discard(head)
  if (head.statusCode === 404) return undefined
  const stated = findDigest(header(head, 'docker-content-digest') ?? '')
  // SHA-256 is what the manifest that is written is known by.
  if (stated?.startsWith('sha256:') === true) return stated
  const {answer, bytes} = await registry.read({...exchange, method: 'GET'}, MAX_DOCUMENT_BYTES)
  return answer.statusCode === 404 ? undefined : digestOf(bytes)
}

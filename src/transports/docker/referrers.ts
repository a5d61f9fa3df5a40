import {digestAlgorithm, digestHex, type Digest} from '../../model/digest.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {parseIndex, type StatedDescriptor} from '../../formats/image-documents/image-documents.js'
import {MEDIA_TYPE} from '../../formats/image-documents/media-types.js'
import {header} from './http.js'
import type {Registry} from './registry.js'

/**
 * What refers to an image: signatures, bills of materials, provenance. Registries without the list have an index under
 * a tag instead. Source: distribution-spec, "Listing Referrers" and "Unavailable Referrers API".
 */
export async function findReferrers(
  registry: Registry,
  digest: Digest,
  options: WorkOptions,
): Promise<readonly StatedDescriptor[]> {
  const listed = await findIndex(registry, `referrers/${digest}`, options)
  if (listed !== undefined) return listed
  return (await findIndex(registry, `manifests/${digestAlgorithm(digest)}-${digestHex(digest)}`, options)) ?? []
}

async function findIndex(
  registry: Registry,
  rest: string,
  {signal}: WorkOptions,
): Promise<readonly StatedDescriptor[] | undefined> {
  const what = 'the list of referrers'
  try {
    const {answer, bytes} = await registry.read({
      method: 'GET',
      url: registry.path(rest),
      what,
      scopes: [registry.pullScope],
      headers: {accept: MEDIA_TYPE.ociIndex},
      // Registries without the list answer in many ways; none of them says that there are any.
      takes: [200, 400, 403, 404, 405, 406, 500, 501],
      signal,
    })
    if (answer.statusCode === 200 && header(answer, 'content-type')?.includes('image.index') === true) {
      return parseIndex(bytes, what).manifests ?? []
    }
    return undefined
  } catch (error) {
    // The image itself may be read all the same, as it may where the list is none.
    if (error instanceof InputError || (error instanceof TransshipError && error.code === 'UNAUTHORIZED'))
      return undefined
    throw error
  }
}

/** Types shown of what is left behind. */
const MAX_TYPES = 5

/** What the user is told of referrers, which no destination holds. */
export function referrersLeft(referrers: readonly StatedDescriptor[]): readonly {code: string; message: string}[] {
  if (referrers.length === 0) return []
  const what = referrers.length === 1 ? 'One artifact refers' : `${referrers.length} artifacts refer`
  const types = [...new Set(referrers.map(({artifactType, mediaType}) => artifactType ?? mediaType))].sort()
  const shown = types.slice(0, MAX_TYPES).map((type) => type.replace(/[^\x20-\x7e]/g, '?').slice(0, 100))
  const more = types.length > shown.length ? ', …' : ''
  return [
    {
      code: 'referrers-left',
      message: `${what} to this image (${shown.join(', ')}${more}); they are not converted.`,
    },
  ]
}

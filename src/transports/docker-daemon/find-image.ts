import {digestHex} from '../../model/digest.js'
import {InputError, UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import {findDockerName, findTaggedName, isSameName} from '../../formats/image-documents/image-name.js'
import {idDigest, type Engine} from './engine.js'
import {formatLocation, NAME, wantedOf} from './reference.js'
import type {ImageDetails, ImageSummary} from './schema.js'

/** An image of an engine as it was asked for. */
export interface EngineImage {
  readonly details: ImageDetails
  /** What the engine is to be asked for: `NAME:TAG`, or an id where no name was given. */
  readonly query: string
  /** A reference that selects the same. */
  readonly reference: Reference
}

/** Names with tags, as Docker shows them; an untagged image has none, or `<none>:<none>` in old engines. */
export function tagsOf({RepoTags: tags}: ImageSummary | ImageDetails): readonly string[] {
  return (tags ?? []).flatMap((tag) => findTaggedName(tag)?.familiar ?? [])
}

/** The one image that the reference selects. Throws `NOT_FOUND`, `AMBIGUOUS_SELECTION`. */
export async function requireImage(engine: Engine, reference: Reference): Promise<EngineImage> {
  const wanted = wantedOf(reference)
  if (wanted.kind === 'name') {
    const {digest} = wanted
    const tail = digest === undefined ? `:${wanted.tag ?? 'latest'}` : `@${digest}`
    for (const query of spellings(engine, `${wanted.name}${tail}`)) {
      const details = await engine.find(query)
      // The engine keeps which digests an image was pulled by, and answers by them alone.
      if (details !== undefined && digest !== undefined) return {details, query, reference}
      // A name of hexadecimal digits may be answered with the image of that id.
      if (details !== undefined && tagsOf(details).some((tag) => isSameName(tag, query))) {
        return {details, query, reference}
      }
    }
  }
  const images = await engine.images()
  const digits = wanted.kind === 'id' ? wanted.id : wanted.kind === 'name' && wanted.mayBeId ? wanted.name : undefined
  const fitting = images.filter(
    (image) => wanted.kind === 'all' || (digits !== undefined && digestHex(idDigest(image.Id)).startsWith(digits)),
  )
  // An engine lists an image once for each of its names, or once for all.
  const ids = [...new Set(fitting.map(({Id}) => idDigest(Id)))]
  const [id, second] = ids
  if (second !== undefined) {
    throw new UsageError('AMBIGUOUS_SELECTION', {
      what: `${ids.length} images of ${engine.name} match '${formatLocation(reference)}'.`,
      suggestions: fitting.slice(0, 20).map(describe),
      at: {reference: engine.endpoint},
    })
  }
  // The list leaves out what is only part of another image; an id may name such a one all the same.
  const query = id ?? (wanted.kind === 'id' && wanted.id.length === 64 ? `sha256:${wanted.id}` : undefined)
  const details = query === undefined ? undefined : await engine.find(query)
  if (query === undefined || details === undefined) throw notFound(engine, reference, images)
  return {details, query, reference: {transport: NAME, path: query}}
}

/** Podman calls an image that it made itself `localhost/NAME`, and finds it under the bare name only in its own tools. */
function spellings(engine: Engine, name: string): readonly string[] {
  const isBare =
    findDockerName(name)?.fullRepository.startsWith('docker.io/') === true && !name.startsWith('docker.io/')
  return engine.name === 'podman' && isBare ? [name, `localhost/${name}`] : [name]
}

function describe(image: ImageSummary): string {
  const {Id: id} = image
  const [tag] = tagsOf(image)
  return tag === undefined ? `${NAME}:${idDigest(id)}` : `${NAME}:${tag} (${digestHex(idDigest(id)).slice(0, 12)})`
}

function notFound(engine: Engine, reference: Reference, images: readonly ImageSummary[]): InputError {
  return new InputError('NOT_FOUND', {
    what: `${engine.name} does not have the image '${formatLocation(reference).slice(NAME.length + 1)}'.`,
    why: images.length === 0 ? 'It has no images.' : 'It has the images listed below, and maybe others.',
    suggestions: images.slice(0, 10).map(describe),
    at: {reference: engine.endpoint},
  })
}

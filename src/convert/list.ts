import {findingOf, type Note} from '../model/events.js'
import {formatFullName} from '../model/package-identity.js'
import type {Platform} from '../model/image.js'
import type {ListOptions} from '../model/transport.js'
import {transportOf} from '../transports/catalog.js'
import {listImages, listItems} from './listing.js'
import {resolveTelling} from './recognise.js'

/** One row of `list`. */
export interface ListRow {
  readonly kind: 'image' | 'package' | 'transport-layout' | 'repository'
  readonly reference: string
  readonly names: readonly string[]
  readonly imageId?: string
  /** Digest of the payload of a package or transport layout. */
  readonly payloadDigest?: string
  /** Full name of the package. */
  readonly identity?: string
  readonly dependencies?: readonly string[]
  readonly platform?: Platform
  readonly createdTime?: string
  readonly sizeBytes?: number
  readonly layers?: number
  /** The outermost index that an image is in. */
  readonly index?: {readonly reference: string; readonly digest: string}
}

/** What `list` prints with `--json`. Schema: `src/schemas/list.schema.json`. */
export interface ListReport {
  readonly reference: string
  readonly items: readonly ListRow[]
  /** What is there and is no row, and why; and other things worth telling. */
  readonly notes: readonly Note[]
}

export interface ListingOptions extends ListOptions {
  /** Of an image registry: the images of all repositories, in place of the repositories. */
  readonly images?: boolean
}

/** Everything a place holds, in a stable order. */
export async function list(text: string, options: ListingOptions = {}): Promise<ListReport> {
  const notes: Note[] = []
  const {images, ...rest} = options
  const telling: ListOptions = {
    ...rest,
    onEvent: (event) => {
      if (event.kind === 'note') notes.push(findingOf(event))
      options.onEvent?.(event)
    },
  }
  const reference = await resolveTelling(text, telling)
  const items = images === true ? await listImages(reference, telling) : await listItems(reference, telling)
  return {
    reference: transportOf(reference).format(reference),
    items: items.map(({identity, dependencies, index, ...item}) => ({
      ...item,
      ...(index === undefined ? {} : {index: {reference: index.reference, digest: index.digest}}),
      ...(identity === undefined ? {} : {identity: formatFullName(identity)}),
      ...(dependencies === undefined ? {} : {dependencies: dependencies.map(formatFullName)}),
    })),
    notes,
  }
}

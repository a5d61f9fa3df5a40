import type {Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {ImageDraft} from '../../model/transport.js'
import {findDockerName, findTaggedName, requireTaggedName, type TaggedName} from '../image-documents/image-name.js'
import {indexNameOf} from '../oci-layout/index-name.js'

interface Given {
  /** `NAME:TAG` of the destination's reference, if it has one. */
  readonly selector: string | undefined
  /** The reference, and what it is without the name, for messages. */
  readonly given: string
  readonly bare: string
  /** Whether names are kept that no tag can be given by: in an index they are. */
  readonly holdsOthers: boolean
}

/** Names of one image as a destination keeps them. */
export interface HeldNames {
  readonly names: readonly TaggedName[]
  /** Those without a tag that could be given: with a digest, with capitals, of another grammar; verbatim. */
  readonly others: readonly string[]
}

/** Reports a name that the destination cannot store. */
export function tellLeftOut(name: string, {onEvent}: WorkOptions): void {
  const isPinned = findDockerName(name)?.digest !== undefined
  const why = isPinned
    ? 'it contains a digest, and the destination accepts only tags'
    : 'it is not a lower-case NAME:TAG'
  onEvent?.({
    kind: 'note',
    code: 'name-left-out',
    message: `The destination cannot store this name: ${why}. Pass another with --tag NAME:TAG.`,
    subject: name,
  })
}

/** What the images of one archive are called: the reference's name for the only one, else their own, each once. */
export class ImageNames {
  readonly #given: Given
  readonly #taken = new Map<string, Digest>()

  constructor(given: Given) {
    this.#given = given
  }

  /** Names of the next image, with `before` images written; reports those that cannot be kept. Throws `BAD_REFERENCE`. */
  namesOf(draft: Pick<ImageDraft, 'names'>, before: number, options: WorkOptions): HeldNames {
    const {selector, given, bare} = this.#given
    if (selector === undefined) return this.#heldOf(draft.names, options)
    if (before === 0) return {names: [requireTaggedName(selector)], others: []}
    throw new UsageError('BAD_REFERENCE', {
      what: `'${given}' names one image, but the source has several.`,
      suggestions: [`Leave the name out: ${bare}`],
    })
  }

  #heldOf(texts: readonly string[], options: WorkOptions): HeldNames {
    const names = new Map<string, TaggedName>()
    const others = new Map<string, string>()
    for (const text of texts) {
      const name = findTaggedName(text)
      const full = this.#given.holdsOthers ? indexNameOf(text)?.full : undefined
      if (name !== undefined) names.set(name.full, name)
      else if (full !== undefined) others.set(full, text)
      else tellLeftOut(text, options)
    }
    return {names: [...names.values()], others: [...others.values()]}
  }

  /** Throws `BAD_REFERENCE` where another image has one of the names. */
  register({names, others}: HeldNames, imageId: Digest): void {
    for (const {full, familiar} of [...names, ...others.map((text) => ({full: text, familiar: text}))]) {
      const other = this.#taken.get(full)
      if (other !== undefined && other !== imageId) {
        throw new UsageError('BAD_REFERENCE', {
          what: `Two images of the archive would have the name '${familiar}'.`,
          why: 'An engine would load only the last one.',
          suggestions: ['Give each image its own --tag or archive.'],
        })
      }
      this.#taken.set(full, imageId)
    }
  }
}

import type {Digest} from '../../../model/digest.js'
import {UsageError} from '../../../model/errors.js'
import type {ImageDraft} from '../../transport.js'
import {requireTaggedName, type TaggedName} from '../image-name.js'

interface Given {
  /** `NAME:TAG` of the destination's reference, if it has one. */
  readonly selector: string | undefined
  /** The reference, and what it is without the name, for messages. */
  readonly given: string
  readonly bare: string
}

/** What the images of one archive are called: the reference's name for the only one, else their own, each once. */
export class ImageNames {
  readonly #given: Given
  readonly #taken = new Map<string, Digest>()

  constructor(given: Given) {
    this.#given = given
  }

  /** Names of the next image, with `before` images written. Throws `BAD_REFERENCE`. */
  namesOf(draft: ImageDraft, before: number): readonly TaggedName[] {
    const {selector, given, bare} = this.#given
    if (selector === undefined) {
      const names = new Map(draft.names.map(requireTaggedName).map((name) => [name.full, name]))
      return [...names.values()]
    }
    if (before === 0) return [requireTaggedName(selector)]
    throw new UsageError('BAD_REFERENCE', {
      what: `'${given}' names one image, and there are several to write.`,
      suggestions: [`Leave the name out: ${bare}`],
    })
  }

  /** Throws `BAD_REFERENCE` where another image has one of the names. */
  register(names: readonly TaggedName[], imageId: Digest): void {
    for (const {full, familiar} of names) {
      const other = this.#taken.get(full)
      if (other !== undefined && other !== imageId) {
        throw new UsageError('BAD_REFERENCE', {
          what: `Two images would be called '${familiar}' in one archive.`,
          why: 'Only the last one could be loaded.',
          suggestions: ['Give each its own --tag, or its own archive.'],
        })
      }
      this.#taken.set(full, imageId)
    }
  }
}

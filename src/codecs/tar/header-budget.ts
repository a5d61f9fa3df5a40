import {InputError} from '../../model/errors.js'
import {LIMITS, ORDINARY_HEADER_BYTES} from '../../model/limits.js'
import {formatBytes} from '../../model/quantities.js'

/**
 * What the headers of a tar may take in all: of each member, and of all together. Chains of extended headers, long names
 * and sparse maps are bounded one by one, and yet would fill the memory.
 */
export class HeaderBudget {
  readonly #title: string
  #member = 0
  #all = 0

  /** `title` is how messages name the tar. */
  constructor(title: string) {
    this.#title = title
  }

  /** Another member begins. */
  begin(): void {
    this.#member = 0
  }

  /** Takes so many bytes out of both. `LIMIT_EXCEEDED` when one is used up. */
  spend(bytes: number): void {
    const before = Math.max(0, this.#member - ORDINARY_HEADER_BYTES)
    this.#member += bytes
    this.#all += Math.max(0, this.#member - ORDINARY_HEADER_BYTES) - before
    if (this.#member > LIMITS.memberHeaders.value)
      throw this.#spent('The headers of one member', LIMITS.memberHeaders.value)
    if (this.#all > LIMITS.layerHeaders.value)
      throw this.#spent('The headers of all members', LIMITS.layerHeaders.value)
  }

  #spent(what: string, most: number): InputError {
    return new InputError('LIMIT_EXCEEDED', {
      what: `${what} in ${this.#title} take more than ${formatBytes(most)}.`,
      why: 'Extended headers, long names and sparse maps count together.',
      suggestions: ['Do not trust where it comes from.'],
      at: {path: this.#title},
    })
  }
}

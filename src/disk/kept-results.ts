/**
 * What is worked out once of something that stays the same as long as it is there, such as the contents of an archive that is
 * kept open. A failure is not kept: it may be that of the caller, who was interrupted.
 */
export class KeptResults<T> {
  readonly #results = new WeakMap<object, Promise<T>>()

  async of(subject: object, work: () => Promise<T>): Promise<T> {
    const known = this.#results.get(subject)
    if (known !== undefined) {
      try {
        return await known
      } catch {
        return this.#begin(subject, work)
      }
    }
    return this.#begin(subject, work)
  }

  async #begin(subject: object, work: () => Promise<T>): Promise<T> {
    const begun = work()
    this.#results.set(subject, begun)
    try {
      return await begun
    } catch (error) {
      if (this.#results.get(subject) === begun) this.#results.delete(subject)
      throw error
    }
  }
}

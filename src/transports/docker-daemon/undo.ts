import type {Digest} from '../../model/digest.js'
import {TransshipError} from '../../model/errors.js'
import {findTaggedName} from '../../formats/image-documents/image-name.js'
import {idDigest, type Engine} from './engine.js'
import {tagsOf} from './find-image.js'

/**
 * What an engine had before something was loaded into it, to be brought back when that fails. Names go back to the images
 * that had them; an image that came with the load goes with its last name.
 */
export class Undo {
  readonly #engine: Engine
  /** By full name; undefined = the name was free. */
  readonly #before = new Map<string, Digest | undefined>()
  readonly #absent = new Set<Digest>()
  readonly #present = new Set<Digest>()
  #hasBegun = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  remember(name: string, id: Digest | undefined): void {
    if (!this.#before.has(name)) this.#before.set(name, id)
  }

  /** Ids of an image that has no name and was not there. */
  rememberAbsent(ids: readonly Digest[]): void {
    for (const id of ids) this.#absent.add(id)
  }

  /** An image that is not to go with the name that it was given. */
  rememberPresent(id: Digest): void {
    this.#present.add(id)
  }

  /** From now on the engine may have something of it. */
  begin(): void {
    this.#hasBegun = true
  }

  /** All went well. */
  forget(): void {
    this.#hasBegun = false
  }

  async run(): Promise<void> {
    if (!this.#hasBegun) return
    this.#hasBegun = false
    try {
      for (const [name, id] of this.#before) await this.#restore(name, id)
      for (const id of this.#absent) await this.#engine.remove(id)
    } catch (error) {
      // The failure that led here is what is told; an engine that is gone has nothing to be undone.
      if (!(error instanceof TransshipError)) throw error
    }
  }

  async #restore(full: string, before: Digest | undefined): Promise<void> {
    const found = await this.#engine.find(full)
    if (found === undefined) return
    const now = idDigest(found.Id)
    if (now === before) return
    const name = findTaggedName(full)
    if (before === undefined) {
      const isLastName = this.#present.has(now) && tagsOf(found).length < 2
      if (!isLastName) await this.#engine.remove(full)
    } else if (name !== undefined) await this.#engine.tag(before, name)
  }
}

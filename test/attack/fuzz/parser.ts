import type {Random} from './random.js'

/** What a run of one input came to, when it was no find. */
export type Outcome = 'accepted' | 'refused'

/** A reader of hostile bytes, ready in this process. */
export interface PreparedParser {
  /** A mutant. A function of the random numbers alone. */
  readonly make: (random: Random) => Buffer | Promise<Buffer>
  /**
   * Reads it as the product does. Ends well, throws a `TransshipError` (refused), or throws `Disproved` or anything else
   * (a find).
   */
  readonly run: (input: Buffer) => void | Promise<void>
  readonly close?: () => void | Promise<void>
}

export interface Parser {
  readonly name: string
  /** What is read, as a noun phrase. */
  readonly reads: string
  /** Mutants are put behind right digests, or need none to be reached. */
  readonly isEndToEnd?: true
  /** `scratch`: an empty folder of this process. */
  readonly prepare: (scratch: string) => PreparedParser | Promise<PreparedParser>
}

/** Something that was said, `exact`, `sound`, or that two ways of reading agree, is not so. */
export class Disproved extends Error {}

export function require(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Disproved(what)
}

/** Reads all of it; the number of bytes. Stops where a mutant claims holes without end, which reading lays out lazily. */
export async function drain(body: AsyncIterable<Uint8Array>, limit = 64 * 2 ** 20): Promise<number> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > limit) break
  }
  return bytes
}

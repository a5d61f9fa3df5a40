import {TransshipError} from '../model/errors.js'
import {findingOf, type Note} from '../model/events.js'
import type {Reference} from '../model/reference.js'
import {transportOf} from '../transports/catalog.js'
import {isNoSuchThing} from '../model/no-such-thing.js'
import type {Fault, LayerVerdict, Verdict, VerifyOptions} from '../model/transport.js'
import {resolveTelling} from './recognise.js'

/** What `verify` prints with `--json`. Schema: `src/schemas/verify.schema.json`. */
export interface VerifyReport {
  readonly reference: string
  /** No fault was found. */
  readonly ok: boolean
  readonly faults: readonly Fault[]
  readonly layers: readonly LayerVerdict[]
  /** What is only named, and was not read; and other things worth telling. */
  readonly notes: readonly Note[]
  readonly bytes: number
}

/**
 * Checks every digest, size, name, link, hive, dependency and rule of what a reference names; gathers all faults. Throws
 * where the reference leads to nothing, or to nothing of its kind: `NOT_FOUND`, `UNRECOGNISED_FORMAT`,
 * `FORMAT_UNSUPPORTED`, `PLATFORM_UNSUPPORTED`; and what is not the input's fault.
 */
export async function verify(text: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const notes: Note[] = []
  const telling: VerifyOptions = {
    ...options,
    onEvent: (event) => {
      if (event.kind === 'note') notes.push(findingOf(event))
      options.onEvent?.(event)
    },
  }
  const reference = await resolveTelling(text, telling)
  const {faults, layers, bytes} = await verdictOf(reference, telling)
  return {reference: transportOf(reference).format(reference), ok: faults.length === 0, faults, layers, notes, bytes}
}

/** What is so damaged that it cannot be opened has that fault, on every transport. */
async function verdictOf(reference: Reference, options: VerifyOptions): Promise<Verdict> {
  try {
    return await transportOf(reference).verify(reference, options)
  } catch (error) {
    const isFault = error instanceof TransshipError && error.exitCode === 3 && !isNoSuchThing(error)
    if (!isFault) throw error
    const {code, message, at} = error
    return {faults: [{code, message, subject: at.path ?? reference.path}], layers: [], bytes: 0}
  }
}

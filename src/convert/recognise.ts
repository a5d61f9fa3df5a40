import type {WorkOptions} from '../model/events.js'
import type {Reference} from '../model/reference.js'
import {resolveReference, transportOf} from '../transports/catalog.js'

/**
 * Parses a reference, or recognises a bare path by its content and tells the choice as a note. Throws `BAD_REFERENCE`,
 * `AMBIGUOUS_SELECTION`.
 */
export async function resolveTelling(text: string, options: WorkOptions): Promise<Reference> {
  const {reference, recognised} = await resolveReference(text)
  if (recognised) {
    const message = `Read as ${transportOf(reference).format(reference)}.`
    options.onEvent?.({kind: 'note', code: 'transport-recognised', message, subject: text})
  }
  return reference
}

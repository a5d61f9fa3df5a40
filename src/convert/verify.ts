import {transportOf} from '../transports/catalog.js'
import type {Fault, LayerVerdict, OpenOptions} from '../model/transport.js'
import {resolveTelling} from './recognise.js'

/** What `verify` prints with `--json`. Schema: `src/schemas/verify.schema.json`. */
export interface VerifyReport {
  readonly reference: string
  /** No fault was found. */
  readonly ok: boolean
  readonly faults: readonly Fault[]
  readonly layers: readonly LayerVerdict[]
  readonly bytes: number
}

/** Checks every digest, size, name, link, hive, dependency and rule of what a reference names; gathers all faults. */
export async function verify(text: string, options: OpenOptions = {}): Promise<VerifyReport> {
  const reference = await resolveTelling(text, options)
  const transport = transportOf(reference)
  const verdict = await transport.verify(reference, options)
  return {reference: transport.format(reference), ok: verdict.faults.length === 0, ...verdict}
}

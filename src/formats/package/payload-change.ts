import type {WorkOptions} from '../../model/events.js'
import {verifyIndex} from '../transport-layout/verify-layout.js'
import type {StoredPackage} from './repository.js'
import {openLayout, readIndex} from './package-entries.js'

/** Why the payload is not the one that its package states, as a sentence; undefined when it is. Reads every file of it. */
export async function findPayloadChange(stored: StoredPackage, options: WorkOptions): Promise<string | undefined> {
  const {payload} = stored
  if (payload.Digest === undefined) return undefined
  const index = readIndex(stored)
  if (index?.digest !== payload.Digest)
    return `The metadata gives the payload digest ${payload.Digest}, but the index is ${index?.digest ?? 'missing'}.`
  const layout = openLayout(stored, index, options)
  try {
    const [fault] = (await verifyIndex(layout, index, options)).faults
    return fault === undefined ? undefined : `${fault.subject}: ${fault.message}`
  } finally {
    layout.close()
  }
}

/** The same, or why the payload cannot come back under its digest: its index is written in another way than ours. */
export async function findPayloadDifference(stored: StoredPackage, options: WorkOptions): Promise<string | undefined> {
  const line = readIndex(stored)?.findForeignLine()
  if (line !== undefined) return `Line ${line} of payload-index.jsonl is not written as transship writes it.`
  return findPayloadChange(stored, options)
}

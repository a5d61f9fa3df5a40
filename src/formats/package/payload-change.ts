import type {WorkOptions} from '../../model/events.js'
import {payloadPart} from '../../model/layer-path.js'
import type {PayloadIndex} from '../transport-layout/payload-index.js'
import {areSameTimes} from '../transport-layout/read-layout.js'
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

/**
 * The same, or why the payload cannot come back under its digest: its index is written in another way than ours, or tells
 * times of a top folder that a layer has no room for.
 */
export async function findPayloadDifference(stored: StoredPackage, options: WorkOptions): Promise<string | undefined> {
  const index = readIndex(stored)
  const line = index?.findForeignLine()
  if (line !== undefined) return `Line ${line} of payload-index.jsonl is not written as transship writes it.`
  const folder = index === undefined ? undefined : findRetimedFolder(stored, index, options)
  if (folder !== undefined)
    return `A layer cannot hold the times that payload-index.jsonl tells of the folder ${folder}.`
  return findPayloadChange(stored, options)
}

/** A top folder has no carrier, and a layer gives it the times of the System hive, or its write time for all. */
function findRetimedFolder(stored: StoredPackage, index: PayloadIndex, options: WorkOptions): string | undefined {
  const layout = openLayout(stored, index, options)
  try {
    for (const node of layout.scanned.nodes) {
      if (node.path.includes('/') || payloadPart(node.path) === 'utility-vm') continue
      const times = index.get(node.path)?.times
      const entry = layout.entry(node)
      if (times === undefined || entry.kind !== 'directory') continue
      if (!areSameTimes(times, entry.meta.times)) return node.path
    }
    return undefined
  } finally {
    layout.close()
  }
}

import {TransshipError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import type {Fault, LayerVerdict, OpenOptions, Transport, Verdict} from '../../model/transport.js'
import {createRuntime} from './destination.js'
import {formatRuntimeReference, GRAMMAR, parseRuntimeLocation, RUNTIME} from './reference.js'
import {listRuntime, openRuntime} from './source.js'

/** A container manager's own form of a layer, which only Windows reads and writes. Source: host compute page, section 1. */
export const runtime: Transport = {
  name: RUNTIME,
  grammar: GRAMMAR,
  parse: parseRuntimeLocation,
  format: formatRuntimeReference,
  // Its content is Windows' own affair: it is never taken for something by its looks.
  recognises: () => Promise.resolve(false),
  list: listRuntime,
  open: openRuntime,
  create: createRuntime,
  verify: verifyRuntime,
}

/** Exports each layer and reads every entry of it. */
async function verifyRuntime(reference: Reference, options: OpenOptions): Promise<Verdict> {
  const image = await openRuntime(reference, options)
  const faults: Fault[] = []
  const layers: LayerVerdict[] = []
  try {
    for (const layer of image.layers) {
      let entries = 0
      try {
        for await (const _entry of layer.entries(options)) entries++
      } catch (error) {
        if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED' || error.exitCode === 4) throw error
        faults.push({code: error.code, message: error.message, subject: layer.title})
      }
      layers.push({title: layer.title, entries})
    }
  } finally {
    await image.close()
  }
  return {faults, layers, bytes: 0}
}

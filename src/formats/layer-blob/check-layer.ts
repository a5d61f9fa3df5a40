import {readTar} from '../../codecs/tar/tar-reader.js'
import {InputError, UnsupportedError, type ErrorCode} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {recordingNames} from '../../model/image-names.js'
import {LayerNames} from '../../model/layer-names.js'
import type {Fault} from '../../model/transport.js'
import {layerFromTar, layerTar, type StoredLayer} from './read-layer-blob.js'
import {checkingHives} from './verify-hives.js'

/** A fault of a layer: of the tar itself, which ends the reading and may say nothing of where it is, or of what lies in it. */
export type LayerFault =
  | {readonly isOfTar: true; readonly code: ErrorCode; readonly message: string; readonly subject: string | undefined}
  | {readonly isOfTar: false; readonly fault: Fault}

/** What reading a layer to its end found. */
export interface LayerFindings {
  /** In the order in which they were met. */
  readonly faults: readonly LayerFault[]
  readonly entries: number
  /** Of a Windows layer that could be read to its end: what its names are, to be asked together with those below. */
  readonly names?: LayerNames
}

/** Reads a layer to its end and checks digests, its own names, its hives, and that the tar fits its operating system. */
export async function checkLayer(stored: StoredLayer, os: string, options: WorkOptions): Promise<LayerFindings> {
  const faults: LayerFault[] = []
  const gather = async (step: () => Promise<void>): Promise<boolean> => {
    try {
      await step()
      return true
    } catch (error) {
      if (!(error instanceof InputError || error instanceof UnsupportedError)) throw error
      const {code, message, at} = error
      faults.push({isOfTar: true, code, message, subject: at.path})
      return false
    }
  }
  const keep = (fault: Fault) => faults.push({isOfTar: false, fault})
  const names = new LayerNames(stored.title)
  let entries = 0
  const isWhole = await gather(async () => {
    if (os !== 'windows') {
      for await (const _member of membersOf(stored, options)) entries++
      return
    }
    const onFault = ({code, message, at}: InputError) => keep({code, message, subject: at.path ?? ''})
    const recorded = recordingNames(names, layerFromTar(stored).entries(options), {...options, onFault})
    const report = (fault: Fault) => keep({...fault, subject: `${stored.title}: ${fault.subject}`})
    for await (const entry of checkingHives(recorded, report)) if (entry.kind !== 'frame') entries++
  })
  if (isWhole) return {faults, entries, ...(os === 'windows' ? {names} : {})}
  // A fault inside the tar ends the decoding early, and the digests are at its end.
  await gather(async () => {
    for await (const _chunk of layerTar(stored, options));
  })
  return {faults, entries}
}

/** Of the tar of another operating system, which only must be one. */
async function* membersOf(stored: StoredLayer, options: WorkOptions): AsyncGenerator<undefined> {
  const {title, diffId} = stored
  const {signal} = options
  const mayLackEnd = diffId !== undefined
  for await (const item of readTar(layerTar(stored, options), {title, code: 'LAYER_CORRUPT', signal, mayLackEnd})) {
    if (item.kind !== 'member') continue
    if (item.name === '') throw nameless(title, item.offset)
    yield undefined
  }
}

function nameless(title: string, offset: number): InputError {
  return new InputError('NAME_UNSAFE', {
    what: 'A member of the layer has no name.',
    why: 'Tools interpret such a member differently.',
    suggestions: ['Build the layer again.'],
    at: {path: title, offset},
  })
}

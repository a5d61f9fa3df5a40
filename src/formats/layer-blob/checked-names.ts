import {InputError, type ErrorCode} from '../../model/errors.js'
import {ImageNames, type NamedLayer} from '../../model/image-names.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import type {Fault} from '../../model/transport.js'
import {layerFromTar, type StoredLayer} from './read-layer-blob.js'

/** One layer of an image whose names are checked with those below it. */
export interface CheckedNames {
  readonly names: ImageNames
  readonly index: number
}

/** Passes entries on; `report` gets a fault for each name that a conversion would refuse. */
export function checkingNames(
  entries: AsyncIterable<LayerEntry>,
  {names, index}: CheckedNames,
  options: WorkOptions & {readonly report: (fault: Fault & {readonly code: ErrorCode}) => void},
): AsyncIterable<LayerEntry> {
  const {report, ...work} = options
  return names.follow(index, entries, {
    ...work,
    onFault: ({code, message, at}) => {
      report({code, message, subject: at.path ?? ''})
    },
  })
}

/** The names of the layers of one stored image, each looked up and read when it is first asked for. */
export function namesOfStored(
  layers: readonly {readonly title: string; readonly find: (() => Promise<StoredLayer | undefined>) | undefined}[],
): ImageNames {
  const named = layers.map(({title, find}): NamedLayer => ({
    title,
    hasContent: find !== undefined,
    async *entries(options) {
      const stored = await find?.()
      if (stored === undefined) throw new InputError('LAYER_MISSING', {what: `The content of ${title} is missing.`})
      yield* layerFromTar(stored).entries(options)
    },
  }))
  return new ImageNames(named, {isWhole: true})
}

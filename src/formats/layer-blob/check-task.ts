import type {WorkEvent} from '../../model/events.js'
import type {LayerInFile} from '../../model/layer-in-file.js'
import type {LayerNamesParts} from '../../model/layer-names.js'
import type {UnpackOptions} from '../../model/limits.js'
import {taskName} from '../../workers/task.js'
import type {LayerFindings} from './check-layer.js'

export interface CheckLayerInput {
  readonly layer: LayerInFile
  readonly os: string
  readonly limits: UnpackOptions
}

export interface CheckLayerOutput extends Omit<LayerFindings, 'names'> {
  readonly names?: LayerNamesParts
  readonly events: readonly WorkEvent[]
}

/** The findings as plain data. */
export function packFindings({names, ...findings}: LayerFindings, events: readonly WorkEvent[]): CheckLayerOutput {
  return {...findings, events, ...(names === undefined ? {} : {names: names.parts})}
}

/** Reads a layer to its end and checks it; see `checkLayer`. */
export const CHECK_LAYER = taskName<CheckLayerInput, CheckLayerOutput>('check-layer')

import {checkLayer} from '../formats/layer-blob/check-layer.js'
import {packFindings, type CheckLayerInput, type CheckLayerOutput} from '../formats/layer-blob/check-task.js'
import {storedInFile} from '../formats/layer-blob/read-layer-blob.js'
import type {WorkEvent} from '../model/events.js'
import {buffersOf} from '../model/layer-names.js'
import type {TaskFunction} from '../workers/task.js'

/** The task `CHECK_LAYER`. */
export const checkLayerTask: TaskFunction<CheckLayerInput, CheckLayerOutput> = async (
  {layer, os, limits},
  {signal},
) => {
  const events: WorkEvent[] = []
  const onEvent = (event: WorkEvent) => events.push(event)
  const output = packFindings(await checkLayer(storedInFile(layer), os, {...limits, signal, onEvent}), events)
  return {output, transfer: output.names === undefined ? [] : buffersOf(output.names)}
}

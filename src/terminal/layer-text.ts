import type {LayerMove} from '../runtime/storage/runtime-layers.js'
import {formatFields} from './table.js'

/** What was moved where. */
export function formatMove({runtime, transportLayout, parents, library}: LayerMove): string {
  return formatFields([
    ['Runtime layer', runtime],
    ['Transport layout', transportLayout],
    ['Parents', parents.length === 0 ? undefined : parents.join(', ')],
    ['Done by', library],
  ])
}

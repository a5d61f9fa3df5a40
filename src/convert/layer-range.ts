import {UsageError} from '../model/errors.js'
import type {Image} from '../model/image.js'
import type {LayerRange} from './options.js'

/** The range, if the image has these layers; `BAD_OPTION` otherwise. */
export function requireRange(image: Image, range: LayerRange): LayerRange {
  const {from, to} = range
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to < image.layers.length)
    return range
  throw new UsageError('BAD_OPTION', {
    what: `--layers squash:${from}..${to} is out of range.`,
    why: `The image has ${image.layers.length} layers, numbered from 0 (the base).`,
    suggestions: ['Run transship inspect to see the layers.'],
  })
}

/** Indices `from` to below `count`, one by one but for those of the range, which are one group. */
export function groupsOf(indices: readonly number[], range: LayerRange): number[][] {
  const groups: number[][] = []
  for (const index of indices) {
    const group = groups.at(-1)
    const joins = index > range.from && index <= range.to && group !== undefined
    if (joins) group.push(index)
    else groups.push([index])
  }
  return groups
}

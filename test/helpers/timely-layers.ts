import fc from 'fast-check'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {foldPath} from '../../src/model/layer-path.js'
import {
  directoryEntry,
  fileEntry,
  FileSystemModel,
  junctionEntry,
  linkEntry,
  ModelRefusal,
  opaque,
  tombstone,
} from './file-system-model.js'

/*
 * Layers whose entries come in any order: links before and after their targets change, deletions before and after what
 * replaces them, folders that nothing states, names in other case, swaps, circles.
 */

interface Step {
  readonly verb: 'file' | 'directory' | 'junction' | 'link' | 'tombstone' | 'opaque'
  readonly path: string
  readonly target: string
  readonly text: string
}

const name = fc.constantFrom('a', 'b', 'C')
const path = fc
  .tuple(
    fc.constantFrom('Files', 'Files', 'Files', 'UtilityVM/Files'),
    fc.array(name, {minLength: 1, maxLength: 3}),
    fc.boolean(),
  )
  .map(([top, names, isLower]) => `${top}/${names.map((each) => (isLower ? each.toLowerCase() : each)).join('/')}`)

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom('file', 'file', 'directory', 'junction', 'link', 'link', 'link', 'tombstone', 'opaque'),
  path,
  target: path,
  text: fc.constantFrom('1', '22', '333'),
})

/** `isTame`: what breaks a rule is left out. */
const layers = (isTame: boolean): fc.Arbitrary<LayerEntry[][]> =>
  fc.array(fc.array(step, {minLength: 1, maxLength: 9}), {minLength: 1, maxLength: 4}).map((all) => {
    const model = new FileSystemModel()
    return all.map((steps, index) => layerFrom(steps, {model, index, isTame}))
  })

interface Course {
  readonly model: FileSystemModel
  readonly index: number
  readonly isTame: boolean
}

function layerFrom(steps: readonly Step[], {model, index, isTame}: Course): LayerEntry[] {
  const entries: LayerEntry[] = []
  const stated = new Set<string>()
  const deleted = new Set<string>()
  for (const [at, each] of steps.entries()) {
    const entry = entryOf(each, index * 16 + at)
    const folded = foldPath(each.path)
    const known = each.verb === 'tombstone' || each.verb === 'opaque' ? deleted : stated
    if (known.has(folded)) continue
    if (isTame && !isTakenBy(model, entry, each.text)) continue
    known.add(folded)
    entries.push(entry)
  }
  if (isTame) model.endLayer()
  return entries
}

/** Tries the entry, and the end of the layer behind it, before it is taken. */
function isTakenBy(model: FileSystemModel, entry: LayerEntry, text: string): boolean {
  const trial = model.clone()
  try {
    trial.step(entry, text)
    trial.endLayer()
  } catch (error) {
    if (error instanceof ModelRefusal) return false
    throw error
  }
  model.step(entry, text)
  return true
}

function entryOf({verb, path: at, target, text}: Step, mark: number): LayerEntry {
  switch (verb) {
    case 'file':
      return fileEntry(at, text, 0x20 + mark * 0x10000)
    case 'directory':
      return directoryEntry(at, 0x10 + mark * 0x10000)
    case 'junction':
      return junctionEntry(at, 0x410 + mark * 0x10000)
    case 'link':
      return linkEntry(at, target)
    case 'tombstone':
      return tombstone(at)
    case 'opaque':
      return opaque(at)
  }
}

/** Layers that break no rule, base first. */
export const tameLayers = layers(true)

/** Layers that may break any. */
export const wildLayers = layers(false)

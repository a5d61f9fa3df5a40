import type {ListRow} from '../convert/list.js'
import type {Reference} from '../model/reference.js'
import {findReference} from '../transports/catalog.js'
import {isLocal} from './place.js'
import {fillReference, imageNamesOf, templateValues, type TemplateValues} from './template.js'

/** Where one thing of a source goes. */
export interface Filled {
  readonly destination: Reference
  readonly values: TemplateValues
  /** Of a repository of an image registry, where the thing gets several tags there. */
  readonly tags?: readonly string[]
}

/**
 * The destinations of a row, fields filled in: one for each of its names that leads somewhere else, so that no tag is
 * lost. Tags of one repository of an image registry are given together, and a file or folder that is named without a tag has
 * all names in it. Empty if the text is not a reference; throws `BAD_REFERENCE`.
 */
export function fillDestination(text: string, row: ListRow, sourcePath: string): readonly Filled[] {
  const names = imageNamesOf(row)
  const filled = new Map<string, Filled>()
  for (const name of names.length === 0 ? [undefined] : names) {
    const values = templateValues(row, sourcePath, name)
    const own = fillReference(text, values)
    const destination = findReference(own)
    if (destination !== undefined && !filled.has(own)) filled.set(own, {destination, values})
  }
  const [first, ...others] = filled.values()
  if (first === undefined) return []
  if (isLocal(first.destination)) {
    // Under a tag, a place gets that name alone.
    const isApart = ({destination: {path, selector}}: Filled) =>
      path === first.destination.path || selector !== undefined
    return [first, ...others.filter(isApart)]
  }
  return first.destination.transport === 'docker' ? together([first, ...others]) : [first, ...others]
}

/** One for each repository. */
function together(all: readonly Filled[]): readonly Filled[] {
  const byPath = new Map<string, Filled[]>()
  for (const each of all) byPath.set(each.destination.path, [...(byPath.get(each.destination.path) ?? []), each])
  return [...byPath.values()].flatMap(([first, ...others]) => {
    if (first === undefined || others.length === 0) return first ?? []
    const {selector: _, ...destination} = first.destination
    const tags = [first, ...others].map((each) => each.destination.selector ?? 'latest')
    return {...first, destination, tags}
  })
}

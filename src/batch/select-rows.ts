import picomatch from 'picomatch'
import type {ListRow} from '../convert/list.js'
import {parseFullName} from '../model/package-identity.js'
import type {Reference} from '../model/reference.js'
import {findReference} from '../transports/catalog.js'
import {isFullName} from '../formats/package/repository.js'
import {isLocal} from './place.js'
import type {PlanFault, PlanPath} from './plan-text.js'
import {imageNamesOf} from './template.js'
import {upTo} from '../model/text-ends.js'

const OPTIONS = {nocase: true, dot: true, strictBrackets: true}

/** A glob without a slash is held against the last part of a name, so that `*` is everything. */
function matcherOf(globs: readonly string[]): (name: string) => boolean {
  const matchers = globs.map((glob) => picomatch(glob, {...OPTIONS, basename: !glob.includes('/')}))
  return (name) => matchers.some((fits) => fits(name))
}

/** What is wrong with globs: brackets that do not close. */
export function globFaults(globs: readonly string[], at: PlanPath): readonly PlanFault[] {
  return globs.flatMap((glob, index) => {
    try {
      picomatch.makeRe(glob, OPTIONS)
      return []
    } catch (error) {
      const why = error instanceof Error ? `${error.message}.` : String(error)
      const suggestions = ['Close the bracket, or put a backslash before it.']
      return [{path: [...at, index], what: `'${glob}' is not a glob.`, why, suggestions}]
    }
  })
}

/** Rows of which a name fits one of `include` (all, if it is empty) and none fits one of `exclude`. */
export function selectRows(
  rows: readonly ListRow[],
  {include, exclude}: {readonly include: readonly string[]; readonly exclude: readonly string[]},
): readonly ListRow[] {
  const isIn = include.length === 0 ? () => true : matcherOf(include)
  const isOut = matcherOf(exclude)
  return rows.filter((row) => {
    const names = namesOf(row)
    return names.some((name) => isIn(name)) && !names.some((name) => isOut(name))
  })
}

/**
 * True when a package that cannot be read may be one of those that are selected: by the name of its file or folder, which is
 * mostly that of the package. One that is called otherwise may be any.
 */
export function maySelect(
  entryName: string,
  {include, exclude}: {readonly include: readonly string[]; readonly exclude: readonly string[]},
): boolean {
  const fullName = entryName.replace(/\.appx$/i, '')
  const known = isFullName(fullName)
  const names = [entryName, fullName, ...(known ? [parseFullName(fullName).name] : [])]
  if (names.some(matcherOf(exclude))) return false
  return include.length === 0 || !known || names.some(matcherOf(include))
}

/**
 * The rows that are things of their own: not the packages that only others are built on, such as the operating system and
 * the lower layers of a chain, and no stubs. One that is an image itself stays, whatever was built on it.
 */
export function withoutHelpers(rows: readonly ListRow[]): readonly ListRow[] {
  const needed = new Set(rows.flatMap(({dependencies = []}) => dependencies.map((identity) => identity.toLowerCase())))
  return rows.filter((row) => {
    if (row.identity === undefined || imageNamesOf(row).length > 0) return true
    return row.layers !== 0 && !needed.has(row.identity.toLowerCase())
  })
}

/** What selects one row of a listing of `reference`; undefined when the row names nothing that is a reference. */
export function referenceOfRow(reference: Reference, row: ListRow, rows: readonly ListRow[]): Reference | undefined {
  // The only one needs no selector, and some have no name that could be one. At a registry or an engine none is `latest`.
  const isChosen = rows.length === 1 && (isLocal(reference) || reference.selector !== undefined)
  return isChosen ? reference : findReference(row.reference)
}

/** Everything a glob is held against: the names of an image with and without tag, of a package in full and short. */
export function namesOf(row: ListRow): readonly string[] {
  const short = row.identity === undefined ? [] : [parseFullName(row.identity).name]
  const untagged = row.kind === 'image' ? row.names.map((name) => upTo(name, '@').replace(/:[^:/]*$/, '')) : []
  const id = row.imageId === undefined ? [] : [row.imageId]
  return [...new Set([...row.names, ...untagged, ...short, ...id])]
}

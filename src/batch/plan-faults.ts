import {TransshipError} from '../model/errors.js'
import {findReference, shownReference, TRANSPORTS} from '../transports/catalog.js'
import {suggestNearest} from '../model/did-you-mean.js'
import type {PlanItem} from './parse-plan.js'
import type {PlanFault, PlanPath} from './plan-text.js'
import {globFaults} from './select-rows.js'
import {fillReference, isTemplate, TEMPLATE_FIELDS, templateFaults, type TemplateValues} from './template.js'
import {unitOptions} from './unit-options.js'

/** A template filled with this is a reference exactly when it will be one. */
const EXAMPLE = Object.fromEntries(TEMPLATE_FIELDS.map((field) => [field, 'x1'])) as TemplateValues

/** What is wrong with items by themselves, before anything is listed. */
export function planFaults(items: readonly PlanItem[], folder: string): readonly PlanFault[] {
  return items.flatMap((item) => {
    const at = (...rest: PlanPath): PlanPath => ['items', item.index, ...rest]
    return [
      ...sourceFaults(item, at('source')),
      ...destinationFaults(item, at('destination')),
      ...allFaults(item, at('include')),
      ...globFaults(item.include, at('include')),
      ...globFaults(item.exclude, at('exclude')),
      ...optionFaults(item, {folder, at}),
    ]
  })
}

function sourceFaults({source}: PlanItem, path: PlanPath): readonly PlanFault[] {
  const reference = parsed(source, path)
  if (reference === undefined || 'what' in reference) return reference === undefined ? [] : [reference]
  if (reference.path === '-')
    return [{path, what: 'A pipe cannot be the source of an item, because a second run would find it empty.'}]
  return []
}

function destinationFaults({destination}: PlanItem, path: PlanPath): readonly PlanFault[] {
  const faults = templateFaults(destination, path)
  if (faults.length > 0) return faults
  const reference = parsed(fillReference(destination, EXAMPLE), path)
  if (reference === undefined) {
    const suggestions = TRANSPORTS.map((transport) => `${transport.name}:${transport.grammar}`)
    return [{path, what: `'${shownReference(destination)}' is not TRANSPORT:LOCATION.`, suggestions}]
  }
  if ('what' in reference) return [reference]
  if (reference.path === '-') return [{path, what: 'A pipe cannot be the destination of an item.'}]
  return []
}

/** What is taken as a whole cannot be chosen from. */
function allFaults({options, include, exclude}: PlanItem, path: PlanPath): readonly PlanFault[] {
  if (options.all !== true || (include.length === 0 && exclude.length === 0)) return []
  const what = 'The option all converts everything as one item, so include and exclude are not allowed.'
  return [{path, what, suggestions: ['Leave out all to convert each included image or package on its own.']}]
}

/** A fault for a name in front of a colon that is nearly a transport's, or for a location that is none. */
function parsed(text: string, path: PlanPath): {readonly path: string} | PlanFault | undefined {
  try {
    const reference = findReference(text)
    if (reference !== undefined) return reference
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    const {what, why, suggestions} = error
    return {path, what, ...(why === undefined ? {} : {why}), suggestions}
  }
  const [, name] = /^([A-Za-z][A-Za-z0-9-]+):/.exec(text) ?? []
  if (name === undefined) return undefined
  const names = TRANSPORTS.map((transport) => transport.name)
  return {
    path,
    what: `No transport is called '${name}'.`,
    suggestions: [...suggestNearest(name, names), `Known: ${names.join(', ')}`],
  }
}

function optionFaults(
  {options}: PlanItem,
  {folder, at}: {folder: string; at: (...rest: PlanPath) => PlanPath},
): readonly PlanFault[] {
  const faults = Object.entries(options).flatMap(([key, value]) =>
    [value]
      .flat()
      .flatMap((each: unknown) => (typeof each === 'string' ? templateFaults(each, at('options', key)) : [])),
  )
  if (faults.length > 0 || Object.values(options).flat().map(String).some(isTemplate)) return faults
  try {
    unitOptions(options, {folder})
    return []
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return [{path: at('options'), what: error.what, suggestions: error.suggestions}]
  }
}

import type {PlanFault} from './plan-text.js'
import {PlanText} from './plan-text.js'
import {UsageError} from '../model/errors.js'
import {isPlan, type PlanItemDocument, type PlanOptions} from './plan-schema.js'
import {suggestNearest} from '../model/did-you-mean.js'
import {withVariables, type Environment} from './variables.js'

/** An item of a plan, its defaults filled in and its variables replaced; templates stand as written. */
export interface PlanItem {
  /** Its place in the plan, from 0. */
  readonly index: number
  readonly id?: string
  readonly source: string
  readonly destination: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly options: PlanOptions
  /** Ids of items. */
  readonly after: readonly string[]
}

export interface Plan {
  readonly text: PlanText
  readonly items: readonly PlanItem[]
}

/** Parses a plan. Throws `PLAN_INVALID` with line and column of what is wrong, and what may have been meant. */
export function parsePlan(text: string, options: {readonly name: string; readonly environment: Environment}): Plan {
  const planText = PlanText.parse(text, options.name)
  const faults: PlanFault[] = []
  const document = withVariables(planText.toJson(), options.environment, faults)
  planText.requireNone(faults)
  if (!isPlan(document, faults)) {
    planText.requireNone(faults)
    return {text: planText, items: []}
  }
  const {defaults = {}} = document
  const epoch = epochOf(options.environment)
  const items: PlanItem[] = []
  for (const [index, item] of document.items.entries()) {
    const destination = item.destination ?? defaults.destination
    if (destination === undefined) {
      faults.push({path: ['items', index], what: 'The item has no destination, and neither have the defaults.'})
      continue
    }
    const include = item.include ?? defaults.include
    const exclude = item.exclude ?? defaults.exclude
    items.push({
      index,
      ...(item.id === undefined ? {} : {id: item.id}),
      source: item.source,
      destination,
      include: textsOf(include),
      exclude: textsOf(exclude),
      options: {...epoch, ...mergedOptions(defaults.options, item.options)},
      after: textsOf(item.after),
    })
  }
  requireIds(document.items, faults)
  planText.requireNone(faults)
  return {text: planText, items}
}

/** The same variable that stands in for the flag of `convert`. Throws `BAD_OPTION`. */
function epochOf({SOURCE_DATE_EPOCH: text}: Environment): PlanOptions {
  if (text === undefined || text === '') return {}
  if (/^\d{1,12}$/.test(text)) return {'source-date-epoch': Number(text)}
  throw new UsageError('BAD_OPTION', {
    what: 'SOURCE_DATE_EPOCH is not a number of seconds.',
    suggestions: ['Set it to whole seconds since 1970, or unset it.'],
  })
}

/** An engine that an item names stands in for one that the defaults name in the other way. */
function mergedOptions(defaults: PlanOptions = {}, own: PlanOptions = {}): PlanOptions {
  const {engine, 'engine-certs': certs, 'engine-context': context, ...rest} = defaults
  const isOwn = own.engine !== undefined || own['engine-context'] !== undefined
  const engines = {
    ...(engine === undefined ? {} : {engine}),
    ...(certs === undefined ? {} : {'engine-certs': certs}),
    ...(context === undefined ? {} : {'engine-context': context}),
  }
  return {...rest, ...(isOwn ? {} : engines), ...own}
}

/** A text or a list of texts as a list. */
export function textsOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? [])
}

function requireIds(items: readonly PlanItemDocument[], faults: PlanFault[]): void {
  const known = new Set<string>()
  for (const [index, {id}] of items.entries()) {
    if (id === undefined) continue
    if (known.has(id)) faults.push({path: ['items', index, 'id'], what: `Two items have the id '${id}'.`})
    known.add(id)
  }
  for (const [index, item] of items.entries()) {
    for (const [position, id] of textsOf(item.after).entries()) {
      if (known.has(id)) continue
      const path = ['items', index, 'after', ...(typeof item.after === 'string' ? [] : [position])]
      faults.push({path, what: `No item has the id '${id}'.`, suggestions: suggestNearest(id, known)})
    }
  }
}

import {formatReference} from '../transports/catalog.js'
import {factsOf} from './facts-of.js'
import type {Draft} from './draft.js'
import {CycleFound, inOrder} from './order.js'
import {placeKey} from './place.js'
import type {PlanText} from './plan-text.js'
import {namesOf} from './select-rows.js'
import {closureOf} from './source-stamp.js'
import {unitKey, type PlannedUnit} from './unit.js'

/** An id for each draft: the item's own, with a name behind it where the item makes several; else its source. */
export function idsOf(drafts: readonly Draft[]): readonly string[] {
  const counts = new Map<string, number>()
  const count = (id: string) => counts.set(id, (counts.get(id) ?? 0) + 1)
  const plain = drafts.map(({item, source, row}) => {
    const {id} = item
    const isAlone = drafts.filter((other) => other.item === item).length === 1
    if (id === undefined) return formatReference(source)
    return isAlone ? id : `${id}/${row === undefined ? formatReference(source) : (namesOf(row)[0] ?? source.path)}`
  })
  plain.forEach(count)
  const distinct = plain.map((id, index) => {
    const destination = drafts[index]?.destination
    return counts.get(id) === 1 || destination === undefined ? id : `${id} -> ${formatReference(destination)}`
  })
  counts.clear()
  return distinct.map((id) => {
    count(id)
    const seen = counts.get(id) ?? 1
    return seen === 1 ? id : `${id} (${seen})`
  })
}

interface EdgeOptions {
  readonly folder: string
  readonly ids: readonly string[]
  readonly text: PlanText
}

/**
 * What each unit comes after: what its item names, what makes its source, and the packages that its package depends on,
 * where they go to the same place. Gives the units in that order. Throws `PLAN_INVALID` for a cycle.
 */
export function addEdges(drafts: readonly Draft[], {folder, ids, text}: EdgeOptions): readonly PlannedUnit[] {
  const idOf = new Map(drafts.map((draft, index) => [draft, ids[index] ?? '']))
  const idsWhere = (fits: (draft: Draft) => boolean) => drafts.filter(fits).map((draft) => idOf.get(draft) ?? '')
  const places = new Map(drafts.map((draft) => [draft, placeKey(folder, draft.destination, draft.options)]))
  const packages = new Map<string, string>()
  const packageKey = (draft: Draft, identity: string) =>
    `${placeKey(folder, draft.source)}\n${places.get(draft) ?? ''}\n${identity.toLowerCase()}`
  for (const draft of drafts) {
    const {identity} = draft.row ?? {}
    if (identity !== undefined) packages.set(packageKey(draft, identity), idOf.get(draft) ?? '')
  }
  const byItem = new Map<string, string[]>()
  for (const draft of drafts) {
    if (draft.item.id !== undefined)
      byItem.set(draft.item.id, [...(byItem.get(draft.item.id) ?? []), idOf.get(draft) ?? ''])
  }
  const units = drafts.map((draft) => {
    const after = new Set([
      ...draft.item.after.flatMap((id) => byItem.get(id) ?? []),
      ...(draft.readsFrom === undefined ? [] : idsWhere((other) => places.get(other) === draft.readsFrom)),
      ...(draft.row?.dependencies ?? []).flatMap((identity) => packages.get(packageKey(draft, identity)) ?? []),
    ])
    return {draft, id: idOf.get(draft) ?? '', after: [...after]}
  })
  return keyed(ordered(units, text))
}

interface Edged {
  readonly draft: Draft
  readonly id: string
  readonly after: readonly string[]
}

function ordered(units: readonly Edged[], text: PlanText): readonly Edged[] {
  try {
    return inOrder(units)
  } catch (error) {
    if (!(error instanceof CycleFound)) throw error
    const [first = ''] = error.ids
    const index = units.find(({id}) => id === first)?.draft.item.index ?? 0
    const what = `Items wait for each other in a circle: ${[...error.ids, first].join(' after ')}.`
    const suggestions = ['Remove one of them from after, or choose another destination.']
    throw text.error([{path: ['items', index], what, suggestions}], error)
  }
}

/** A unit whose source another makes changes with what makes it. */
function keyed(units: readonly Edged[]): readonly PlannedUnit[] {
  const keys = new Map<string, string>()
  return units.map(({draft, id, after}) => {
    const told = {
      source: formatReference(draft.source),
      destination: formatReference(draft.destination),
      options: draft.options,
    }
    const made = draft.readsFrom === undefined ? undefined : after.map((other) => keys.get(other))
    const key = unitKey(told, made ?? draft.identity)
    keys.set(id, key)
    const before = draft.row === undefined ? draft.rows.map(factsOf) : [factsOf(draft.row)]
    const listedLayers = listedLayersOf(draft)
    const weight = listedLayers === undefined ? {} : {listedLayers}
    return {id, key, ...told, after, item: draft.item.index, before, ...weight, ...chainOf(draft)}
  })
}

function chainOf({row, rows}: Draft): Pick<PlannedUnit, 'chain'> {
  return row?.kind === 'package' ? {chain: closureOf(row, rows).flatMap(({identity}) => identity ?? [])} : {}
}

/** The payloads that a package and what it depends on are made of; a stub has none. */
function listedLayersOf({row, rows}: Draft): ReadonlyMap<string, number> | undefined {
  if (row?.kind !== 'package') return undefined
  const payloads = closureOf(row, rows).filter(({layers}) => layers !== 0)
  return new Map(
    payloads.map(({identity, payloadDigest, sizeBytes}) => [payloadDigest ?? identity ?? '', sizeBytes ?? 0]),
  )
}

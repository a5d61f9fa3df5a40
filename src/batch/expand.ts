import {EnvironmentError, TransshipError, UsageError} from '../model/errors.js'
import type {Note, WorkOptions} from '../model/events.js'
import {list, type ListRow} from '../convert/list.js'
import type {Reference} from '../model/reference.js'
import {findReference, formatReference, shownReference, TRANSPORTS} from '../transports/catalog.js'
import {IMAGE_UNREADABLE} from '../model/fault-sink.js'
import {PACKAGE_UNREADABLE} from '../formats/package/open-package.js'
import {suggestNearest} from '../model/did-you-mean.js'
import type {Draft} from './draft.js'
import {addEdges, idsOf} from './edges.js'
import {textsOf, type Plan, type PlanItem} from './parse-plan.js'
import {fillDestination} from './fill-destination.js'
import {holdsMany, isLocal, placeKey, referenceFrom, selectorsOf} from './place.js'
import {planFaults} from './plan-faults.js'
import type {PlanOptions} from './plan-schema.js'
import type {PlanFault} from './plan-text.js'
import {maySelect, namesOf, referenceOfRow, selectRows} from './select-rows.js'
import {sourceReferences} from './source-files.js'
import {identityOfRow} from './source-stamp.js'
import {fillTemplate, isTemplate, type TemplateValues} from './template.js'
import type {PlannedUnit} from './unit.js'
import {unitOpening, unitOptions, type UnitSurroundings} from './unit-options.js'

export type ExpandOptions = WorkOptions & UnitSurroundings

/**
 * Turns the items of a plan into units, one for each thing that their sources hold, each after those it depends on.
 * Sources are listed, not read. Throws `PLAN_INVALID` with line and column for whatever cannot work: bad templates and
 * globs, sources that cannot be listed, two units with one destination, cycles.
 */
export async function expandPlan(plan: Plan, options: ExpandOptions): Promise<readonly PlannedUnit[]> {
  plan.text.requireNone(planFaults(plan.items, options.folder))
  return new Expansion(plan, options).run()
}

/** Something that an item names. */
interface Found extends Pick<Draft, 'row' | 'rows' | 'identity'> {
  readonly reference: Reference
}

/** What a place holds, and what of it cannot be read. */
interface Listed {
  readonly rows: readonly ListRow[]
  readonly unreadable: readonly Note[]
}

class Expansion {
  readonly #plan: Plan
  readonly #options: ExpandOptions
  readonly #folder: string
  readonly #faults: PlanFault[] = []
  readonly #listed = new Map<string, Promise<Listed>>()

  constructor(plan: Plan, options: ExpandOptions) {
    this.#plan = plan
    this.#options = options
    this.#folder = options.folder
  }

  async run(): Promise<readonly PlannedUnit[]> {
    const made = this.#madePlaces()
    const drafts: Draft[] = []
    for (const item of this.#plan.items) {
      this.#options.signal?.throwIfAborted()
      try {
        const makers = this.#makersOf(item, made)
        const added = makers === undefined ? await this.#expand(item) : [this.#unlisted(item, makers)]
        for (const draft of added) drafts.push(draft)
      } catch (error) {
        this.#keepFault(item, error)
      }
    }
    this.#requireDistinct(drafts)
    this.#plan.text.requireNone(this.#faults)
    return addEdges(drafts, {folder: this.#folder, ids: idsOf(drafts), text: this.#plan.text})
  }

  /** Faults of the input belong to the plan and are gathered; the environment's, an interrupt's and ours are not. */
  #keepFault(item: PlanItem, error: unknown): void {
    if (!(error instanceof TransshipError) || error instanceof EnvironmentError || error.exitCode > 4) throw error
    const path = ['items', item.index, 'source']
    const {what, why, suggestions, at} = error
    const place = at.reference ?? at.path
    const told = place === undefined || what.includes(place) ? what : `${what} (${place})`
    this.#faults.push({path, what: told, ...(why === undefined ? {} : {why}), suggestions})
  }

  /** Where items write to, by place; a template's place is known only when it is filled. */
  #madePlaces(): ReadonlyMap<string, readonly PlanItem[]> {
    const made = new Map<string, PlanItem[]>()
    for (const item of this.#plan.items) {
      const reference = isTemplate(item.destination) ? undefined : findReference(item.destination)
      if (reference === undefined) continue
      const key = placeKey(this.#folder, reference, item.options)
      made.set(key, [...(made.get(key) ?? []), item])
    }
    return made
  }

  #makersOf(item: PlanItem, made: ReadonlyMap<string, readonly PlanItem[]>): Reference | undefined {
    const reference = findReference(item.source)
    const makers = reference === undefined ? [] : (made.get(placeKey(this.#folder, reference, item.options)) ?? [])
    return makers.some((maker) => maker.index !== item.index) ? reference : undefined
  }

  /** What another item makes cannot be listed yet. */
  #unlisted(item: PlanItem, source: Reference): Draft {
    const templates = [item.destination, ...textsIn(item.options)].filter(isTemplate)
    if (templates.length > 0 || item.include.length > 0 || item.exclude.length > 0) {
      this.#faults.push({
        path: ['items', item.index, 'source'],
        what: `Another item creates '${item.source}', so its content is not known yet.`,
        suggestions: [
          'Name one image or package in the source, without globs and {fields}. Or put this item into a second plan.',
        ],
      })
    }
    const destination = requireReference(item.destination)
    const readsFrom = placeKey(this.#folder, source, item.options)
    return {item, source, destination, options: item.options, rows: [], identity: {}, readsFrom}
  }

  async #expand(item: PlanItem): Promise<readonly Draft[]> {
    const references = await sourceReferences(item.source, this.#folder)
    const drafts: Draft[] = []
    const names: string[] = []
    for (const reference of references) {
      const {rows, unreadable} = await this.#list(reference, item)
      this.#tellUnreadable(item, reference, unreadable)
      for (const name of rows.flatMap(namesOf)) names.push(name)
      const selected = selectRows(rows, item)
      const all = await this.#rowsBeside(reference, rows, item)
      const file = isLocal(reference) ? reference.path : undefined
      if (item.options.all === true) {
        const identities = await Promise.all(rows.map((row) => identityOfRow(row, {rows, file})))
        drafts.push(this.#draft(item, {reference, rows, identity: {stamp: JSON.stringify(identities)}}))
        continue
      }
      for (const row of selected) {
        const identity = await identityOfRow(row, {rows: all, file})
        const selects = referenceOfRow(reference, row, rows) ?? requireReference(row.reference)
        for (const draft of this.#draftsOf(item, {reference: selects, row, rows: all, identity})) drafts.push(draft)
      }
    }
    if (drafts.length === 0 && !this.#faults.some(({path}) => path[1] === item.index))
      this.#tellNothing(item, references.length, names)
    return drafts
  }

  /** A package that is selected alone is made of what it depends on as well. */
  async #rowsBeside(
    {selector, ...place}: Reference,
    rows: readonly ListRow[],
    item: PlanItem,
  ): Promise<readonly ListRow[]> {
    if (selector === undefined || !rows.some(({kind}) => kind === 'package')) return rows
    return (await this.#list(place, item)).rows
  }

  /** What cannot be read would be left out, and nobody would miss it. */
  #tellUnreadable(item: PlanItem, reference: Reference, unreadable: readonly Note[]): void {
    for (const {message, subject} of unreadable.filter((note) => maySelect(note.subject, item))) {
      this.#faults.push({
        path: ['items', item.index, 'source'],
        what: `transship cannot read '${subject}' in '${formatReference(reference)}'.`,
        why: message,
        suggestions: ['Repair or remove it.', `Or leave it out with an exclude entry: '${subject}'`],
      })
    }
  }

  #tellNothing(item: PlanItem, places: number, names: readonly string[]): void {
    const [glob] = item.include
    const source = shownReference(item.source)
    const path = ['items', item.index, glob === undefined || names.length === 0 ? 'source' : 'include']
    const what = places === 0 ? `'${source}' matches no file.` : `'${source}' contains nothing to convert.`
    if (glob === undefined || names.length === 0) this.#faults.push({path, what})
    else {
      const found = `Available: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`
      const suggestions = [...suggestNearest(glob, names), found]
      this.#faults.push({path, what: `include and exclude leave nothing of '${item.source}'.`, suggestions})
    }
  }

  /** One for each destination that the names of the row lead to. */
  #draftsOf(item: PlanItem, found: Found & {readonly row: ListRow}): readonly Draft[] {
    const filled = fillDestination(item.destination, found.row, found.reference.path)
    if (filled.length === 0) throw noReference(item.destination)
    return filled.map(({destination, values, tags}) => {
      const own = filledOptions(item.options, values)
      const options = tags === undefined || own.tag !== undefined ? own : {...own, tag: tags}
      return this.#draft(item, {...found, destination, options})
    })
  }

  #draft(item: PlanItem, found: Found & Partial<Pick<Draft, 'destination' | 'options'>>): Draft {
    const {row, rows, identity, options = item.options} = found
    // A name that was filled in may break the rules of options; that is known before any work.
    unitOptions(options, this.#options)
    return {
      item,
      source: referenceFrom(this.#folder, found.reference),
      destination: found.destination ?? requireReference(item.destination),
      options,
      ...(row === undefined ? {} : {row}),
      rows,
      identity,
    }
  }

  #list(reference: Reference, {options}: PlanItem): Promise<Listed> {
    const text = formatReference(reference)
    const opening = unitOpening(options, this.#options)
    // One name may lead to several engines.
    const {platform} = options
    const key = JSON.stringify([text, opening, platform])
    const known = this.#listed.get(key)
    if (known !== undefined) return known
    const wanted = platform === undefined ? {} : {platform}
    const listed = list(text, {...this.#options, ...opening, ...wanted, images: true}).then(({items: rows, notes}) => ({
      rows,
      unreadable: notes.filter(({code}) => code === PACKAGE_UNREADABLE || code === IMAGE_UNREADABLE),
    }))
    this.#listed.set(key, listed)
    return listed
  }

  /** Two units that would write over each other. */
  #requireDistinct(drafts: readonly Draft[]): void {
    const taken = new Map<string, Draft>()
    const places = new Map<string, Draft>()
    for (const draft of drafts) {
      const {destination, item} = draft
      const place = placeKey(this.#folder, destination, draft.options)
      const selectors = selectorsOf(destination, textsOf(draft.options.tag))
      const keys = holdsMany(destination)
        ? selectors.map((selector) => `${place}\n${selector ?? namingOf(draft)}`)
        : [place]
      const first = places.get(place)
      const isMixed = first !== undefined && !(holdsMany(destination) && holdsMany(first.destination))
      const other = isMixed ? first : keys.map((key) => taken.get(key)).find((draft) => draft !== undefined)
      if (other === undefined) {
        for (const key of keys) taken.set(key, draft)
        if (first === undefined) places.set(place, draft)
        continue
      }
      const text = formatReference(destination)
      const isOne = other.item === item
      const what = isOne
        ? `Several sources have the destination '${text}', among them ${formatReference(other.source)} and ${formatReference(draft.source)}.`
        : `'${text}' is also the destination of item ${other.item.index + 1} (${this.#plan.text.place(['items', other.item.index])}).`
      const suggestions = ['Give each its own destination, for example with {name}, {tag}, {imageId} or {file}.']
      this.#faults.push({path: ['items', item.index, 'destination'], what, suggestions})
    }
  }
}

/** What decides the name of what a draft makes, where the destination gives none. */
function namingOf({source, options}: Draft): string {
  const {name, publisher, 'package-version': version, tag} = options
  return JSON.stringify([formatReference(source), name, publisher, version, tag])
}

/** All texts of options, those of lists too. */
function textsIn(options: PlanOptions): readonly string[] {
  return Object.values(options).flatMap((value: unknown) => [value].flat().map(String))
}

function filledOptions(options: PlanOptions, values: TemplateValues): PlanOptions {
  const fill = (value: unknown): unknown =>
    typeof value === 'string' ? fillTemplate(value, values) : Array.isArray(value) ? value.map(fill) : value
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, fill(value)]))
}

/** Throws `BAD_REFERENCE`. */
function requireReference(text: string): Reference {
  const reference = findReference(text)
  if (reference !== undefined) return reference
  throw noReference(text)
}

function noReference(text: string): UsageError {
  return new UsageError('BAD_REFERENCE', {
    what: `'${shownReference(text)}' is not TRANSPORT:LOCATION.`,
    suggestions: TRANSPORTS.map((transport) => `${transport.name}:${transport.grammar}`),
  })
}

import {createHash} from 'node:crypto'
import {UsageError} from '../model/errors.js'
import {findReference} from '../transports/catalog.js'
import {isLocal, placeKey} from './place.js'
import type {PlannedUnit} from './unit.js'

/** One of several equal parts of a plan. */
export interface Shard {
  /** From 0. */
  readonly index: number
  readonly count: number
}

/** More machines than that are asked for by mistake. */
const MOST_SHARDS = 100_000

/** Parses `I/N`, the first being 0. Throws `BAD_OPTION`. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []
  const shard = {index: Number(index), count: Number(count)}
  if (index !== undefined && shard.index < shard.count && shard.count <= MOST_SHARDS) return shard
  throw new UsageError('BAD_OPTION', {
    what: `--shard ${text} is not valid.`,
    why: 'Expected I/N, with I from 0 to N-1.',
    suggestions: [
      'For four parts, write 0/4, 1/4, 2/4 and 3/4; in a Kubernetes Indexed Job, $(JOB_COMPLETION_INDEX)/4.',
    ],
  })
}

/** `0-of-4`, for names of files. */
export function formatShard({index, count}: Shard): string {
  return `${index}-of-${count}`
}

/**
 * The units of one shard, in their order. Units that depend on each other are in one shard, and so are those that write to
 * one local place, since only one process may write there at a time. Which shard that is follows from the units alone:
 * every machine comes to the same parts, and each unit is in exactly one.
 */
export function unitsOfShard<T extends PlannedUnit>(units: readonly T[], shard: Shard, folder: string): readonly T[] {
  const groups = new Groups(units.map(({id}) => id))
  const byPlace = new Map<string, string>()
  for (const {id, destination, after} of units) {
    for (const other of after) groups.join(id, other)
    const reference = findReference(destination)
    if (reference === undefined || !isLocal(reference)) continue
    const place = placeKey(folder, reference)
    const first = byPlace.get(place)
    if (first === undefined) byPlace.set(place, id)
    else groups.join(id, first)
  }
  // Of the first id, so that the order of the plan does not matter; a key would change with the source while others run.
  const keys = new Map<string, string>()
  for (const {id} of units) {
    const group = groups.of(id)
    const known = keys.get(group)
    if (known === undefined || id < known) keys.set(group, id)
  }
  // In turn by the hashes of the ids: shards differ by one group at most, where a hash alone would leave some empty.
  const inOrder = [...keys].sort(([, left], [, right]) => (hashOf(left) < hashOf(right) ? -1 : 1))
  const turn = new Map(inOrder.map(([group], index) => [group, index % shard.count]))
  return units.filter(({id}) => turn.get(groups.of(id)) === shard.index)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Sets that are joined: each value leads to another of its set, one to itself. */
class Groups {
  readonly #leads: Map<string, string>

  constructor(values: readonly string[]) {
    this.#leads = new Map(values.map((value) => [value, value]))
  }

  of(value: string): string {
    let at = value
    for (;;) {
      const next = this.#leads.get(at) ?? at
      if (next === at) return at
      // Half of the way is left out the next time.
      this.#leads.set(at, this.#leads.get(next) ?? next)
      at = next
    }
  }

  join(one: string, other: string): void {
    this.#leads.set(this.of(one), this.of(other))
  }
}

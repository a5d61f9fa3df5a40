import type {ContainerRow, ContainerSighting} from './container-row.js'

/** What one connection saw. */
export interface Sightings {
  readonly seenBy: string
  readonly sightings: readonly ContainerSighting[]
}

/** Name that the Host Compute Service has for every container of containerd's shim, whoever works through it. */
export const SHIM_OWNER = 'containerd-shim-runhcs-v1.exe'

/**
 * One row for each container, in the order of names. Sightings are one container when their ids are equal and their
 * owners agree; of one connection no two are, since ids in two namespaces of containerd may well be equal. The earlier
 * connection has the last word on a member, later ones fill what it does not know.
 */
export function joinSightings(all: readonly Sightings[]): readonly ContainerRow[] {
  const byId = new Map<string, ContainerRow[]>()
  for (const {seenBy, sightings} of all) {
    for (const sighting of sightings) {
      const rows = byId.get(sighting.id) ?? []
      byId.set(sighting.id, rows)
      const at = rows.findIndex((row) => agree(row, sighting) && !row.seenBy.includes(seenBy))
      const row = rows[at]
      if (row === undefined) rows.push({...sighting, seenBy: [seenBy]})
      else rows[at] = merge(row, sighting, seenBy)
    }
  }
  return [...byId.values()].flat().sort(byName)
}

function agree(left: ContainerSighting, right: ContainerSighting): boolean {
  return left.manager === right.manager || left.manager === SHIM_OWNER || right.manager === SHIM_OWNER
}

function merge(row: ContainerRow, more: ContainerSighting, seenBy: string): ContainerRow {
  const manager = row.manager === SHIM_OWNER ? more.manager : row.manager
  // An id in the place of a name is what a manager says that knows no name.
  const name = row.name === '' || row.name === row.id ? more.name : row.name
  const state = row.state === 'unknown' ? more.state : row.state
  return {...more, ...row, manager, name, state, seenBy: [...row.seenBy, seenBy]}
}

function byName(left: ContainerRow, right: ContainerRow): number {
  return compare(left.name, right.name) || compare(left.id, right.id) || compare(left.namespace, right.namespace)
}

function compare(left = '', right = ''): number {
  return left < right ? -1 : left > right ? 1 : 0
}

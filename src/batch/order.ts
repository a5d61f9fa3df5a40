/** What has to be put in order. */
export interface Ordered {
  readonly id: string
  readonly after: readonly string[]
}

/** A cycle: each after the next, the last after the first. */
export class CycleFound extends Error {
  readonly ids: readonly string[]

  constructor(ids: readonly string[]) {
    super(`cycle: ${ids.join(', ')}`)
    this.ids = ids
  }
}

/** Each after all it depends on, else in the order given. Throws `CycleFound`. Ids that are not there are passed over. */
export function inOrder<T extends Ordered>(units: readonly T[]): readonly T[] {
  const byId = new Map(units.map((unit) => [unit.id, unit]))
  const done = new Set<string>()
  const ordered: T[] = []
  for (const start of units) {
    // Not recursive: a chain of packages may be longer than the stack is deep.
    const open: {readonly unit: T; next: number}[] = done.has(start.id) ? [] : [{unit: start, next: 0}]
    const onPath = new Set(open.map(({unit}) => unit.id))
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const needed = top.unit.after[top.next++]
      if (needed === undefined) {
        open.pop()
        onPath.delete(top.unit.id)
        done.add(top.unit.id)
        ordered.push(top.unit)
        continue
      }
      const unit = byId.get(needed)
      if (unit === undefined || done.has(needed)) continue
      if (onPath.has(needed)) {
        const ids = open.map((each) => each.unit.id)
        throw new CycleFound(ids.slice(ids.indexOf(needed)))
      }
      open.push({unit, next: 0})
      onPath.add(needed)
    }
  }
  return ordered
}

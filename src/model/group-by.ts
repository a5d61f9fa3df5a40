/** The values by what `keyOf` gives for them, groups and values in the order of the values. */
export function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  return groupByEach(values, (value) => [keyOf(value)])
}

/** The same of values that have several keys: each stands once under every key. */
export function groupByEach<T, K>(values: Iterable<T>, keysOf: (value: T) => Iterable<K>): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const value of values)
    for (const key of new Set(keysOf(value))) {
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [value])
      else group.push(value)
    }
  return groups
}

/** The candidate that a text was most likely meant to be; undefined when none is near: a third of it may differ. */
export function findNearest(text: string, candidates: Iterable<string>): string | undefined {
  const wanted = text.toLowerCase()
  let nearest: string | undefined
  let least = Math.max(1, Math.floor(text.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - text.length) >= least) continue
    const distance = distanceBetween(wanted, candidate.toLowerCase())
    if (distance < least) [nearest, least] = [candidate, distance]
  }
  return nearest
}

/** `Did you mean 'x'?` as a list of no or one suggestion. */
export function suggestNearest(text: string, candidates: Iterable<string>): readonly string[] {
  const nearest = findNearest(text, candidates)
  return nearest === undefined ? [] : [`Did you mean '${nearest}'?`]
}

/** Edits between two texts: characters inserted, removed, replaced, or two neighbours swapped. */
function distanceBetween(left: string, right: string): number {
  let beforeLast: number[] = []
  let last = Array.from({length: right.length + 1}, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const now = [row]
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1]
      const replaced = (last[column - 1] ?? 0) + (isSame ? 0 : 1)
      const isSwap = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      const swapped = isSwap ? (beforeLast[column - 2] ?? 0) + 1 : replaced
      now.push(Math.min(replaced, swapped, (last[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1))
    }
    beforeLast = last
    last = now
  }
  return last[right.length] ?? left.length
}

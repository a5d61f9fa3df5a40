import type {WorkOptions} from '../../model/events.js'
import type {Layer} from '../../model/image.js'

/** Layers under way at once when nobody says: more were not faster on two cores, and each holds a chunk of its own. */
const USUAL_CONCURRENCY = 3

interface Options extends WorkOptions {
  /** 1 where the place takes one layer at a time. */
  readonly concurrency?: number | undefined
}

/**
 * Writes layers, several at once, and gives what came of them in their order: the same as one by one. Equal layers wait
 * for each other, so that the second is found written; layers that are encoded anew do as well, since each may hold a
 * hive in memory. The first failure stops the rest and is thrown when they have ended.
 */
export function writeLayers<W>(
  layers: readonly Layer[],
  write: (layer: Layer, options: WorkOptions) => Promise<W>,
  options: Options,
): Promise<readonly W[]> {
  return sideBySide(layers, write, {...options, turnOf})
}

/** The same for anything; what has one turn waits for each other. */
export async function sideBySide<T, W>(
  items: readonly T[],
  write: (item: T, options: WorkOptions) => Promise<W>,
  {concurrency = USUAL_CONCURRENCY, turnOf: keyOf, ...options}: Options & {readonly turnOf: (item: T) => string},
): Promise<readonly W[]> {
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const turns = new Map<string, Promise<unknown>>()
  const failures: unknown[] = []
  const written: W[] = []
  let next = 0
  const lane = async () => {
    for (let at = next++; at < items.length && failures.length === 0; at = next++) {
      const item = items[at]
      if (item === undefined) return
      const key = keyOf(item)
      const turn = (turns.get(key) ?? Promise.resolve()).then(() => write(item, {...options, signal}))
      turns.set(key, turn)
      try {
        written[at] = await turn
      } catch (error) {
        failures.push(error)
        stop.abort()
      }
    }
  }
  await Promise.all(Array.from({length: Math.min(concurrency, items.length)}, lane))
  if (failures.length > 0) throw failures[0]
  return written
}

function turnOf({diffId, blob}: Layer): string {
  return blob === undefined ? 'encoded' : (diffId ?? blob.descriptor.digest)
}

/** What is put to work. */
export interface Schedulable {
  readonly id: string
  readonly after: readonly string[]
  /** Units of one lane never run at once. */
  readonly lane: string
}

export type Ending = 'ok' | 'failed'

export interface ScheduleOptions<T> {
  readonly concurrency: number
  /** Does one; must not throw but for what ends everything. */
  readonly work: (unit: T) => Promise<Ending>
  /** Told for each unit that is not tried, because one that it comes after failed. */
  readonly onBlocked: (unit: T) => void
  /** Asked before each start; true = start no more. */
  readonly isStopped: () => boolean
}

/**
 * Works on units given in order of their dependencies, several at once: each after all it depends on, at most one of a
 * lane, the earlier first. Units that are not among those given count as done. What was started is awaited in any case;
 * gives the units that were never started nor blocked.
 */
export async function runSchedule<T extends Schedulable>(
  units: readonly T[],
  options: ScheduleOptions<T>,
): Promise<readonly T[]> {
  const waiting = new Map(units.map((unit) => [unit.id, unit]))
  const running = new Map<string, Promise<void>>()
  const lanes = new Set<string>()
  const failed = new Set<string>()
  let fault: {readonly error: unknown} | undefined

  const start = (unit: T) => {
    waiting.delete(unit.id)
    lanes.add(unit.lane)
    const work = options
      .work(unit)
      .then((ending) => {
        if (ending === 'failed') failed.add(unit.id)
      })
      .catch((error: unknown) => {
        fault ??= {error}
      })
      .finally(() => {
        lanes.delete(unit.lane)
        running.delete(unit.id)
      })
    running.set(unit.id, work)
  }

  const isOpen = (id: string) => waiting.has(id) || running.has(id)
  for (;;) {
    for (const unit of waiting.values()) {
      if (!unit.after.some((id) => failed.has(id))) continue
      waiting.delete(unit.id)
      failed.add(unit.id)
      options.onBlocked(unit)
    }
    for (const unit of waiting.values()) {
      if (running.size >= options.concurrency || fault !== undefined || options.isStopped()) break
      if (!lanes.has(unit.lane) && !unit.after.some(isOpen)) start(unit)
    }
    if (running.size === 0) break
    await Promise.race(running.values())
  }
  if (fault !== undefined) throw fault.error
  return [...waiting.values()]
}

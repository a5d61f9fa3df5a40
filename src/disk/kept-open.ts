/** What can be kept open between uses. */
export interface Keepable {
  /** True of what holds room in the folder for temporary files. */
  readonly isSpooled: boolean
  close(): Promise<void>
}

/** Of what is kept for what was read of it, and holds nothing open. */
export const NOTHING_OPEN: Keepable = {isSpooled: false, close: () => Promise.resolve()}

/** What is open by now, and the file that it was opened from as it was then. */
export interface Opened<T extends Keepable> {
  readonly value: T
  /** Undefined where the file may not be known again; see `findStamp`. */
  readonly stamp: string | undefined
}

export interface Use<T> {
  readonly value: T
  /** Lets go of it; safe to call again. */
  release(): Promise<void>
}

interface Kept {
  readonly opened: Opened<Keepable>
  uses: number
}

/** Files that lie idle at most: a batch reads one after the other, each perhaps with those that it builds on. */
const MOST_IDLE = 4

/** The one used longest ago first. */
const KEPT = new Map<string, Kept>()
let keepers = 0

/**
 * While `work` runs, files opened by `useOpen` stay open when they are let go of, and what was read of them stays known. A
 * batch opens the same archive for each of its images, and more than once: without this, an archive of a thousand images is
 * indexed, or unpacked, some thousands of times.
 */
export async function keepingOpen<T>(work: () => Promise<T>): Promise<T> {
  keepers += 1
  try {
    return await work()
  } finally {
    keepers -= 1
    if (keepers === 0) await closeIdle(() => true)
  }
}

/** Makes room in the folder for temporary files: what lies idle there can be had again. */
export function closeIdleSpools(): Promise<void> {
  return closeIdle(({isSpooled}) => isSpooled)
}

/**
 * Gives what `open` gives, or gave before under this key if `stampOf` says that its file is the same one since. Two may hold
 * the same value at a time; it is closed when the last one lets go of it, or later, see `keepingOpen`.
 */
export async function useOpen<T extends Keepable>(
  key: string,
  {stampOf, open}: {readonly stampOf: () => Promise<string | undefined>; readonly open: () => Promise<Opened<T>>},
): Promise<Use<T>> {
  const known = KEPT.get(key)
  if (known !== undefined) {
    // Held while its file is looked at, so that nobody closes it meanwhile.
    known.uses += 1
    const isSame = (await stampOf()) === known.opened.stamp
    // The key says what kind of value is under it.
    if (isSame) return useOf(key, known as Kept & {readonly opened: Opened<T>})
    if (KEPT.get(key) === known) KEPT.delete(key)
    await release(key, known)
  }
  const kept = {opened: await open(), uses: 1}
  if (keepers > 0 && kept.opened.stamp !== undefined && !KEPT.has(key)) KEPT.set(key, kept)
  return useOf(key, kept)
}

function useOf<T extends Keepable>(key: string, kept: Kept & {readonly opened: Opened<T>}): Use<T> {
  let isReleased = false
  return {
    value: kept.opened.value,
    release: async () => {
      if (isReleased) return
      isReleased = true
      await release(key, kept)
    },
  }
}

async function release(key: string, kept: Kept): Promise<void> {
  kept.uses -= 1
  if (kept.uses > 0) return
  if (KEPT.get(key) !== kept) {
    await kept.opened.value.close()
    return
  }
  KEPT.delete(key)
  KEPT.set(key, kept)
  if (keepers === 0) await closeIdle(() => true)
  else await closeIdle((_, idle) => idle > MOST_IDLE)
}

/** Closes what nobody uses, the one used longest ago first; `isToGo` hears how many lie idle still. */
async function closeIdle(isToGo: (value: Keepable, idle: number) => boolean): Promise<void> {
  const idle = [...KEPT].filter(([, {uses}]) => uses === 0)
  const going = idle.filter(([, {opened}], place) => isToGo(opened.value, idle.length - place))
  for (const [key] of going) KEPT.delete(key)
  for (const [, {opened}] of going) await opened.value.close()
}

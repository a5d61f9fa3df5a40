import {stat, statfs} from 'node:fs/promises'
import path from 'node:path'
import {EnvironmentError, findSystemCode} from '../model/errors.js'

/** What a file system has to take in, and what it has. */
export interface SpaceNeed {
  /** The nearest folder that exists above the destinations. */
  readonly path: string
  readonly neededBytes: number
  readonly freeBytes: number
}

/** Adds up by file system what goes to paths, which need not exist yet. */
export async function spaceNeeds(places: ReadonlyMap<string, number>): Promise<readonly SpaceNeed[]> {
  const needs = new Map<number, SpaceNeed>()
  for (const [place, bytes] of places) {
    const found = await nearestExisting(path.resolve(place))
    if (found === undefined) continue
    const known = needs.get(found.device)
    if (known !== undefined) {
      needs.set(found.device, {...known, neededBytes: known.neededBytes + bytes})
      continue
    }
    const {bavail, bsize} = await statfs(found.folder)
    needs.set(found.device, {path: found.folder, neededBytes: bytes, freeBytes: bavail * bsize})
  }
  return [...needs.values()]
}

async function nearestExisting(place: string): Promise<{folder: string; device: number} | undefined> {
  for (let folder = place; ; folder = path.dirname(folder)) {
    try {
      return {folder, device: (await stat(folder)).dev}
    } catch (error) {
      // A folder that may not be looked into fails where it is written to, with its name.
      if (findSystemCode(error) !== 'ENOENT' && findSystemCode(error) !== 'ENOTDIR') return undefined
      if (path.dirname(folder) === folder) return undefined
    }
  }
}

/** Throws `NO_SPACE` for the first file system that cannot take in what goes there. */
export function requireSpace(needs: readonly SpaceNeed[]): void {
  const short = needs.find(({neededBytes, freeBytes}) => neededBytes > freeBytes)
  if (short === undefined) return
  const [needed, free] = toldApart(short.neededBytes, short.freeBytes)
  throw new EnvironmentError('NO_SPACE', {
    what: `The batch needs about ${needed} there, but only ${free} are free.`,
    why: 'This is the sum of the sizes that the sources state, with shared layers counted once.',
    suggestions: ['Free some space, or choose another destination.', 'Start anyway with --no-check-space.'],
    at: {path: short.path},
  })
}

/** Two sizes in the largest unit in which they differ, up to MiB: rounded, too little would look like enough. */
function toldApart(neededBytes: number, freeBytes: number): readonly [string, string] {
  for (const [unit, bytes] of [
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    const [needed, free] = [Math.ceil(neededBytes / bytes), Math.ceil(freeBytes / bytes)]
    if (needed !== free) return [`${needed} ${unit}`, `${free} ${unit}`]
  }
  return [`${neededBytes} bytes`, `${freeBytes} bytes`]
}

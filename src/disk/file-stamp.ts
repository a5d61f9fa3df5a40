import type {BigIntStats} from 'node:fs'
import {stat} from 'node:fs/promises'

/** What changed so short a time ago may change again while its times, in ticks of the disk, stay the same. */
const SETTLED_MILLISECONDS = 2000

/** Two files with one stamp are one file that nobody has written to since. Undefined unless it is a regular file that has rested. */
export function findStamp(stats: BigIntStats | undefined): string | undefined {
  if (stats === undefined) return undefined
  const {dev, ino, size, mtimeMs, mtimeNs, ctimeMs, ctimeNs} = stats
  const isSettled = Date.now() - Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) > SETTLED_MILLISECONDS
  return isSettled && stats.isFile() ? [dev, ino, size, mtimeNs, ctimeNs].join(' ') : undefined
}

/** Of the file that a path leads to; undefined also where there is none. */
export async function stampOfFile(file: string): Promise<string | undefined> {
  return findStamp(await stat(file, {bigint: true}).catch(() => undefined))
}

import type {BigIntStats} from 'node:fs'
import {stat} from 'node:fs/promises'

/** What changed so short a time ago may change again while its times, in ticks of the disk, stay the same. */
const SETTLED_MILLISECONDS = 2000

/** Two files with one stamp are one file that nobody has written to since. Undefined unless it is a regular file that has rested. */
export function findStamp(stats: BigIntStats | undefined): string | undefined {
  if (stats === undefined) return undefined
  return isSettled(stats) && stats.isFile() ? textOf(stats) : undefined
}

function isSettled({mtimeMs, ctimeMs}: BigIntStats): boolean {
  return Date.now() - Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) > SETTLED_MILLISECONDS
}

function textOf({dev, ino, size, mtimeNs, ctimeNs}: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

/** Of a folder: another one when an entry was added to it, removed or renamed. What is inside its entries is not seen. */
export async function stampOfFolder(folder: string): Promise<string | undefined> {
  const stats = await stat(folder, {bigint: true}).catch(() => undefined)
  return stats !== undefined && isSettled(stats) && stats.isDirectory() ? textOf(stats) : undefined
}

/** Of the file that a path leads to; undefined also where there is none. */
export async function stampOfFile(file: string): Promise<string | undefined> {
  return findStamp(await stat(file, {bigint: true}).catch(() => undefined))
}

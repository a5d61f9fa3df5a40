import type {BigIntStats} from 'node:fs'
import {UNIX_EPOCH, type FileTime, type FileTimes} from '../../../model/windows-metadata.js'

const TICK_NANOSECONDS = 100n

/** The FILETIME of nanoseconds since 1970, rounded down. */
function fileTimeOfNanoseconds(nanoseconds: bigint): FileTime {
  const ticks = nanoseconds / TICK_NANOSECONDS
  return UNIX_EPOCH + (nanoseconds % TICK_NANOSECONDS < 0n ? ticks - 1n : ticks)
}

/**
 * The times of a file as far as its disk can be believed: all four on NTFS; elsewhere the write time for all of them,
 * since creation is then the moment of the copy and access that of the last look.
 */
export function diskTimes(stats: BigIntStats, isNtfs = process.platform === 'win32'): FileTimes {
  const lastWrite = fileTimeOfNanoseconds(stats.mtimeNs)
  if (!isNtfs) return {creation: lastWrite, lastAccess: lastWrite, lastWrite, change: lastWrite}
  return {
    creation: fileTimeOfNanoseconds(stats.birthtimeNs),
    lastAccess: fileTimeOfNanoseconds(stats.atimeNs),
    lastWrite,
    change: fileTimeOfNanoseconds(stats.ctimeNs),
  }
}

/** Seconds since 1970, as `utimes` takes them; a disk keeps about a microsecond of it. */
export function unixSeconds(time: FileTime): number {
  return Number(time - UNIX_EPOCH) / 1e7
}

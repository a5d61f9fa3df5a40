import type {BigIntStats} from 'node:fs'
import {UNIX_EPOCH, type FileTime, type FileTimes} from '../../../model/windows-metadata.js'
import {findNativeTimes} from './native-times.js'

const TICK_NANOSECONDS = 100n
/** Ticks. */
const SECOND = 10_000_000n

/** The FILETIME of nanoseconds since 1970, rounded down: a tick has begun or it has not, also before 1970 and 1601. */
export function fileTimeOfNanoseconds(nanoseconds: bigint): FileTime {
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

/**
 * The times of a file on the disk, of which the caller has the `stat`. On Windows the system is asked itself: what Node
 * tells there wraps before 1970 and after 2106.
 */
export function readDiskTimes(file: string, stats: BigIntStats): FileTimes {
  if (process.platform !== 'win32') return diskTimes(stats)
  return findNativeTimes()?.read?.(file) ?? diskTimes(stats)
}

/** What 32 bits of seconds hold, signed: 1901-12-13T20:45:52Z to 2038-01-19T03:14:07Z. */
const [FIRST_OF_32_BITS, LAST_OF_32_BITS] = [-(2n ** 31n), 2n ** 31n - 1n].map(
  (seconds) => UNIX_EPOCH + seconds * SECOND,
)
/** The coarsest file systems (FAT) count in steps of two seconds. */
const COARSEST = 2n * SECOND

/** True when a file system that cannot store a time exactly may have made the other one of it: coarser, or the end of its range. */
export function mayBeStoredAs(exact: FileTime, onDisk: FileTime): boolean {
  const difference = exact - onDisk
  if (difference > -COARSEST && difference < COARSEST) return true
  const isBeyond = exact < (FIRST_OF_32_BITS ?? 0n) || exact > (LAST_OF_32_BITS ?? 0n)
  return isBeyond && (onDisk - UNIX_EPOCH) % SECOND === 0n
}

/** ISO 8601 with all seven decimals of a FILETIME. */
export function formatFileTime(time: FileTime): string {
  const ticks = ((time % SECOND) + SECOND) % SECOND
  const seconds = Number((time - ticks - UNIX_EPOCH) / SECOND)
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${ticks.toString().padStart(7, '0')}Z`
}

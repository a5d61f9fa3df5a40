import type {BigIntStats} from 'node:fs'
import {UNIX_EPOCH, type FileTime, type FileTimes} from '../model/windows-metadata.js'
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

const timeAt = (text: string): FileTime => UNIX_EPOCH + BigInt(Date.parse(text)) * 10_000n
/** Where file systems begin: FILETIME, 64 bits of nanoseconds, 32 bits of seconds, HFS+, unsigned seconds, FAT. */
const FIRSTS = [
  '1601-01-01T00:00:00Z',
  '1677-09-21T00:12:43Z',
  '1901-12-13T20:45:52Z',
  '1904-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '1980-01-01T00:00:00Z',
].map(timeAt)
/** And where they end: 32 bits, HFS+, unsigned 32 bits, FAT, 64 bits of nanoseconds, the 34 bits of ext4, XFS. */
const LASTS = [
  '2038-01-19T03:14:07Z',
  '2040-02-06T06:28:15Z',
  '2106-02-07T06:28:15Z',
  '2107-12-31T23:59:58Z',
  '2262-04-11T23:47:16Z',
  '2446-05-10T22:38:55Z',
  '2486-07-02T20:20:24Z',
].map(timeAt)
/** The coarsest file systems (FAT) count in steps of two seconds. */
const COARSEST = 2n * SECOND

/** True when a file system that cannot store a time exactly may have made the other one of it: coarser, or the end of its range. */
export function mayBeStoredAs(exact: FileTime, onDisk: FileTime): boolean {
  const isNear = (left: FileTime, right: FileTime) => left - right < COARSEST && right - left < COARSEST
  if (isNear(exact, onDisk)) return true
  return (
    FIRSTS.some((first) => exact < first && isNear(first, onDisk)) ||
    LASTS.some((last) => exact > last && isNear(last, onDisk))
  )
}

/** ISO 8601 with all seven decimals of a FILETIME. */
export function formatFileTime(time: FileTime): string {
  const ticks = ((time % SECOND) + SECOND) % SECOND
  const seconds = Number((time - ticks - UNIX_EPOCH) / SECOND)
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${ticks.toString().padStart(7, '0')}Z`
}

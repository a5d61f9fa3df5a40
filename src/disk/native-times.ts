import {closeSync, constants, openSync} from 'node:fs'
import path from 'node:path'
import {UNIX_EPOCH, type FileTime, type FileTimes} from '../model/windows-metadata.js'
import {loadKoffi, type Koffi} from './load-koffi.js'

/* The system calls that set and read the times of a file in full. Node's own go through a floating-point number. */

/** Sets times through the system, to its last digit. Each gives false when the system refuses. */
export interface NativeTimes {
  /** Of an open file that may be written to. */
  setFile(fd: number, times: FileTimes): boolean
  setFolder(folder: string, times: FileTimes): boolean
  /**
   * All four times of an open file, or of a file or folder by its name. On Windows alone: there Node's `stat` wraps
   * years before 1970 and after 2106. Undefined when the system refuses.
   */
  readonly read?: (target: number | string) => FileTimes | undefined
}

let found: {readonly native: NativeTimes | undefined} | undefined

/**
 * The system's calls; undefined where the optional package koffi is not installed or the C library is of an unknown
 * form. Loads koffi when it is first asked, which takes some 20 ms.
 */
export function findNativeTimes(): NativeTimes | undefined {
  found ??= {native: bindTimes()}
  return found.native
}

function bindTimes(): NativeTimes | undefined {
  try {
    const koffi = loadKoffi()
    return process.platform === 'win32' ? bindWindows(koffi) : bindPosix(koffi)
  } catch {
    return undefined
  }
}

const NANOSECONDS = 1_000_000_000n

/** `struct timespec` twice: seconds and nanoseconds of access, then of modification. Source: POSIX.1-2017 futimens. */
function bindPosix(koffi: Koffi): NativeTimes | undefined {
  // With a 32-bit `time_t` the struct has another shape, and the call may not know years after 2038.
  if (koffi.sizeof('long') !== 8) return undefined
  const futimens = koffi.load(null).func('futimens', 'int', ['int', 'void *'])
  const timespecs = new BigInt64Array(4)
  const put = (index: number, time: FileTime): void => {
    const nanoseconds = (time - UNIX_EPOCH) * 100n
    const rest = ((nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS
    timespecs[index] = (nanoseconds - rest) / NANOSECONDS
    timespecs[index + 1] = rest
  }
  const setFile = (fd: number, {lastAccess, lastWrite}: FileTimes): boolean => {
    put(0, lastAccess)
    put(2, lastWrite)
    return futimens(fd, timespecs) === 0
  }
  return {
    setFile,
    setFolder(folder, times) {
      const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      try {
        return setFile(fd, times)
      } finally {
        closeSync(fd)
      }
    },
  }
}

/** Bytes of FILE_BASIC_INFO: four FILETIMEs, attributes, padding. Source: winbase.h. */
const BASIC_INFO_BYTES = 40
const FILE_BASIC_INFO = 0
const [FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES] = [0x80, 0x100]
const SHARE_ALL = 7
const OPEN_EXISTING = 3
/** FILE_FLAG_BACKUP_SEMANTICS, which opens folders, and FILE_FLAG_OPEN_REPARSE_POINT. */
const OPEN_FLAGS = 0x0200_0000 | 0x0020_0000
const INVALID_HANDLE = -1n

/**
 * `SetFileInformationByHandle` with FILE_BASIC_INFO, as hcsshim stages a layer: it sets the change time too, which
 * `SetFileTime` cannot. Source: winbase.h; go-winio fileinfo.go SetFileBasicInfo.
 */
function bindWindows(koffi: Koffi): NativeTimes {
  const kernel = koffi.load('kernel32.dll')
  const setInformation = kernel.func('SetFileInformationByHandle', 'int', ['int64', 'int', 'void *', 'uint32'])
  const getInformation = kernel.func('GetFileInformationByHandleEx', 'int', ['int64', 'int', 'void *', 'uint32'])
  const closeHandle = kernel.func('CloseHandle', 'int', ['int64'])
  const createFile = kernel.func('CreateFileW', 'int64', [
    'str16',
    'uint32',
    'uint32',
    'void *',
    'uint32',
    'uint32',
    'void *',
  ])
  // A second handle would not do for a file: what was written through the first one moves the time once more.
  const handleOf = koffi.load(null).func('uv_get_osfhandle', 'int64', ['int'])
  const info = Buffer.alloc(BASIC_INFO_BYTES)

  const set = (handle: number | bigint, {creation, lastAccess, lastWrite, change}: FileTimes): boolean => {
    for (const [index, time] of [creation, lastAccess, lastWrite, change].entries())
      // Zero leaves a time as it is; -1 and -2 switch its keeping off and on, which is not to be had from outside.
      info.writeBigInt64LE(time > 0n ? time : 0n, 8 * index)
    info.fill(0, 32)
    return setInformation(handle, FILE_BASIC_INFO, info, BASIC_INFO_BYTES) !== 0
  }
  const get = (handle: number | bigint): FileTimes | undefined => {
    if (getInformation(handle, FILE_BASIC_INFO, info, BASIC_INFO_BYTES) === 0) return undefined
    return {
      creation: info.readBigInt64LE(0), //   0  CreationTime
      lastAccess: info.readBigInt64LE(8), //   8  LastAccessTime
      lastWrite: info.readBigInt64LE(16), // 16  LastWriteTime
      change: info.readBigInt64LE(24), // 24  ChangeTime
    }
  }
  const withHandle = <Value>(file: string, access: number, use: (handle: number | bigint) => Value) => {
    const name = path.toNamespacedPath(path.resolve(file))
    const handle = createFile(name, access, SHARE_ALL, null, OPEN_EXISTING, OPEN_FLAGS, null) as number | bigint
    if (BigInt(handle) === INVALID_HANDLE) return undefined
    try {
      return use(handle)
    } finally {
      closeHandle(handle)
    }
  }
  return {
    setFile: (fd, times) => set(handleOf(fd) as number | bigint, times),
    setFolder: (folder, times) =>
      withHandle(folder, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES, (handle) => set(handle, times)) ?? false,
    read: (target) =>
      typeof target === 'number'
        ? get(handleOf(target) as number | bigint)
        : withHandle(target, FILE_READ_ATTRIBUTES, get),
  }
}

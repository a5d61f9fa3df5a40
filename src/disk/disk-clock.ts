import {fstatSync, futimesSync, lstatSync, utimesSync} from 'node:fs'
import {IS_EXECUTABLE} from '../model/own-files.js'
import {UNIX_EPOCH, type FileTime, type FileTimes} from '../model/windows-metadata.js'
import {diskTimes, formatFileTime} from './disk-times.js'
import type {NativeTimes} from './native-times.js'

/** What came of the times of a layout. */
export interface UnkeptTimes {
  readonly message: string
  /** The first file or folder that has another time than it should. */
  readonly subject: string
}

/**
 * Sets the times of files and folders, to 100 ns where the system's own calls are at hand, and looks whether the file
 * system has kept them: ext4 ends in 1901 and 2446, others count whole seconds. None of that is a failure of a call.
 */
export class DiskClock {
  readonly #native: NativeTimes | undefined
  #unkept = 0
  #first: {readonly place: string; readonly wanted: FileTime; readonly has: FileTime} | undefined

  /** Without the system's calls, times are kept to the microsecond at best. */
  constructor(native: NativeTimes | undefined) {
    this.#native = native
  }

  /** Of a file that is open for writing; what is written later moves its time again. */
  setFile(fd: number, times: FileTimes, place: string): void {
    if (this.#native?.setFile(fd, times) !== true) setByNode(fd, times)
    this.#check(times, this.#native?.read?.(fd) ?? diskTimes(fstatSync(fd, {bigint: true})), place)
  }

  /** Of a folder; what is put into it later moves its time again. */
  setFolder(folder: string, times: FileTimes, place: string): void {
    if (this.#native?.setFolder(folder, times) !== true) setByNode(folder, times)
    this.#check(times, this.#native?.read?.(folder) ?? diskTimes(lstatSync(folder, {bigint: true})), place)
  }

  /** Where all four times are kept, all four count; elsewhere nothing reads more than the write time. */
  #check(wanted: FileTimes, has: FileTimes, place: string): void {
    const keys =
      process.platform === 'win32' ? (['lastWrite', 'creation', 'lastAccess', 'change'] as const) : WRITE_TIME
    const key = keys.find((each) => wanted[each] !== has[each])
    if (key === undefined) return
    this.#unkept++
    this.#first ??= {place, wanted: wanted[key], has: has[key]}
  }

  /** Undefined when every time was kept. */
  get unkept(): UnkeptTimes | undefined {
    if (this.#first === undefined) return undefined
    const {place, wanted, has} = this.#first
    const [many, others] = [this.#unkept > 1, this.#unkept - 1]
    const more = many ? ` ${others} more ${others === 1 ? 'file or folder differs' : 'files or folders differ'}.` : ''
    const why = this.#native === undefined ? WITHOUT_KOFFI : 'This file system cannot store it.'
    return {
      message: `Its time should be ${formatFileTime(wanted)}, but the disk has ${formatFileTime(has)}.${more} ${why}`,
      subject: place,
    }
  }
}

const WRITE_TIME = ['lastWrite'] as const
const WITHOUT_KOFFI = IS_EXECUTABLE
  ? 'Exact times need koffi, which this executable cannot unpack into your cache folder; transship doctor says why.'
  : 'Exact times need the package koffi, which is not installed (npm install --include=optional transship).'

/** To the microsecond at best. As text, since Node takes a negative number for the present moment. */
function setByNode(target: number | string, times: FileTimes): void {
  const [access, write] = [secondsText(times.lastAccess), secondsText(times.lastWrite)]
  try {
    if (typeof target === 'number') futimesSync(target, access, write)
    else utimesSync(target, access, write)
  } catch {
    // A time beyond what the system takes stays unset, which the look at it afterwards finds.
  }
}

function secondsText(time: FileTime): string {
  return String(Number(time - UNIX_EPOCH) / 1e7)
}

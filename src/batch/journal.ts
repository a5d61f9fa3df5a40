import {constants} from 'node:fs'
import {lstat, open, type FileHandle} from 'node:fs/promises'
import path from 'node:path'
import type {ConvertReport} from '../convert/report.js'
import {asTransshipError, findSystemCode} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {FolderLock} from '../disk/folder-lock.js'
import {notRegular, openRegularHandle} from '../disk/safe-open.js'
import {formatLine, readRecords} from './journal-lines.js'
import type {JournalRecord} from './journal-record.js'

/** What earlier runs wrote down of a unit. */
export interface JournalEntry {
  /** It was begun and did not end, as its process was killed: what it wrote may be there. */
  readonly isOpen: boolean
  /** It was begun where nothing was: what is there now is its own, for as long as it is open. */
  readonly isOwner: boolean
  /** The item and where it goes, whatever its source and options are: `workOf`. */
  readonly work?: string
  /** Of its end, when that was good. */
  readonly result?: ConvertReport
  /** What it made last, also if it was begun again since. */
  readonly made?: ConvertReport
}

/** What stays the same of a unit when its source changes. */
export function workOf({id, destination}: {readonly id: string; readonly destination: string}): string {
  return `${id}\n${destination}`
}

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The journal of a plan, when none is named. */
export function journalOf(planFile: string): string {
  return `${planFile}.journal`
}

/**
 * An append-only file of what is begun and done, one line of JSON each, on disk before the call returns. A process that
 * is killed leaves at most a torn line, which is passed over. One process at a time.
 */
export class Journal {
  readonly #entries = new Map<string, JournalEntry>()
  readonly #handle: FileHandle
  readonly #lock: FolderLock
  #written: Promise<void> = Promise.resolve()

  private constructor(handle: FileHandle, lock: FolderLock) {
    this.#handle = handle
    this.#lock = lock
  }

  /** Opens or makes the journal and reads what it says. Throws `LOCKED` when another process runs the same plan. */
  static async open(file: string, options: WorkOptions = {}): Promise<Journal> {
    const lockName = `${path.basename(file)}.lock`
    const lock = await FolderLock.take(path.dirname(file), {...options, reference: file, lockName})
    try {
      const handle = await openToAppend(file)
      const journal = new Journal(handle, lock)
      await journal.#read(file)
      // What follows a torn line must not become a part of it.
      await handle.appendFile('\n')
      return journal
    } catch (error) {
      lock.release()
      throw asTransshipError(error, {path: file})
    }
  }

  /** Reads a journal without locking or changing it: for a dry run. None is an empty one. */
  static async peek(file: string): Promise<ReadonlyMap<string, JournalEntry>> {
    const entries = new Map<string, JournalEntry>()
    try {
      for await (const record of recordsOf(file)) enter(entries, record)
    } catch (error) {
      if (findSystemCode(error) !== 'ENOENT') throw asTransshipError(error, {path: file})
    }
    return entries
  }

  async #read(file: string): Promise<void> {
    for await (const record of recordsOf(file)) enter(this.#entries, record)
  }

  /** What was written down of units, by their keys. */
  get entries(): ReadonlyMap<string, JournalEntry> {
    return this.#entries
  }

  /** Returns when the record is on disk. */
  append(record: JournalRecord): Promise<void> {
    enter(this.#entries, record)
    this.#written = this.#written.then(async () => {
      // Of two runs of one plan each would undo what the other did.
      this.#lock.requireHeld()
      await this.#handle.appendFile(formatLine(record))
      await this.#handle.datasync()
    })
    return this.#written
  }

  async close(): Promise<void> {
    try {
      await this.#written
    } finally {
      await this.#handle.close()
      this.#lock.release()
    }
  }
}

/** To read and to append, made where it is not there. What is a link or no regular file is refused: `UNRECOGNISED_FORMAT`. */
async function openToAppend(file: string): Promise<FileHandle> {
  const found = await lstat(file).catch(() => undefined)
  if (found !== undefined && !found.isFile()) throw notRegular(file)
  const handle = await open(file, APPEND)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw notRegular(file)
}

async function* recordsOf(file: string): AsyncGenerator<JournalRecord> {
  const handle = await openRegularHandle(file)
  yield* readRecords(handle)
}

function enter(entries: Map<string, JournalEntry>, record: JournalRecord): void {
  const {key} = record
  const known = entries.get(key)
  if (record.kind === 'begun') {
    const isOwner = record.isFree || (known?.isOpen === true && known.isOwner)
    const made = known?.made === undefined ? {} : {made: known.made}
    entries.set(key, {isOpen: true, isOwner, work: workOf(record), ...made})
  } else if (record.kind === 'done') {
    const {result} = record
    entries.set(key, {isOwner: false, ...known, isOpen: false, result, made: result})
  } else if (known !== undefined) {
    // What fails leaves nothing of its own behind: what is found there later is another's.
    const {isLeft} = record
    entries.set(key, {...known, isOpen: isLeft, isOwner: isLeft && known.isOwner})
  }
}

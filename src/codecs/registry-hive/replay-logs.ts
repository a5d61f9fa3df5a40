import {findSealedBlock, sealBaseBlock, type BaseBlock} from './base-block.js'
import {BASE_BLOCK_BYTES} from './hive-fault.js'
import {
  findLog,
  findOldPages,
  readEntries,
  SECTOR_BYTES,
  type HiveLog,
  type LogEntry,
  type LoggedWrites,
} from './log-entries.js'
import {UnsupportedError} from '../../model/errors.js'

/** A hive after its logs. */
export interface ReplayedHive {
  readonly bytes: Uint8Array
  /** How many writes were taken from the logs. */
  readonly replayed: number
  /** How many of the logs hold more that was not taken, because they are damaged or do not continue what was taken. */
  readonly leftOut: number
}

/** Options of replaying logs. */
export interface ReplayOptions {
  /** Largest hive a log may ask for (`LIMIT_EXCEEDED`); default 1 GiB. */
  readonly maxBytes?: number
}

const DEFAULT_MAX_BYTES = 2 ** 30
/** File type of logs since Windows 8.1. */
const NEW_LOG = 6
/** The bit of the flags that a log entry states. */
const ENTRY_FLAGS = 0x1

/**
 * Ends the writes of a hive that were begun and not ended, from its logs. A clean hive is given back as it is, even if its
 * logs hold more: Windows ignores them too. When no log fits, the hive stays dirty and nothing is replayed. Source:
 * section 2 of the registry hive format page.
 */
export function replayLogs(hive: Uint8Array, logs: readonly Uint8Array[], options: ReplayOptions = {}): ReplayedHive {
  const header = findSealedBlock(hive)
  if (header !== undefined && header.primarySequence === header.secondarySequence)
    return {bytes: hive, replayed: 0, leftOut: 0}
  const filled = logs.filter((log) => log.byteLength > 0)
  const found = filled.map(findLog).filter((log) => log !== undefined)
  const recent = found.filter((log) => log.header.fileType === NEW_LOG)
  const writes = recent.length > 0 ? recentWrites(recent, header) : oldWrites(found, hive, header)
  const damaged = filled.length - found.length
  if (writes === undefined) return {bytes: hive, replayed: 0, leftOut: filled.length}
  const replay = new Replay(hive, options.maxBytes ?? DEFAULT_MAX_BYTES)
  replay.apply(writes)
  return {bytes: replay.bytes, replayed: writes.count, leftOut: damaged + writes.leftOut}
}

/** What is to be done to a hive. */
interface Writes {
  /** The head that the hive takes: all of it, or the version and the root where its own is right. */
  readonly head: {readonly log: HiveLog; readonly isWhole: boolean}
  readonly pages: readonly LogEntry['pages'][]
  /** Most bytes of hive-bins data at any time, and after the last write. */
  readonly mostBytes: number
  readonly dataBytes: number
  /** Of the last write; undefined where the head has it. */
  readonly last?: LogEntry
  readonly count: number
  /** Logs that hold more. */
  readonly leftOut: number
}

/** Logs of Windows 8.1 and later. Without a head of its own the hive takes the log written last, as Windows does. */
function recentWrites(logs: readonly HiveLog[], header: BaseBlock | undefined): Writes | undefined {
  const read = logs.map((log) => ({log, ...readEntries(log)}))
  const taken = header === undefined ? newestOnly(read) : inTurn(read, header.secondarySequence)
  const entries = taken.flatMap((log) => log.entries)
  const last = entries.at(-1)
  const log = taken.at(-1)?.log
  if (last === undefined || log === undefined) return undefined
  const isAhead = ({sequence}: LogEntry): boolean => compareSequences(sequence, last.sequence) > 0
  return {
    head: {log, isWhole: header === undefined},
    pages: entries.map((entry) => entry.pages),
    mostBytes: entries.reduce((most, entry) => Math.max(most, entry.dataBytes), 0),
    dataBytes: last.dataBytes,
    last,
    count: entries.length,
    leftOut: read.filter((each) => each.isCutShort || each.entries.some(isAhead)).length,
  }
}

interface ReadLog extends LoggedWrites {
  readonly log: HiveLog
}

function newestOnly(logs: readonly ReadLog[]): readonly ReadLog[] {
  const [newest] = logs
    .filter(({entries}) => entries.length > 0)
    .sort((left, right) => compareSequences(right.entries.at(-1)?.sequence ?? 0, left.entries.at(-1)?.sequence ?? 0))
  return newest === undefined ? [] : [newest]
}

/** Logs whose entries are consecutive, that with the earlier entries first, from where the hive was last whole. */
function inTurn(logs: readonly ReadLog[], from: number): readonly ReadLog[] {
  const usable = logs
    .filter(({entries: [first]}) => first !== undefined && compareSequences(first.sequence, from) >= 0)
    .sort((left, right) => compareSequences(left.entries[0]?.sequence ?? 0, right.entries[0]?.sequence ?? 0))
  const turn: ReadLog[] = []
  for (const log of usable) {
    const last = turn.at(-1)?.entries.at(-1)
    if (last === undefined || log.entries[0]?.sequence === (last.sequence + 1) >>> 0) turn.push(log)
  }
  return turn
}

/** Sequences begin anew after 2^32 - 1: the nearer way round counts. */
function compareSequences(left: number, right: number): number {
  return (left - right) | 0
}

/**
 * Logs up to Windows 8: the one that was begun when the hive was last whole. Where the head of the hive is damaged, the
 * time of its first bin bounds that from below, and the latest log counts.
 */
function oldWrites(logs: readonly HiveLog[], hive: Uint8Array, header: BaseBlock | undefined): Writes | undefined {
  const fits = ({header: {lastWritten}}: HiveLog): boolean =>
    header === undefined ? lastWritten >= firstBinTime(hive) : lastWritten === header.lastWritten
  const fitting = logs
    .filter((log) => isOldLog(log) && fits(log))
    .sort((left, right) => Number(right.header.lastWritten - left.header.lastWritten))
  for (const log of fitting) {
    const pages = findOldPages(log)
    if (pages === undefined) continue
    return {
      head: {log, isWhole: true},
      pages: [pages],
      mostBytes: log.header.dataBytes,
      dataBytes: log.header.dataBytes,
      count: 1,
      leftOut: fitting.indexOf(log),
    }
  }
  return undefined
}

function isOldLog({header: {primarySequence, secondarySequence, fileType}}: HiveLog): boolean {
  return primarySequence === secondarySequence && fileType !== NEW_LOG
}

/** Of bytes that do not hold it: later than any. */
function firstBinTime(hive: Uint8Array): bigint {
  const at = BASE_BLOCK_BYTES + 20
  if (hive.byteLength < at + 8) return 2n ** 63n
  return Buffer.from(hive.buffer, hive.byteOffset, hive.byteLength).readBigInt64LE(at)
}

class Replay {
  bytes: Buffer
  readonly #maxBytes: number

  constructor(hive: Uint8Array, maxBytes: number) {
    this.bytes = Buffer.from(hive)
    this.#maxBytes = maxBytes
  }

  apply({head, pages, mostBytes, dataBytes, last}: Writes): void {
    this.#grow(BASE_BLOCK_BYTES + mostBytes)
    if (head.isWhole) head.log.bytes.copy(this.bytes, 0, 0, SECTOR_BYTES)
    else {
      this.bytes.writeUInt32LE(head.log.header.minorVersion, 24) //  24  minor version
      this.bytes.writeUInt32LE(head.log.header.rootOffset, 36) //    36  root cell offset
    }
    for (const each of pages) {
      for (const {offset, bytes} of each) this.bytes.set(bytes, BASE_BLOCK_BYTES + offset)
    }
    if (last !== undefined) {
      this.bytes.writeUInt32LE(last.sequence, 4) //                   4  primary sequence
      this.bytes.writeUInt32LE(last.sequence, 8) //                   8  secondary sequence
      const flags = (this.bytes.readUInt32LE(144) & ~ENTRY_FLAGS) | (last.flags & ENTRY_FLAGS)
      this.bytes.writeUInt32LE(flags >>> 0, 144) //                 144  flags
    }
    this.bytes.writeUInt32LE(0, 28) //                               28  file type: a hive
    this.bytes.writeUInt32LE(dataBytes, 40) //                       40  hive-bins data size, bytes
    sealBaseBlock(this.bytes)
  }

  #grow(size: number): void {
    if (size > this.#maxBytes) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {
        what: `The log of a registry hive needs ${size} bytes; the limit is ${this.#maxBytes}.`,
      })
    }
    if (size > this.bytes.byteLength)
      this.bytes = Buffer.concat([this.bytes, Buffer.alloc(size - this.bytes.byteLength)])
  }
}

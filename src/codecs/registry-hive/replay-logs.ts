import {findBaseBlock, sealBaseBlock, type BaseBlock} from './base-block.js'
import {BASE_BLOCK_BYTES} from './hive-fault.js'
import {findLog, findOldPages, readEntries, SECTOR_BYTES, type HiveLog, type LogEntry} from './log-entries.js'
import {UnsupportedError} from '../../model/errors.js'

/** A hive after its logs. */
export interface ReplayedHive {
  readonly bytes: Uint8Array
  /** How many writes were taken from the logs. */
  readonly replayed: number
}

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
  const header = findBaseBlock(hive)
  if (header !== undefined && header.primarySequence === header.secondarySequence) return {bytes: hive, replayed: 0}
  const found = logs.map(findLog).filter((log) => log !== undefined)
  const replay = new Replay(hive, options.maxBytes ?? DEFAULT_MAX_BYTES)
  const recent = found.filter((log) => log.header.fileType === NEW_LOG)
  const replayed = recent.length > 0 ? replay.recent(recent, header) : replay.old(found, header)
  return replayed > 0 ? {bytes: replay.bytes, replayed} : {bytes: hive, replayed: 0}
}

class Replay {
  bytes: Buffer
  readonly #maxBytes: number

  constructor(hive: Uint8Array, maxBytes: number) {
    this.bytes = Buffer.from(hive)
    this.#maxBytes = maxBytes
  }

  /** Logs of Windows 8.1 and later. Gives how many entries were applied. */
  recent(logs: readonly HiveLog[], header: BaseBlock | undefined): number {
    const entries = header === undefined ? this.#newestOnly(logs) : entriesInTurn(logs, header.secondarySequence)
    const last = entries.at(-1)
    if (last === undefined) return 0
    for (const entry of entries) this.#apply(entry.pages, entry.dataBytes)
    this.bytes.writeUInt32LE(last.sequence, 4) //                        4  primary sequence
    this.bytes.writeUInt32LE(last.sequence, 8) //                        8  secondary sequence
    const flags = (this.bytes.readUInt32LE(144) & ~ENTRY_FLAGS) | (last.flags & ENTRY_FLAGS)
    this.bytes.writeUInt32LE(flags >>> 0, 144) //                      144  flags
    this.#seal(last.dataBytes)
    return entries.length
  }

  /** Without a head of its own the hive takes that of the log written last, and no other log can be told to fit. */
  #newestOnly(logs: readonly HiveLog[]): readonly LogEntry[] {
    const [newest] = logs
      .map((log) => ({log, entries: readEntries(log)}))
      .sort((left, right) => (right.entries.at(-1)?.sequence ?? -1) - (left.entries.at(-1)?.sequence ?? -1))
    if (newest === undefined || newest.entries.length === 0) return []
    this.#takeHeader(newest.log)
    return newest.entries
  }

  /** Logs up to Windows 8: the one that was begun when the hive was last whole. Gives how many logs were applied. */
  old(logs: readonly HiveLog[], header: BaseBlock | undefined): number {
    const time = header?.lastWritten ?? this.#firstBinTime()
    for (const log of logs) {
      const {primarySequence, secondarySequence, lastWritten, fileType, dataBytes} = log.header
      if (primarySequence !== secondarySequence || lastWritten !== time || fileType === NEW_LOG) continue
      const pages = findOldPages(log)
      if (pages === undefined) continue
      this.#takeHeader(log)
      this.#apply(pages, dataBytes)
      this.#seal(dataBytes)
      return 1
    }
    return 0
  }

  #firstBinTime(): bigint | undefined {
    const at = BASE_BLOCK_BYTES + 20
    return this.bytes.byteLength < at + 8 ? undefined : this.bytes.readBigInt64LE(at)
  }

  #takeHeader(log: HiveLog): void {
    this.#grow(BASE_BLOCK_BYTES)
    log.bytes.copy(this.bytes, 0, 0, SECTOR_BYTES)
  }

  #apply(pages: LogEntry['pages'], dataBytes: number): void {
    this.#grow(BASE_BLOCK_BYTES + dataBytes)
    for (const {offset, bytes} of pages) this.bytes.set(bytes, BASE_BLOCK_BYTES + offset)
  }

  #grow(size: number): void {
    if (size > this.#maxBytes) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {
        what: `The log of a registry hive asks for ${size} bytes; the limit is ${this.#maxBytes}.`,
      })
    }
    if (size > this.bytes.byteLength)
      this.bytes = Buffer.concat([this.bytes, Buffer.alloc(size - this.bytes.byteLength)])
  }

  #seal(dataBytes: number): void {
    this.bytes.writeUInt32LE(0, 28) //          28  file type: a hive
    this.bytes.writeUInt32LE(dataBytes, 40) //  40  hive-bins data size, bytes
    sealBaseBlock(this.bytes)
  }
}

/** Consecutive entries of the logs, that with the earlier entries first, from where the hive was last whole. */
function entriesInTurn(logs: readonly HiveLog[], from: number): LogEntry[] {
  const usable = logs
    .map(readEntries)
    .filter(([first]) => first !== undefined && first.sequence >= from)
    .sort((left, right) => (left[0]?.sequence ?? 0) - (right[0]?.sequence ?? 0))
  const turn: LogEntry[] = []
  for (const entries of usable) {
    const last = turn.at(-1)
    if (last === undefined || entries[0]?.sequence === last.sequence + 1) turn.push(...entries)
  }
  return turn
}

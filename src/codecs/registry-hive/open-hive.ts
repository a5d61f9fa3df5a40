import {HiveFile, type HiveOptions} from './hive-file.js'
import {sourceOfBytes, type HiveSource} from './hive-source.js'
import {replayLogs} from './replay-logs.js'
import {requireSound} from './require-sound.js'
import {InputError, TransshipError, UnsupportedError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'

/** The largest hive that is worked with. All of it is held, as bytes; the largest of a full server has some 120 MiB. */
export const MAX_HIVE_BYTES = 256 * 2 ** 20

export interface OpenHiveOptions extends WorkOptions, Pick<HiveOptions, 'acceptDirty' | 'acceptLonger' | 'isDelta'> {
  /** What the hive is called in notes and errors: a path in the layer, or a file. */
  readonly subject: string
  /** Its logs, in any order. When they do not complete a dirty hive it is refused, `acceptDirty` or not. */
  readonly logs?: readonly Uint8Array[]
  /** Read a dirty hive as it is, whatever its logs hold. */
  readonly ignoreLogs?: boolean
}

/** Notes of one kind about one hive; one more says that there are others. */
const MAX_NOTES = 20

/**
 * A hive in memory, checked from end to end, after its logs if it needs them. What is odd about it is told as notes.
 * Throws `HIVE_CORRUPT`, `HIVE_DIRTY`, `FORMAT_UNSUPPORTED` or `LIMIT_EXCEEDED`, with the hive's name.
 */
export function openHive(bytes: Uint8Array, options: OpenHiveOptions): HiveFile {
  const {subject, logs = [], ignoreLogs = false} = options
  const notes = new HiveNotes(options)
  try {
    const {bytes: whole, replayed, leftOut} = replayLogs(bytes, ignoreLogs ? [] : logs, {maxBytes: MAX_HIVE_BYTES})
    if (replayed > 0) notes.add('hive-logs-replayed', 'The hive was not closed. transship applied its logs.')
    if (replayed > 0 && leftOut > 0) {
      const message = `transship could not apply ${leftOut} of its logs completely: they are damaged, or earlier entries are missing. Some changes may be missing.`
      notes.add('hive-log-left-out', message)
    }
    return openSource(sourceOfBytes(whole), options, notes)
  } catch (error) {
    throw inHive(error, subject)
  }
}

/** The same for a hive that is not in memory as a whole. Its logs are not read: a dirty one needs `openHive`. */
export function openHiveSource(source: HiveSource, options: OpenHiveOptions): HiveFile {
  try {
    return openSource(source, options, new HiveNotes(options))
  } catch (error) {
    throw inHive(error, options.subject)
  }
}

function openSource(source: HiveSource, options: OpenHiveOptions, notes: HiveNotes): HiveFile {
  const {logs = [], ignoreLogs = false, acceptDirty = false, acceptLonger = false, isDelta = false} = options
  const hive = new HiveFile(source, {
    acceptDirty: ignoreLogs || (acceptDirty && logs.length === 0),
    acceptLonger,
    isDelta,
    onRemark: ({code, message, offset}) => {
      notes.add(code, message, offset)
    },
  })
  requireSound(hive)
  notes.end()
  return hive
}

/** Passes on what is odd about a hive, each once, and not without end. */
class HiveNotes {
  readonly #options: OpenHiveOptions
  /** Code -> where it was met. */
  readonly #told = new Map<string, Set<string>>()
  #isComplete = false

  constructor(options: OpenHiveOptions) {
    this.#options = options
  }

  add(code: string, message: string, offset = 0): void {
    // Every key has been read once, so anything met again was reported already.
    if (this.#isComplete) return
    const told = this.#told.get(code) ?? new Set<string>()
    this.#told.set(code, told)
    const place = `${offset} ${message}`
    if (told.has(place) || told.size > MAX_NOTES) return
    told.add(place)
    if (told.size <= MAX_NOTES) this.#tell(code, message)
  }

  end(): void {
    for (const [code, places] of this.#told) {
      if (places.size > MAX_NOTES)
        this.#tell(code, `This hive has more such notes; only the first ${MAX_NOTES} are listed.`)
    }
    this.#isComplete = true
  }

  #tell(code: string, message: string): void {
    this.#options.onEvent?.({kind: 'note', code, message, subject: this.#options.subject})
  }
}

/** The same error, saying which hive it is about. */
function inHive(error: unknown, subject: string): unknown {
  if (!(error instanceof TransshipError) || error.at.path !== undefined) return error
  const {code, what, why, suggestions, at} = error
  const details = {
    what,
    ...(why === undefined ? {} : {why}),
    suggestions,
    at: {...at, path: subject},
    cause: error,
  }
  if (error instanceof InputError) return new InputError(code, details)
  return error instanceof UnsupportedError ? new UnsupportedError(code, details) : error
}

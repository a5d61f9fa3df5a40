import {HiveFile, type HiveOptions} from './hive-file.js'
import {sourceOfBytes} from './hive-source.js'
import {replayLogs} from './replay-logs.js'
import {requireSound} from './require-sound.js'
import {InputError, TransshipError, UnsupportedError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'

/** The largest hive that is worked with. All of it is held, as bytes; the largest of a full server has some 120 MiB. */
export const MAX_HIVE_BYTES = 256 * 2 ** 20

export interface OpenHiveOptions extends WorkOptions, Pick<HiveOptions, 'acceptDirty'> {
  /** What the hive is called in notes and errors: a path in the layer, or a file. */
  readonly subject: string
  /** Its logs, in any order. */
  readonly logs?: readonly Uint8Array[]
}

/**
 * A hive in memory, checked from end to end, after its logs if it needs them. What is odd about it is told as notes.
 * Throws `HIVE_CORRUPT`, `HIVE_DIRTY`, `FORMAT_UNSUPPORTED` or `LIMIT_EXCEEDED`, with the hive's name.
 */
export function openHive(bytes: Uint8Array, options: OpenHiveOptions): HiveFile {
  const {subject, logs = [], acceptDirty = false, onEvent} = options
  const told = new Set<string>()
  const note = (code: string, message: string): void => {
    if (told.has(code)) return
    told.add(code)
    onEvent?.({kind: 'note', code, message, subject})
  }
  try {
    const {bytes: whole, replayed} = replayLogs(bytes, logs, {maxBytes: MAX_HIVE_BYTES})
    if (replayed > 0) note('hive-logs-replayed', `The hive was not written to its end; its logs were taken.`)
    const hive = new HiveFile(sourceOfBytes(whole), {
      acceptDirty,
      onRemark: ({code, message}) => {
        note(code, message)
      },
    })
    requireSound(hive)
    return hive
  } catch (error) {
    throw inHive(error, subject)
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

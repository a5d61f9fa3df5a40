import {InputError} from '../../model/errors.js'
import type {FileTimes} from '../../model/windows-metadata.js'

/*
 * `EntryFrame.layout` of entries without a carrier (`Files`, `Hives/*`, a plain utility VM). It is JSON, so its first
 * byte differs from a carrier frame's. It notes only what differs from the output of Microsoft's code.
 */

export interface LayoutNotes {
  /** Creation and access time of a file that is no carrier; Microsoft's export replaces both by the write time. */
  readonly times?: {readonly creation: bigint; readonly lastAccess: bigint}
  /** The bytes of the sidecar beside a top folder. */
  readonly sidecar?: Uint8Array
  /** Times of that sidecar, where they are not the folder's. */
  readonly sidecarTimes?: FileTimes
  /** Bytes of tombstones.txt; null = there is none. Only on `Files`. */
  readonly tombstones?: Uint8Array | null
  /** Times of tombstones.txt, where they are not those of `Files`. Only on `Files`. */
  readonly tombstonesTimes?: FileTimes
  /** The utility VM is kept as plain files instead of carriers. Only on `UtilityVM`. */
  readonly isPlain?: boolean
  /** A deletion below a folder that the layout does not hold: Microsoft's export passes it over. */
  readonly isOrphan?: boolean
}

const base64 = (bytes: Uint8Array | null | undefined) =>
  bytes === null ? null : bytes === undefined ? undefined : Buffer.from(bytes).toString('base64')

const listOf = (times: FileTimes) => [times.creation, times.lastAccess, times.lastWrite, times.change].map(String)

/** Bytes of the notes; undefined when there is nothing to note. */
export function encodeLayoutNotes(notes: LayoutNotes): Uint8Array | undefined {
  if (Object.values(notes).every((value) => value === undefined)) return undefined
  return Buffer.from(
    JSON.stringify({
      c: notes.times?.creation.toString(),
      a: notes.times?.lastAccess.toString(),
      sidecar: base64(notes.sidecar),
      t: notes.sidecarTimes === undefined ? undefined : listOf(notes.sidecarTimes),
      tombstones: base64(notes.tombstones),
      tt: notes.tombstonesTimes === undefined ? undefined : listOf(notes.tombstonesTimes),
      plain: notes.isPlain,
      orphan: notes.isOrphan,
    }),
  )
}

function corrupt(cause?: unknown): InputError {
  return new InputError('RECIPE_CORRUPT', {
    what: 'The layout notes of an entry are damaged.',
    suggestions: ['Convert without the recipe (--no-keep-recipe).'],
    cause,
  })
}

/** True when a layout frame holds notes and not the form of a carrier. */
export function areLayoutNotes(frame: Uint8Array): boolean {
  return frame[0] === 0x7b
}

/** The inverse of `encodeLayoutNotes`; a frame that is none gives no notes. Throws `RECIPE_CORRUPT`. */
export function decodeLayoutNotes(frame: Uint8Array | undefined): LayoutNotes {
  if (frame === undefined || !areLayoutNotes(frame)) return {}
  let json: Readonly<Record<string, unknown>>
  try {
    json = JSON.parse(Buffer.from(frame).toString('utf8')) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw corrupt(error)
  }
  const bytes = (key: string) => {
    const value = json[key]
    if (value === undefined || value === null) return value
    if (typeof value !== 'string') throw corrupt()
    return Buffer.from(value, 'base64')
  }
  const {c, a} = json
  const isTime = (value: unknown): value is string => typeof value === 'string' && /^-?\d{1,20}$/.test(value)
  const times = (key: string): FileTimes | undefined => {
    const list = json[key]
    const [creation, lastAccess, lastWrite, change] = Array.isArray(list) && list.every(isTime) ? list.map(BigInt) : []
    if (creation === undefined || lastAccess === undefined || lastWrite === undefined || change === undefined)
      return undefined
    return {creation, lastAccess, lastWrite, change}
  }
  const [sidecarTimes, tombstonesTimes] = [times('t'), times('tt')]
  const sidecar = bytes('sidecar')
  const tombstones = bytes('tombstones')
  return {
    ...(isTime(c) && isTime(a) ? {times: {creation: BigInt(c), lastAccess: BigInt(a)}} : {}),
    ...(sidecar === undefined || sidecar === null ? {} : {sidecar}),
    ...(sidecarTimes === undefined ? {} : {sidecarTimes}),
    ...(tombstones === undefined ? {} : {tombstones}),
    ...(tombstonesTimes === undefined ? {} : {tombstonesTimes}),
    ...(json['plain'] === true ? {isPlain: true} : {}),
    ...(json['orphan'] === true ? {isOrphan: true} : {}),
  }
}

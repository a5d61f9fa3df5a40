import type {PayloadEdits} from './payload-edits.js'
import {unpackOptions, type UnpackOptions} from './limits.js'

/** Something the destination cannot hold even with the recipe. `code` is stable, kebab-case. */
export interface Loss {
  readonly code: string
  readonly message: string
  /** The entry, layer, package or setting that loses something. */
  readonly subject: string
  /** Where it comes of an edited payload: the files. */
  readonly edits?: PayloadEdits
}

/** Worth telling, but nothing is lost. Same shape as a loss. */
export type Note = Loss

/** A loss or a note alone, of the event that tells it. */
export function findingOf({code, message, subject, edits}: Loss): Loss {
  return {code, message, subject, ...(edits === undefined ? {} : {edits})}
}

/** What the library reports while it works: plain JSON values. Only `src/terminal` turns them into text. */
export type WorkEvent =
  | {readonly kind: 'step'; readonly id: string; readonly title: string; readonly totalBytes?: number}
  | {readonly kind: 'progress'; readonly id: string; readonly bytes: number; readonly entries?: number}
  /** So many of the parts of a step have been passed. */
  | ({readonly kind: 'part'; readonly id: string} & Parts)
  | {readonly kind: 'done'; readonly id: string; readonly summary?: string}
  | ({readonly kind: 'loss'} & Loss)
  | ({readonly kind: 'note'} & Note)

export interface Parts {
  readonly noun: 'layer' | 'artifact'
  readonly done: number
  readonly of: number
}

/** What every asynchronous call of the library takes. */
export interface WorkOptions extends UnpackOptions {
  readonly signal?: AbortSignal
  /** Hears progress, losses and notes while the work runs. */
  readonly onEvent?: (event: WorkEvent) => void
}

/** The same for work whose events say nothing of what was asked for, such as a check of what is there already. */
export function withoutEvents(options: WorkOptions): WorkOptions {
  const {signal} = options
  return {...(signal === undefined ? {} : {signal}), ...unpackOptions(options)}
}

import type {BatchEvent} from '../batch/batch-event.js'
import type {ItemReport} from '../batch/batch-report.js'
import {countOf} from './batch-text.js'
import {messageOf} from './progress.js'
import {printable} from '../model/printable.js'
import {formatBytes, formatProgress, formatSeconds} from '../model/quantities.js'

/** Shows what a running batch tells. `end` must be called once, whatever happened. */
export interface BatchProgress {
  onEvent(event: BatchEvent): void
  end(): Promise<void>
}

/** A line for each item that ended: for logs, pipes and dumb terminals. */
export class BatchLines implements BatchProgress {
  readonly #stream: NodeJS.WriteStream
  readonly #verbose: boolean
  #items = 0
  #ended = 0

  constructor(stream: NodeJS.WriteStream, {verbose}: {readonly verbose: boolean}) {
    this.#stream = stream
    this.#verbose = verbose
  }

  onEvent(event: BatchEvent): void {
    if (event.kind === 'batch') {
      this.#items = event.items - event.alreadyDone
      this.#line(titleOfBatch(event))
    } else if (event.kind === 'waiting' || event.kind === 'queue') {
      this.#line(event.title)
    } else if (event.kind === 'note') {
      this.#line(messageOf(event))
    } else if (event.kind === 'item-ended') {
      this.#ended++
      const of = this.#items === 0 ? '' : `/${this.#items}`
      this.#line(`[${this.#ended}${of}] ${endingOf(event.item)}`)
    } else if (event.kind === 'item-retried') {
      this.#line(`${event.id}: ${event.failure.what} Trying again in ${formatSeconds(event.waitMs / 1000)}.`)
    } else if (this.#verbose && event.kind === 'item-begun') {
      this.#line(`${event.id}: begun`)
    } else if (this.#verbose && event.kind === 'item-told') {
      this.#line(`${event.id}: ${event.event.kind}: ${event.event.message}`)
    }
  }

  end(): Promise<void> {
    return Promise.resolve()
  }

  #line(text: string): void {
    this.#stream.write(`${printable(text)}\n`)
  }
}

export const SILENT_BATCH: BatchProgress = {onEvent: () => undefined, end: () => Promise.resolve()}

/** No progress, but why nothing goes on: beside the document of `--json`. */
export class BatchWarnings implements BatchProgress {
  readonly #stream: NodeJS.WriteStream

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  onEvent(event: BatchEvent): void {
    if (event.kind === 'queue') this.#stream.write(`${printable(event.title)}\n`)
  }

  end(): Promise<void> {
    return Promise.resolve()
  }
}

/** `40 items, 3 done already, 1.2 GiB to read`. */
export function titleOfBatch({items, alreadyDone, totalBytes}: Extract<BatchEvent, {kind: 'batch'}>): string {
  const parts = [countOf(items, 'item')]
  if (alreadyDone > 0) parts.push(`${alreadyDone} done already`)
  if (totalBytes > 0) parts.push(`${formatBytes(totalBytes)} to read`)
  return parts.join(', ')
}

/** One line for an item that ended. */
export function endingOf(item: ItemReport): string {
  const {id, state, result, failure, seconds} = item
  if (failure !== undefined) return `${id}: failed: ${failure.what}`
  if (result === undefined)
    return `${id}: ${state === 'blocked' ? 'not tried, because an item it needs failed' : state}`
  const isUnchanged = result.artifacts.every((artifact) => artifact.unchanged === true)
  const losses = result.losses.length > 0 ? `, ${result.losses.length} lost` : ''
  const what = isUnchanged && result.artifacts.length > 0 ? 'already there' : 'converted'
  return `${id}: ${what}${losses} (${formatBytes(result.bytesRead)} in ${formatSeconds(seconds)})`
}

/** `12.0 MiB of 2.0 GiB, 80.0 MiB/s, 25 s left` of all items together. */
export class TotalMeter {
  readonly #started = performance.now()
  #totalBytes = 0
  #endedBytes = 0
  readonly #running = new Map<string, {readonly bytes: number; readonly totalBytes: number | undefined}>()
  #items = 0
  #ended = 0
  #failed = 0

  onEvent(event: BatchEvent): void {
    if (event.kind === 'batch') {
      this.#totalBytes = event.totalBytes
      this.#items = event.items - event.alreadyDone
    } else if (event.kind === 'item-begun') {
      this.#running.set(event.id, {bytes: 0, totalBytes: event.totalBytes})
    } else if (event.kind === 'item-progress') {
      this.#running.set(event.id, {bytes: event.bytes, totalBytes: this.#running.get(event.id)?.totalBytes})
    } else if (event.kind === 'item-ended') {
      // What was there already need not be read: it counts as passed, else the total would never be reached.
      this.#endedBytes += this.#running.get(event.item.id)?.totalBytes ?? event.bytes
      this.#running.delete(event.item.id)
      this.#ended++
      if (event.item.failure !== undefined) this.#failed++
    }
  }

  /** While it runs. */
  get text(): string {
    const bytes = [...this.#running.values()].reduce((sum, each) => sum + each.bytes, this.#endedBytes)
    const seconds = (performance.now() - this.#started) / 1000
    const progress = bytes === 0 ? '' : `: ${formatProgress(bytes, this.#totalBytes, seconds)}`
    return `${this.#counts}${progress}`
  }

  /** When it has ended. */
  get ending(): string {
    return `${this.#counts} in ${formatSeconds((performance.now() - this.#started) / 1000)}`
  }

  get #counts(): string {
    return `${this.#ended} of ${countOf(this.#items, 'item')}${this.#failed > 0 ? `, ${this.#failed} failed` : ''}`
  }
}

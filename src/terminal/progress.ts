import type {Parts, WorkEvent} from '../model/events.js'
import type {LiveSteps} from './live-steps.js'
import {printable} from '../model/printable.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {shortenDigests} from './short-digest.js'
import {formatStep, type StepState} from './step-text.js'

/** `live`: repainted on a terminal; `lines`: a line for each thing that happened; `silent`: nothing. */
export type ProgressMode = 'live' | 'lines' | 'silent'

/**
 * Whether lines can be repainted there. A terminal may have no size (a container's, or one that a script made): ora
 * divides by the width, and would erase lines without end. Under CI, which keeps all that was written, lines are read.
 */
export function canRepaint(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>,
  {TERM: term, CI: ci = ''}: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return stream.isTTY && stream.columns > 0 && term !== 'dumb' && /^(?:|0|false)$/i.test(ci)
}

export interface ProgressOptions {
  /** What is being done, for the time before the first step. */
  readonly title: string
  readonly mode: ProgressMode
  /** Where it is shown; never stdout, which carries results only. */
  readonly stream: NodeJS.WriteStream
  /** In `lines`, tell every progress event, not one in ten seconds. */
  readonly verbose: boolean
}

/** Shows what a running piece of work tells. `end` must be called once, whatever happened. */
export interface Progress {
  onEvent(event: WorkEvent): void
  end(failed: boolean): Promise<void>
}

const LINE_EVERY_MS = 10_000

interface RunningStep extends StepState {
  readonly title: string
  bytes: number
  parts: Parts | undefined
  told: number
}

/** Plain lines: for logs, pipes and dumb terminals. */
class LineProgress implements Progress {
  readonly #options: ProgressOptions
  readonly #steps = new Map<string, RunningStep>()

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  onEvent(event: WorkEvent): void {
    const now = performance.now()
    if (event.kind === 'step') {
      const {title, totalBytes} = event
      this.#steps.set(event.id, {title, totalBytes, started: now, bytes: 0, parts: undefined, told: now})
      this.#line(totalBytes === undefined ? title : `${title} (${formatBytes(totalBytes)})`)
    } else if (event.kind === 'progress' || event.kind === 'part') {
      const step = this.#steps.get(event.id)
      if (step === undefined) return
      if (event.kind === 'progress') step.bytes = event.bytes
      else step.parts = event
      if (!this.#options.verbose && now - step.told < LINE_EVERY_MS) return
      step.told = now
      this.#line(`${step.title}: ${formatStep(step)}`)
    } else if (event.kind === 'done') {
      const step = this.#steps.get(event.id)
      this.#steps.delete(event.id)
      const took = step === undefined ? '' : ` in ${formatSeconds((now - step.started) / 1000)}`
      this.#line(`${step?.title ?? event.id}: ${event.summary ?? 'done'}${took}`)
    } else {
      this.#line(messageOf(event))
    }
  }

  end(): Promise<void> {
    return Promise.resolve()
  }

  #line(text: string): void {
    this.#options.stream.write(`${printable(text)}\n`)
  }
}

/** On a terminal: a spinner until the first step, then a list of steps; messages follow when the picture is complete. */
class LiveProgress implements Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #live: LiveSteps
  readonly #messages: string[] = []

  constructor(stream: NodeJS.WriteStream, live: LiveSteps) {
    this.#stream = stream
    this.#live = live
  }

  /** Loads the renderer only where it is needed: it takes longer to load than many commands to run. */
  static async start({title, stream}: ProgressOptions): Promise<LiveProgress> {
    const {LiveSteps} = await import('./live-steps.js')
    return new LiveProgress(stream, new LiveSteps(printable(title), stream))
  }

  onEvent(event: WorkEvent): void {
    if (event.kind === 'step') this.#live.begin(event.id, printable(event.title), event.totalBytes)
    else if (event.kind === 'progress') this.#live.progress(event.id, event.bytes)
    else if (event.kind === 'part') this.#live.part(event.id, event)
    else if (event.kind === 'done') this.#live.done(event.id, shortenDigests(printable(event.summary ?? 'done')))
    else this.#messages.push(messageOf(event))
  }

  async end(failed: boolean): Promise<void> {
    await this.#live.end(failed)
    for (const message of this.#messages) this.#stream.write(`${printable(message)}\n`)
  }
}

const SILENT: Progress = {onEvent: () => undefined, end: () => Promise.resolve()}

/** One line for a loss or a note. */
export function messageOf(event: Extract<WorkEvent, {kind: 'loss' | 'note'}>): string {
  return `${event.kind === 'loss' ? 'Loss' : 'Note'}: ${event.subject === '' ? '' : `${event.subject}: `}${event.message}`
}

/** Begins to show a piece of work. The same loss or note is told once, though reading twice tells it twice. */
export async function startProgress(options: ProgressOptions): Promise<Progress> {
  if (options.mode === 'silent') return SILENT
  const progress = options.mode === 'live' ? await LiveProgress.start(options) : new LineProgress(options)
  const told = new Set<string>()
  return {
    onEvent: (event) => {
      if (event.kind === 'loss' || event.kind === 'note') {
        const message = messageOf(event)
        if (told.has(message)) return
        told.add(message)
      }
      progress.onEvent(event)
    },
    end: (failed) => progress.end(failed),
  }
}

import {
  Listr,
  ListrLogger,
  ProcessOutput,
  type DefaultRenderer,
  type ListrTaskWrapper,
  type SimpleRenderer,
} from 'listr2'
import type {BatchEvent} from '../batch/batch-event.js'
import {TotalMeter, titleOfBatch, type BatchProgress} from './batch-progress.js'
import {messageOf} from './progress.js'
import {printable} from '../model/printable.js'
import {formatProgress, formatSeconds} from '../model/quantities.js'

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

interface Running {
  readonly totalBytes: number | undefined
  readonly started: number
  bytes: number
  told: string
}

/** Of more items than a screen has lines, a repainted picture would scroll away. */
const MOST_SHOWN = 12
const REPAINT_EVERY_MS = 100

/**
 * A batch on a terminal, painted by listr2: a line for the total, below it one for each item that runs. Items that ended
 * leave no line: of hundreds, those that failed matter, and the result tells them.
 */
export class LiveBatch implements BatchProgress {
  readonly #stream: NodeJS.WriteStream
  readonly #running = new Map<string, Running>()
  readonly #total = new TotalMeter()
  #task: Task | undefined
  /** Why nothing goes on. */
  #notice = ''
  #finish: () => void = () => undefined
  #painted: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  onEvent(event: BatchEvent): void {
    this.#total.onEvent(event)
    if (event.kind === 'batch') this.#start(event)
    else if (event.kind === 'queue' && this.#task !== undefined)
      this.#notice = event.state === 'away' ? event.title : ''
    else if (event.kind === 'waiting' || event.kind === 'queue') this.#stream.write(`${printable(event.title)}\n`)
    else if (event.kind === 'note') this.#stream.write(`${printable(messageOf(event))}\n`)
    else if (event.kind === 'item-begun') {
      const {id, totalBytes} = event
      this.#running.set(id, {totalBytes, started: performance.now(), bytes: 0, told: ''})
    } else if (event.kind === 'item-progress') {
      const running = this.#running.get(event.id)
      if (running !== undefined) [running.bytes, running.told] = [event.bytes, '']
    } else if (event.kind === 'item-retried') {
      const running = this.#running.get(event.id)
      const again = `trying again in ${formatSeconds(event.waitMs / 1000)}`
      if (running !== undefined) [running.bytes, running.told] = [0, `${event.failure.what} ${again}`]
    } else if (event.kind === 'item-ended') this.#running.delete(event.item.id)
  }

  #start(event: Extract<BatchEvent, {kind: 'batch'}>): void {
    if (event.items === event.alreadyDone) return
    const ended = new Promise<void>((resolve) => {
      this.#finish = resolve
    })
    const show = async (task: Task) => {
      this.#task = task
      await ended
      task.title = this.#total.ending
      task.output = ''
    }
    // listr2 prints to stdout unless told otherwise, and its own signal handler would exit before anything is cleaned up.
    const logger = new ListrLogger<never>({processOutput: new ProcessOutput(this.#stream, this.#stream)})
    const list = new Listr<unknown>(
      [
        {
          title: printable(titleOfBatch(event)),
          task: (_, task) => show(task),
          rendererOptions: {outputBar: 1},
        },
      ],
      {
        exitOnError: false,
        registerSignalListeners: false,
        forceTTY: true,
        rendererOptions: {logger, showErrorMessage: false},
        fallbackRendererOptions: {logger},
      },
    )
    this.#painted = list.run().catch(() => undefined)
    this.#timer = setInterval(() => {
      this.#repaint()
    }, REPAINT_EVERY_MS)
  }

  #repaint(): void {
    if (this.#task === undefined) return
    this.#task.title = this.#total.text
    const lines = [...this.#running].slice(0, MOST_SHOWN).map(([id, running]) => lineOf(id, running))
    const more = this.#running.size - lines.length
    const notice = this.#notice === '' ? [] : [printable(this.#notice)]
    this.#task.output = [...notice, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
  }

  /** Waits until the last picture stands. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#finish()
    await this.#painted
  }
}

function lineOf(id: string, {bytes, totalBytes, started, told}: Running): string {
  const seconds = (performance.now() - started) / 1000
  const progress = bytes === 0 ? '' : `: ${formatProgress(bytes, totalBytes, seconds)}`
  return printable(`${id}${told === '' ? progress : `: ${told}`}`)
}

import {
  Listr,
  ListrLogger,
  ProcessOutput,
  type ListrTaskWrapper,
  type DefaultRenderer,
  type SimpleRenderer,
} from 'listr2'
import ora, {type Ora} from 'ora'
import type {Parts} from '../model/events.js'
import {formatStep} from './step-text.js'

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

interface Settle {
  readonly resolve: (summary: string) => void
  readonly reject: (error: Error) => void
}

/** One step: what is known of it, and how it ends. */
class LiveStep {
  readonly id: string
  readonly finished: Promise<string>
  readonly #title: string
  readonly #totalBytes: number | undefined
  readonly #started = performance.now()
  readonly #settle: Settle
  #bytes = 0
  #parts: Parts | undefined
  #task: Task | undefined

  constructor(id: string, title: string, totalBytes: number | undefined) {
    this.id = id
    this.#title = title
    this.#totalBytes = totalBytes
    let settle: Settle = {resolve: () => undefined, reject: () => undefined}
    this.finished = new Promise((resolve, reject) => {
      settle = {resolve, reject}
    })
    // A step may fail before its turn on the screen has come, when nobody waits for it yet.
    this.finished.catch(() => undefined)
    this.#settle = settle
  }

  get title(): string {
    const [bytes, parts, totalBytes, started] = [this.#bytes, this.#parts, this.#totalBytes, this.#started]
    const progress = formatStep({bytes, parts, totalBytes, started})
    return progress === '' ? this.#title : `${this.#title}: ${progress}`
  }

  /** Shows the step until it has ended. */
  async show(task: Task): Promise<void> {
    this.#task = task
    const summary = await this.finished
    task.title = `${this.#title}: ${summary}`
  }

  progress(bytes: number): void {
    this.#bytes = bytes
    this.#repaint()
  }

  part(parts: Parts): void {
    this.#parts = parts
    this.#repaint()
  }

  #repaint(): void {
    if (this.#task !== undefined) this.#task.title = this.title
  }

  succeed(summary: string): void {
    this.#settle.resolve(summary)
  }

  fail(): void {
    this.#settle.reject(new Error(this.#title))
  }
}

/** A list of steps on a terminal, painted by listr2, each below the one before; a spinner of ora until the first. */
export class LiveSteps {
  readonly #stream: NodeJS.WriteStream
  readonly #wait: Ora
  readonly #open = new Map<string, LiveStep>()
  /** The painting of all steps so far, one after the other: two painters at once would scramble the screen. */
  #painted: Promise<unknown> = Promise.resolve()

  constructor(title: string, stream: NodeJS.WriteStream) {
    this.#stream = stream
    // Left to itself, ora takes stdin over, which may be the archive that is read.
    this.#wait = ora({text: title, stream, discardStdin: false}).start()
  }

  begin(id: string, title: string, totalBytes: number | undefined): void {
    this.#wait.stop()
    const step = new LiveStep(id, title, totalBytes)
    this.#open.set(id, step)
    this.#painted = this.#painted.then(() => this.#paint(step))
  }

  progress(id: string, bytes: number): void {
    this.#open.get(id)?.progress(bytes)
  }

  part(id: string, parts: Parts): void {
    this.#open.get(id)?.part(parts)
  }

  done(id: string, summary: string): void {
    this.#open.get(id)?.succeed(summary)
    this.#open.delete(id)
  }

  /** Marks what is still running as failed (or done) and waits until the last picture stands. */
  async end(failed: boolean): Promise<void> {
    this.#wait.stop()
    for (const step of this.#open.values()) {
      if (failed) step.fail()
      else step.succeed('done')
    }
    this.#open.clear()
    await this.#painted
  }

  #paint(step: LiveStep): Promise<unknown> {
    // listr2 prints to stdout unless told otherwise, and its own signal handler would exit before anything is cleaned up.
    const logger = new ListrLogger<never>({processOutput: new ProcessOutput(this.#stream, this.#stream)})
    const list = new Listr<unknown>([{title: step.title, task: (_, task) => step.show(task)}], {
      exitOnError: false,
      registerSignalListeners: false,
      forceTTY: true,
      rendererOptions: {logger, showErrorMessage: false},
      fallbackRendererOptions: {logger},
    })
    return list.run().catch(() => undefined)
  }
}

import {setImmediate} from 'node:timers/promises'
import {styleText} from 'node:util'
import {Command, Errors, Flags, type Interfaces} from '@oclif/core'
import type {RunFacts} from '../batch/batch-report.js'
import type {BatchWorkOptions} from '../batch/batch-event.js'
import type {TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {hidePasswords} from '../model/hidden-password.js'
import {printable} from '../model/printable.js'
import {startBatchProgress} from './start-batch-progress.js'
import {markTold, watchStdout} from './broken-stdout.js'
import {defaultableFlags, findConfigPlace, readConfig} from './config-file.js'
import {blameDefault, findDefaults, type DefaultableFlags, type FlagDefault} from './flag-defaults.js'
import {DebugLog, debugFileOf} from './debug-log.js'
import {asFailure, documentFailure, formatFailure} from './failure.js'
import {Interrupts} from './interrupts.js'
import type {TableView} from './table-view.js'
import {isPossible, suggestMeant, withSuggestions} from './mistypes.js'
import {runFacts} from './run-facts.js'
import {canRepaint, messageOf, startProgress} from './progress.js'

const INTERRUPTED_EXIT = 130

type Parsed = Record<string, unknown>

interface GlobalFlags {
  readonly quiet: boolean
  readonly verbose: boolean
  readonly 'no-color': boolean
}

/** What a command passes on to its work beside the options of its flags. */
type RunOptions = Required<Pick<WorkOptions, 'signal' | 'onEvent'>>

/**
 * What every command shares: the global flags, one signal that Ctrl-C aborts, progress on stderr, and errors told in one
 * way with their exit code.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    quiet: Flags.boolean({char: 'q', summary: 'Print only results and errors.', helpGroup: 'GLOBAL'}),
    verbose: Flags.boolean({
      char: 'v',
      summary: 'Print full progress, and the causes and stack traces of errors.',
      helpGroup: 'GLOBAL',
      exclusive: ['quiet'],
    }),
    'no-color': Flags.boolean({summary: 'Turn off colour, like NO_COLOR.', helpGroup: 'GLOBAL'}),
    debug: Flags.string({
      summary: 'Append a log for support to this file: versions, requests, locks, decisions, errors; no passwords.',
      helpValue: 'FILE',
      helpGroup: 'GLOBAL',
    }),
    'no-config': Flags.boolean({
      summary: 'Ignore the configuration file; `transship config` shows it.',
      helpGroup: 'GLOBAL',
    }),
  }

  readonly #interrupts = new Interrupts()
  #hasBegunOutput = false
  #endsWhenStopped = false
  #log: DebugLog | undefined
  #defaults: readonly FlagDefault[] = []
  #view: TableView = {}
  #typed: readonly string[] = []
  #globals: GlobalFlags = {quiet: false, verbose: false, 'no-color': false}

  protected override async init(): Promise<void> {
    await super.init()
    watchStdout()
    await this.#addDefaults()
    this.#interrupts.listen()
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.#interrupts.close()
    this.#tellLateInterrupt(error)
    this.#log?.write('end', `exit ${String(process.exitCode ?? 0)}, ${memoryText()}`)
    this.#log?.close()
    await super.finally(error)
  }

  protected override async parse<F extends Parsed, B extends Parsed, A extends Parsed>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse<F, B, A>(options, argv).catch((error: unknown) => {
      throw blameDefault(error, this.#defaults)
    })
    const flags: Parsed = parsed.flags
    const isOn = (name: string) => flags[name] === true
    this.#globals = {quiet: isOn('quiet'), verbose: isOn('verbose'), 'no-color': isOn('no-color')}
    const {columns, sort} = flags
    this.#view = {
      isWhole: isOn('no-trunc'),
      ...(isOn('no-trunc') ? {} : widthOf(process.stdout)),
      ...(Array.isArray(columns) ? {columns: columns.map(String)} : {}),
      ...(typeof sort === 'string' ? {sort} : {}),
    }
    return parsed
  }

  /** Aborts on Ctrl-C; for what waits outside of `showing`. */
  get signal(): AbortSignal {
    return this.#interrupts.signal
  }

  /** Runs a piece of work and shows on stderr what it tells. `work` gets the signal and the listener to pass on. */
  protected async showing<T>(title: string, work: (run: RunOptions) => Promise<T>): Promise<T> {
    const stream = process.stderr
    const mode = this.#globals.quiet || this.jsonEnabled() ? 'silent' : canRepaint(stream) ? 'live' : 'lines'
    const progress = await startProgress({title: hidePasswords(title), mode, stream, verbose: this.#globals.verbose})
    let failed = true
    try {
      const result = await work({
        signal: this.signal,
        onEvent: (event) => {
          this.#log?.event(event)
          progress.onEvent(event)
        },
      })
      failed = false
      return result
    } finally {
      await progress.end(failed)
    }
  }

  /** Like `showing`, for a batch: every item that runs, and the total. What has no end in sight is told in lines. */
  protected async showingBatch<T>(
    work: (run: Required<BatchWorkOptions>) => Promise<T>,
    {isEndless = false}: {readonly isEndless?: boolean} = {},
  ): Promise<T> {
    const stream = process.stderr
    const isLive = canRepaint(stream) && !isEndless
    const shown = this.jsonEnabled() ? 'warnings' : isLive ? 'live' : 'lines'
    const mode = this.#globals.quiet ? 'silent' : shown
    const progress = await startBatchProgress({mode, stream, verbose: this.#globals.verbose})
    try {
      return await work({
        signal: this.signal,
        onEvent: (event) => {
          this.#log?.event(event)
          progress.onEvent(event)
        },
      })
    } finally {
      await progress.end()
    }
  }

  /** Like `showing`, for work whose bytes go to stdout while it runs: messages only, as a repainted line would mix in. */
  protected async streaming(
    work: (run: RunOptions) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    const mode = this.#globals.quiet ? 'silent' : 'lines'
    const progress = await startProgress({title: '', mode, stream: process.stderr, verbose: this.#globals.verbose})
    const chunks = work({
      signal: this.signal,
      onEvent: (event) => {
        this.#log?.event(event)
        progress.onEvent(event)
      },
    })
    await writeToStdout(await chunks)
  }

  /**
   * Runs a piece of work whose notes are part of what it found: all are told on stderr when it has ended, whatever the
   * flags, since a result without them would say too much. `tell` takes them out of the events.
   */
  protected async tellingNotes(
    work: (tell: (next: Required<WorkOptions>['onEvent']) => Required<WorkOptions>['onEvent']) => Promise<void>,
  ): Promise<void> {
    const messages = new Set<string>()
    try {
      await work((next) => (event) => {
        if (event.kind === 'note') messages.add(messageOf(event))
        else next(event)
      })
    } finally {
      for (const message of messages) process.stderr.write(`${printable(message)}\n`)
    }
  }

  /** Writes a result to stdout piece by piece while it is made, `--json` documents too; ends when the work is aborted. */
  protected async writing(pieces: Iterable<string | Uint8Array>): Promise<void> {
    this.#hasBegunOutput = true
    await writeToStdout(batches(pieces, this.signal))
  }

  /** How tables are shown: as wide as the terminal of stdout, whole where there is none, and as `table-flags.ts` says. */
  protected get view(): TableView {
    return this.#view
  }

  /** What a report says of this run. */
  protected runFacts(title: string | undefined): RunFacts {
    const command = (this.id ?? '').split(':')
    return runFacts(this.config.version, command, {argv: this.#typed, title})
  }

  /** Prints a result, which may have several lines, unless `--json` prints it as a document. */
  protected print(text: string): void {
    if (text !== '') this.log(text)
  }

  /** Prints a result where stdout carries the bytes that were made. */
  protected printBeside(text: string): void {
    if (text !== '' && !this.#globals.quiet) process.stderr.write(`${text}\n`)
  }

  /** The work is done and has findings: exit 1. */
  protected found(): void {
    process.exitCode = 1
  }

  /** After an interrupt, exit 130: told as an error, but for `--json`, whose one document is what was done until then. */
  protected requireUninterrupted(): void {
    const {signal} = this
    if (!signal.aborted) return
    if (!this.jsonEnabled()) signal.throwIfAborted()
    process.exitCode = this.asFailure(signal.reason).exitCode
  }

  /** For work that has no end of its own: to be interrupted is how it ends well. */
  protected endsWhenStopped(): void {
    this.#endsWhenStopped = true
  }

  /** Anything thrown as the error that is told. */
  protected asFailure(error: unknown): TransshipError {
    const failure = asFailure(error, this.signal, this.id?.replaceAll(':', ' ') ?? '')
    const flags = {...this.ctor.baseFlags, ...this.ctor.flags}
    const {suggestions} = failure
    const possible = suggestions.filter((suggestion) => isPossible(suggestion, flags))
    const meant = suggestMeant(error, flags)
    const isSame = meant.length === 0 && possible.length === suggestions.length
    return isSame ? failure : withSuggestions(failure, [...meant, ...possible])
  }

  protected override catch(error: Error): Promise<void> {
    if (error instanceof Errors.ExitError) throw error
    const failure = this.asFailure(error)
    process.exitCode = failure.exitCode
    this.#log?.write('error', formatFailure(failure, {verbose: true, red: (text) => text}).trimEnd())
    // A second document behind half of one would be neither.
    if (this.jsonEnabled() && !this.#hasBegunOutput) {
      this.logJson(documentFailure(failure))
      return Promise.resolve()
    }
    const verbose = this.#globals.verbose || this.argv.includes('--verbose')
    process.stderr.write(formatFailure(failure, {verbose, red: (text) => this.#red(text), ...widthOf(process.stderr)}))
    markTold(failure)
    // oclif ends the process with this code, and prints nothing more.
    throw Object.assign(failure, {oclif: {exit: failure.exitCode}, skipOclifErrorHandling: true})
  }

  /** The environment and the configuration file, as if they had been typed before the flags of the command line. */
  async #addDefaults(): Promise<void> {
    const typed = this.argv
    this.#typed = typed
    try {
      const place = typed.includes('--no-config') ? undefined : findConfigPlace(process.env)
      const config = await readConfig(place, defaultableFlags(this.config))
      const flags = {...this.ctor.baseFlags, ...this.ctor.flags} as DefaultableFlags
      this.#defaults = findDefaults(flags, typed, {env: process.env, config})
      this.argv = [...this.#defaults.flatMap(({argv}) => argv), ...typed]
    } finally {
      // Also with wrong defaults, and with what was typed.
      this.#log = this.#openLog(typed)
      for (const {from, argv} of this.#defaults) this.#log.write('default', `${argv.join(' ')} by ${from}`)
    }
  }

  #openLog(argv: readonly string[]): DebugLog {
    const file = debugFileOf(this.argv, process.env['TRANSSHIP_DEBUG'])
    return new DebugLog(file, {version: this.config.version, command: this.id ?? '', argv})
  }

  #red(text: string): string {
    const isPlain = Boolean(process.env['NO_COLOR']) || this.#globals['no-color'] || this.argv.includes('--no-color')
    return isPlain || !process.stderr.isTTY ? text : styleText(['bold', 'red'], text)
  }

  /** Interrupted too late to stop anything: the result stands, and a script that was to stop must hear of it. */
  #tellLateInterrupt(error: Error | undefined): void {
    if (this.#endsWhenStopped || !this.signal.aborted || error !== undefined) return
    if (process.exitCode === INTERRUPTED_EXIT) return
    process.exitCode = INTERRUPTED_EXIT
    process.stderr.write('Interrupted, but the work was already done. The result is complete.\n')
  }
}

function memoryText(): string {
  return `at most ${String(Math.round(process.resourceUsage().maxRSS / 1024))} MiB of memory`
}

/** Writes at the pace of the reader; a reader that has seen enough (`| head`) ends the writing without an error. */
async function writeToStdout(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const {stdout} = process
  for await (const chunk of chunks) {
    if (stdout.destroyed || stdout.writableEnded) return
    if (!stdout.write(chunk)) await roomIn(stdout)
  }
}

const BATCH_UNITS = 64 * 1024
/** Signals are heard between pieces only. */
const PAUSE_EVERY_MS = 50

/** Joins pieces to larger ones: a line by itself costs more to write than to make. */
async function* batches(pieces: Iterable<string | Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let text = ''
  let paused = performance.now()
  for (const piece of pieces) {
    if (performance.now() - paused > PAUSE_EVERY_MS) {
      await setImmediate()
      signal.throwIfAborted()
      paused = performance.now()
    }
    if (typeof piece === 'string') text += piece
    if (typeof piece === 'string' && text.length < BATCH_UNITS) continue
    if (text !== '') yield Buffer.from(text)
    text = ''
    if (typeof piece !== 'string') yield piece
  }
  if (text !== '') yield Buffer.from(text)
}

function roomIn(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'error'] as const
    const settle = () => {
      for (const event of events) stream.removeListener(event, settle)
      resolve()
    }
    for (const event of events) stream.once(event, settle)
  })
}

/** Columns of a terminal; nothing for anything else, and for a terminal that does not know its size. */
function widthOf({isTTY, columns}: NodeJS.WriteStream): {readonly width?: number} {
  return isTTY && columns > 0 ? {width: columns} : {}
}

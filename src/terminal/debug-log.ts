import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {closeSync, constants, fstatSync, openSync, writeSync} from 'node:fs'
import {release, totalmem, version as osVersion, availableParallelism} from 'node:os'
import {fillBuffer} from '../disk/fill-buffer.js'
import {hidePasswords} from '../model/hidden-password.js'
import type {WorkEvent} from '../model/events.js'
import {printableLines} from '../model/printable.js'
import {SECRET_CHANNEL, TRACE_CHANNEL, type Trace} from '../model/trace.js'
import {shownReference} from '../transports/catalog.js'

/** The first line of every log: a file with another one is somebody's data, and nothing is written behind it. */
const MAGIC = '# transship debug log'

/** A pipe would make the work wait for its reader; a link may lead to what is no log. */
const OPEN_FLAGS =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Only its owner may read it: it names hosts and files. */
const MODE = 0o600

/** A word this short is in any text. */
const LEAST_SECRET = 3

/** Environment variables that change what transship does. */
const TOLD_VARIABLES =
  /^(?:TRANSSHIP_.*|DOCKER_(?:HOST|CONTEXT|CONFIG|CERT_PATH|TLS_VERIFY)|CONTAINER_HOST|CONTAINERD_ADDRESS|REGISTRY_AUTH_FILE|(?:https?|no|all)_proxy|SOURCE_DATE_EPOCH|NO_COLOR|FORCE_COLOR|CI|TERM|LANG|LC_ALL|TZ|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|TMPDIR|TEMP)$/i

/** Variables whose value is a secret, such as the password of a queue. */
const SECRET_VARIABLE = /PASSWORD|SECRET|TOKEN|CREDENTIAL/i

export interface DebugRun {
  readonly version: string
  readonly command: string
  readonly argv: readonly string[]
}

/**
 * One readable log to send to support. It is appended to the file, each line with its time; credentials are masked. What
 * goes wrong with the file is told once on stderr, and the work goes on without the log.
 */
export class DebugLog {
  readonly #file: string
  readonly #started = performance.now()
  readonly #secrets = new Set<string>()
  #fd: number | undefined

  readonly #onTrace = (message: unknown) => {
    const {topic, text} = message as Trace
    this.write(topic, text)
  }

  readonly #onSecret = (message: unknown) => {
    if (typeof message === 'string' && message.length >= LEAST_SECRET) this.#secrets.add(message)
  }

  /** `file` undefined: no log, and every call does nothing. */
  constructor(file: string | undefined, run: DebugRun) {
    this.#file = file ?? ''
    if (file === undefined) return
    this.#attempt(() => {
      this.#fd = openLog(file)
      subscribe(TRACE_CHANNEL, this.#onTrace)
      subscribe(SECRET_CHANNEL, this.#onSecret)
    })
    this.#head(run)
  }

  /** An event of the work; how far it is would only fill the log. */
  event(event: WorkEvent | {readonly kind: string}): void {
    if (this.#fd === undefined || event.kind === 'progress' || event.kind === 'part') return
    const {kind, ...facts} = event
    this.write(kind, JSON.stringify(facts))
  }

  write(topic: string, text: string): void {
    const fd = this.#fd
    if (fd === undefined) return
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(3)
    const lines = printableLines(this.#masked(text)).replaceAll('\n', '\n    ')
    this.#attempt(() => {
      writeSync(fd, `${new Date().toISOString()} +${seconds.padStart(7)} ${topic.padEnd(8)} ${lines}\n`)
    })
  }

  close(): void {
    unsubscribe(TRACE_CHANNEL, this.#onTrace)
    unsubscribe(SECRET_CHANNEL, this.#onSecret)
    const fd = this.#fd
    this.#fd = undefined
    if (fd === undefined) return
    try {
      closeSync(fd)
    } catch {
      // A file server may tell only now that it has lost what was written; it is told as any other failure of the log.
      this.#tell('It could not be closed.')
    }
  }

  #head({version, command, argv}: DebugRun): void {
    const {platform, arch, versions, pid, env, stdout, stderr} = process
    const told = Object.entries(env).filter(([name]) => TOLD_VARIABLES.test(name))
    this.write('start', `transship ${version}, node ${versions.node}, ${platform}-${arch}, process ${String(pid)}`)
    this.write(
      'host',
      `${osVersion()} (${release()}), ${String(availableParallelism())} processors, ${String(Math.round(totalmem() / 2 ** 20))} MiB, ` +
        `stdout ${terminalOf(stdout)}, stderr ${terminalOf(stderr)}`,
    )
    this.write('command', JSON.stringify([...command.split(':'), ...argv.map(maskedArgument)]))
    this.write('folder', process.cwd())
    for (const [name, value = ''] of told) if (SECRET_VARIABLE.test(name)) this.#onSecret(value)
    for (const [name, value = ''] of told.sort()) this.write('env', `${name}=${maskedArgument(value)}`)
  }

  #masked(text: string): string {
    let masked = hidePasswords(text)
    for (const secret of this.#secrets) masked = masked.replaceAll(secret, '***')
    return masked
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#fd = undefined
      this.#tell(error instanceof Error ? error.message : String(error))
    }
  }

  #tell(why: string): void {
    const text = `Warning: transship cannot write the debug log '${this.#file}', and continues without it. ${why}`
    process.stderr.write(`${printableLines(hidePasswords(text))}\n`)
  }
}

/** An option is masked in its value; a proxy may be written without its scheme. */
export function maskedArgument(text: string): string {
  const [, flag = '', value = text] = /^(--[\w-]+=)([^]*)$/.exec(text) ?? []
  return flag + shownReference(value).replace(/^[^\s/@:]+:[^\s/@]+@(?=[^\s/@]+$)/, '***@')
}

function terminalOf({isTTY, columns}: NodeJS.WriteStream): string {
  return isTTY ? `terminal of ${String(columns)} columns` : 'no terminal'
}

/** Opens a new log, or one of ours to append to. Throws what the system says, or why it is no log. */
function openLog(file: string): number {
  const fd = openSync(file, OPEN_FLAGS, MODE)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new Error('It is not a regular file.')
    for (const other of [1, 2]) if (isSame(stats, other)) throw new Error('It carries the output of the command.')
    if (stats.size === 0) writeSync(fd, `${MAGIC}\n`)
    else {
      const head = Buffer.alloc(MAGIC.length)
      fillBuffer(fd, head, 0)
      if (head.toString('latin1') !== MAGIC) throw new Error('It exists and is not a debug log. Name another file.')
    }
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function isSame({dev, ino}: {readonly dev: number; readonly ino: number}, fd: number): boolean {
  try {
    const other = fstatSync(fd)
    return other.isFile() && other.dev === dev && other.ino === ino
  } catch {
    return false
  }
}

/** The file of `--debug`, also where the rest of the command line cannot be parsed. */
export function debugFileOf(argv: readonly string[], fallback: string | undefined): string | undefined {
  const end = argv.indexOf('--')
  const own = end === -1 ? argv : argv.slice(0, end)
  const at = own.findLastIndex((arg) => arg === '--debug' || arg.startsWith('--debug='))
  const arg = own[at]
  const given = arg === '--debug' ? own[at + 1] : arg?.slice('--debug='.length)
  const file = given === undefined || given === '' ? fallback : given
  return file === '' ? undefined : file
}

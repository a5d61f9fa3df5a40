import {mkdirSync} from 'node:fs'
import path from 'node:path'
import type {WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import {formatFullName} from '../../model/package-identity.js'
import type {LoneLayer, PackageDraft} from '../../model/transport.js'
import type {Crew} from '../../workers/crew.js'
import {writeLonePayload, type LonePayload} from './lone-payload.js'
import {WRITE_PAYLOAD, type WritePayloadNews} from './write-task.js'

interface Begun {
  /** Of the package. */
  readonly folder: string
  readonly payload: Promise<LonePayload | undefined>
  /** Tells what was heard so far, and from now on at once. */
  readonly listen: () => void
}

/**
 * Payloads that are written before it is their package's turn, side by side, each from its layer alone. What is told of
 * them waits for that turn.
 */
export class BegunPayloads {
  readonly #crew: Crew
  readonly #isForFile: boolean
  #stop = new AbortController()
  readonly #begun = new Map<LoneLayer, Begun>()
  /** Those under way, taken or not. */
  readonly #running = new Set<Promise<unknown>>()

  constructor(crew: Crew, {isForFile}: {readonly isForFile: boolean}) {
    this.#crew = crew
    this.#isForFile = isForFile
  }

  has(lone: LoneLayer): boolean {
    return this.#begun.has(lone)
  }

  /** Begins to write the payload of a draft below a folder that is empty. */
  begin(draft: PackageDraft, lone: LoneLayer, within: string, options: WorkOptions): void {
    const {metadata, form, keepRecipe, pins = 'none'} = draft
    // What lies beside the payload is written when it is the package's turn.
    const {document: _document, attachments: _attachments, ...told} = metadata
    const folder = path.join(within, formatFullName(metadata.identity))
    mkdirSync(folder)
    const input = {
      folder,
      draft: {metadata: told, form, keepRecipe, pins},
      layer: lone.inFile,
      isLowest: lone.isLowest,
      isForFile: this.#isForFile,
    }
    const limits = unpackOptions(options)
    const stop = this.#stop.signal
    const signal = options.signal === undefined ? stop : AbortSignal.any([options.signal, stop])
    const heard: WritePayloadNews[] = []
    let isListening = false
    const tell = (news: WritePayloadNews) => {
      if (!isListening) heard.push(news)
      else if ('event' in news) options.onEvent?.(news.event)
      else lone.onRead(news.readBytes)
    }
    const payload = this.#crew.run({
      task: WRITE_PAYLOAD,
      input: {...input, limits},
      weightBytes: lone.inFile.range.length,
      signal,
      onTold: (message) => {
        tell(message as WritePayloadNews)
      },
      here: () =>
        writeLonePayload(input, {
          ...limits,
          signal,
          onEvent: (event) => {
            tell({event})
          },
          onRead: (readBytes) => {
            tell({readBytes})
          },
        }),
    })
    // Who begins it hears of a failure when it is the package's turn.
    this.#running.add(payload)
    payload.catch(() => undefined)
    const listen = () => {
      isListening = true
      for (const news of heard.splice(0)) tell(news)
    }
    this.#begun.set(lone, {folder, payload, listen})
  }

  /** What was begun for a draft, for whoever writes its package; undefined where nothing was. */
  take({lone}: PackageDraft): Begun | undefined {
    const begun = lone === undefined ? undefined : this.#begun.get(lone)
    if (lone !== undefined) this.#begun.delete(lone)
    begun?.listen()
    return begun
  }

  /** Gives up what is under way, and waits for the end of it. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#begun.clear()
    await Promise.allSettled(this.#running)
    this.#running.clear()
    // The next image begins with others.
    this.#stop = new AbortController()
  }
}

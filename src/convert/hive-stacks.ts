import {UnsupportedError} from '../model/errors.js'
import {contentOf} from '../model/content.js'
import type {WorkOptions} from '../model/events.js'
import type {FileEntry, LayerEntry} from '../model/layer-entry.js'
import {findHive, foldPath} from '../model/layer-path.js'

interface StackedHive {
  readonly entry: FileEntry
  readonly bytes: Uint8Array
  readonly layer: number
}

/** Far above any real delta; a bound for hostile input. */
const MAX_HIVE_BYTES = 512 * 2 ** 20

/** Collects the hives of squashed layers, top layer first, and makes one of each. */
export class HiveStacks {
  readonly #options: WorkOptions & {readonly isBase: boolean}
  readonly #stacks = new Map<string, StackedHive[]>()

  constructor(options: WorkOptions & {readonly isBase: boolean}) {
    this.#options = options
  }

  /** A file of a layer's `Hives` folder. */
  async add(entry: FileEntry, layer: number): Promise<void> {
    const key = foldPath(entry.path)
    const stack = this.#stacks.get(key) ?? []
    stack.push({entry, layer, bytes: await readBounded(entry)})
    this.#stacks.set(key, stack)
  }

  /** One entry for each hive. */
  *entries(): Generator<LayerEntry> {
    for (const stack of this.#stacks.values()) {
      const [top] = stack
      if (top === undefined) continue
      const contents = new Set(stack.map((hive) => Buffer.from(hive.bytes).toString('latin1')))
      if (findHive(top.entry.path)?.form === 'delta' && (contents.size > 1 || this.#options.isBase)) throw conflict(top)
      const {frame: _frame, ...entry} = top.entry
      yield {...entry, content: contentOf(top.bytes)}
    }
  }
}

async function readBounded(entry: FileEntry): Promise<Uint8Array> {
  if (entry.content === undefined) return new Uint8Array()
  if (entry.content.bytes !== undefined) return Uint8Array.from(entry.content.bytes)
  if (entry.content.size > MAX_HIVE_BYTES) {
    throw new UnsupportedError('LIMIT_EXCEEDED', {what: `The hive '${entry.path}' is larger than 512 MiB.`})
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of entry.content.open()) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

function conflict(hive: StackedHive): UnsupportedError {
  return new UnsupportedError('HIVE_CONFLICT', {
    what: `Several of the layers change the registry hive '${hive.entry.path}'.`,
    why: 'Composing registry deltas is not there yet, and taking one of them would lose the others.',
    suggestions: ['Use --layers chain, which keeps every layer as it is.'],
    at: {path: hive.entry.path},
  })
}

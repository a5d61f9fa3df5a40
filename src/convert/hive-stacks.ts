import {contentOf} from '../model/content.js'
import {UnsupportedError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {FileEntry} from '../model/layer-entry.js'
import {foldPath, HIVE_NAMES, type HiveName, type LayerPath} from '../model/layer-path.js'
import {holdStreams, readHeld} from '../model/held-file.js'
import {findHiveRole, type HiveRole} from '../model/hive-role.js'
import {HiveStack} from './hive-stack.js'
import {MAX_HIVE_BYTES} from '../codecs/registry-hive/open-hive.js'

/** All hives held of one range: those of a full server and the deltas of its layers are far smaller. */
const MAX_HELD_BYTES = 2 * 2 ** 30

export interface HiveStacksOptions extends WorkOptions {
  /** The result stands alone: deltas are folded into the whole hives of its lowest layer. */
  readonly isBase: boolean
  /** Index of that layer. */
  readonly lowest: number
}

/**
 * Collects the hives of squashed layers, top layer first, and makes one of each: deltas are composed, or folded into the
 * whole hive that they change, which is a file of the OS (`config\SYSTEM`) or a hive of the layer (`Hives\System_Base`).
 */
export class HiveStacks {
  readonly #options: HiveStacksOptions
  readonly #stacks: ReadonlyMap<HiveName, HiveStack>
  /** What else lies among the hives: folded path -> the topmost of that name. */
  readonly #others = new Map<string, FileEntry>()
  #heldBytes = 0

  constructor(options: HiveStacksOptions) {
    this.#options = options
    this.#stacks = new Map(HIVE_NAMES.map((name) => [name, new HiveStack(options)]))
  }

  /** A file of a layer's `Hives` folder. */
  async add(entry: FileEntry, layer: number): Promise<void> {
    const role = findHiveRole(entry.path)
    if (role !== undefined) await this.#hold(role, entry, layer)
    else if (!this.#others.has(foldPath(entry.path))) {
      const bytes = await this.#read(entry)
      this.#others.set(foldPath(entry.path), {...(await held(entry)), content: contentOf(bytes)})
    }
  }

  /**
   * Takes a visible file of the OS if it is a hive that the layers above change, or a log of one; false when it is to be
   * passed on as it is.
   */
  async takeConfig(entry: FileEntry, layer: number): Promise<boolean> {
    const role = findHiveRole(entry.path)
    if (role?.form !== 'config' || !this.#options.isBase) return false
    const stack = this.#stacks.get(role.name)
    if (stack !== undefined && layer > this.#options.lowest) {
      if (role.part === 'hive' && entry.content !== undefined && entry.content.size > 0) stack.replaceConfig(entry.path)
      return false
    }
    if (stack?.hasDeltas !== true) return false
    await this.#hold(role, entry, layer)
    return true
  }

  /** A hive of the OS that is only a further name of a file cannot be written anew, nor that file without it. */
  requireOwnName(path: LayerPath, target: LayerPath): void {
    const role = findHiveRole(path)
    if (role?.form !== 'config' || role.part !== 'hive' || !this.#options.isBase) return
    const changed = [role, findHiveRole(target)].some(
      (each) => each?.form === 'config' && this.#stacks.get(each.name)?.hasDeltas === true,
    )
    if (!changed) return
    throw new UnsupportedError('HIVE_CONFLICT', {
      what: `The hive '${path}' is a hard link to '${target}', and layers change one of them as a hive.`,
      why: 'Merging the changes into it would change the other name of the file as well.',
      suggestions: ['Pass --layers chain to keep every layer as it is.'],
      at: {path},
    })
  }

  /** One entry for each hive. */
  *entries(): Generator<FileEntry> {
    for (const stack of this.#stacks.values()) yield* stack.entries(this.#options.isBase)
    yield* this.#others.values()
  }

  async #hold({name, form, part}: HiveRole, entry: FileEntry, layer: number): Promise<void> {
    const stack = this.#stacks.get(name)
    // Stale once the hive is written anew: Windows might take the log of transactions for that of the new file.
    if (stack === undefined || part === 'transactions') return
    const bytes = await this.#read(entry)
    if (part === 'log') stack.addLog(form, layer, bytes)
    else stack.add(form, {entry: await held(entry), bytes, layer})
  }

  async #read(entry: FileEntry): Promise<Buffer> {
    const bytes = await readHeld(entry, MAX_HIVE_BYTES)
    this.#heldBytes += bytes.byteLength
    if (this.#heldBytes > MAX_HELD_BYTES) {
      throw new UnsupportedError('LIMIT_EXCEEDED', {
        what: `The registry hives of these layers exceed ${MAX_HELD_BYTES} bytes.`,
        at: {path: entry.path},
      })
    }
    return bytes
  }
}

/** The entry without its content, which has been read. */
async function held(entry: FileEntry): Promise<FileEntry> {
  const {content: _content, frame: _frame, ...rest} = entry
  return holdStreams(rest)
}

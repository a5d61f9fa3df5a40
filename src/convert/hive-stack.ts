import {findSealedBlock, LAYERED_MINOR, mayNeedLogs} from '../codecs/registry-hive/base-block.js'
import {encodeHive} from '../codecs/registry-hive/encode-hive.js'
import type {HiveFile} from '../codecs/registry-hive/hive-file.js'
import type {HiveKey} from '../codecs/registry-hive/hive-key.js'
import {compose, flatten, type LayeringOptions} from '../codecs/registry-hive/layered-keys.js'
import {contentOf} from '../model/content.js'
import {InputError, UnsupportedError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import type {FileEntry} from '../model/layer-entry.js'
import type {LayerPath} from '../model/layer-path.js'
import type {HiveForm} from '../model/hive-role.js'
import {MAX_HIVE_BYTES, openHive} from '../codecs/registry-hive/open-hive.js'

/** A hive of one layer, held back. */
export interface HeldHive {
  readonly entry: FileEntry
  readonly bytes: Uint8Array
  readonly layer: number
}

export interface HiveStackOptions extends WorkOptions {
  /** Read hives that were not written to their end as they are, whatever their logs hold. */
  readonly ignoreLogs?: boolean
}

/** What the layers of a range say about one hive. */
export class HiveStack {
  readonly #options: HiveStackOptions
  /** Top layer first. */
  readonly #deltas: HeldHive[] = []
  /** The topmost whole hive of each form. */
  readonly #wholes = new Map<HiveForm, HeldHive>()
  /** `form:layer` -> logs beside that hive. */
  readonly #logs = new Map<string, Uint8Array[]>()

  #replacedConfig: LayerPath | undefined

  constructor(options: HiveStackOptions) {
    this.#options = options
  }

  /** True when a delta has been met; one of no bytes says nothing. */
  get hasDeltas(): boolean {
    return this.#deltas.some((delta) => delta.bytes.byteLength > 0)
  }

  /** Called top layer first. */
  add(form: HiveForm, hive: HeldHive): void {
    if (form === 'delta') this.#deltas.push(hive)
    else if (!this.#wholes.has(form)) this.#wholes.set(form, hive)
  }

  addLog(form: HiveForm, layer: number, bytes: Uint8Array): void {
    const key = `${form}:${layer}`
    this.#logs.set(key, [...(this.#logs.get(key) ?? []), bytes])
  }

  /** A layer above the OS holds the hive as an ordinary file. */
  replaceConfig(path: LayerPath): void {
    this.#replacedConfig ??= path
  }

  /** The hives of the result: whole ones with the deltas above them folded in, and the one delta where it still matters. */
  *entries(isBase: boolean): Generator<FileEntry> {
    if (isBase && this.hasDeltas && this.#replacedConfig !== undefined) throw replaced(this.#replacedConfig)
    let isFolded = false
    for (const [form, whole] of this.#wholes) {
      const folded = this.#fold(form, whole)
      isFolded ||= folded !== undefined
      yield folded ?? this.#completed(form, whole)
    }
    if (isBase && isFolded) return
    const delta = this.#composed()
    if (delta === undefined) return
    if (isBase && this.hasDeltas) {
      this.#note(
        'hive-without-base',
        'No full hive exists to merge the changes into, so they stay a delta.',
        delta.path,
      )
    }
    yield delta
  }

  /** Undefined when nothing changes the hive, or when it is one of no bytes, which some tools write for none. */
  #fold(form: HiveForm, whole: HeldHive): FileEntry | undefined {
    const deltas = this.#deltas.filter((delta) => delta.layer >= whole.layer && delta.bytes.byteLength > 0)
    const [top] = deltas
    if (top === undefined || whole.bytes.byteLength === 0) return undefined
    const {base, root} = this.#flattened(form, whole, deltas)
    const bytes = encodeHive(root, {
      // A whole hive marks no layers, so that its version must not say that it does.
      minorVersion: Math.min(base.header.minorVersion, LAYERED_MINOR - 1),
      isLayered: false,
      lastWritten: base.header.lastWritten,
      fileName: base.header.fileName,
      maxBytes: MAX_HIVE_BYTES,
    })
    // A hive of the layer is as old as its last change; one of the OS's files keeps what it had as a file.
    return withBytes(form === 'config' ? whole.entry : top.entry, whole.entry.path, bytes)
  }

  #flattened(form: HiveForm, whole: HeldHive, deltas: readonly HeldHive[]): {base: HiveFile; root: HiveKey} {
    const base = this.#open(form, whole)
    if (base.isDelta) {
      throw new InputError('HIVE_CONFLICT', {
        what: `The hive '${whole.entry.path}' is a delta, but should be a full hive.`,
        suggestions: ['Pass --layers chain to keep every layer as it is.'],
        at: {path: whole.entry.path},
      })
    }
    const root = deltas.reduceRight<HiveKey>(
      (below, delta) => flatten(below, this.#open('delta', delta).root, this.#layering(delta)),
      base.root,
    )
    return {base, root}
  }

  /** What a container sees, or what the layers change when none of them holds the whole hive; undefined = nothing. */
  seen(): HiveKey | undefined {
    const deltas = this.#deltas.filter((delta) => delta.bytes.byteLength > 0)
    const [whole] = [...this.#wholes]
      .filter(([, hive]) => hive.bytes.byteLength > 0)
      .sort(([, left], [, right]) => right.layer - left.layer)
    if (whole === undefined) return this.#composedRoot(deltas)
    const [form, hive] = whole
    return this.#flattened(
      form,
      hive,
      deltas.filter((delta) => delta.layer >= hive.layer),
    ).root
  }

  /** Left as it is when all layers say the same, so that its bytes stay its own. */
  #composed(): FileEntry | undefined {
    const [top] = this.#deltas
    if (top === undefined) return undefined
    const deltas = this.#deltas.filter((delta) => delta.bytes.byteLength > 0)
    const [first, ...others] = deltas
    if (first === undefined) return verbatim(top)
    if (others.length === 0) return this.#completed('delta', {...first, entry: top.entry})
    const isAlike = others.every((delta) => Buffer.compare(delta.bytes, first.bytes) === 0)
    if (isAlike && !deltas.some((delta) => this.#needsLogs('delta', delta)))
      return withBytes(top.entry, top.entry.path, first.bytes)
    const bottom = this.#open('delta', deltas.at(-1) ?? first)
    const root = this.#composedRoot(deltas) ?? bottom.root
    const {lastWritten, fileName, minorVersion} = bottom.header
    const bytes = encodeHive(root, {minorVersion, isLayered: true, lastWritten, fileName, maxBytes: MAX_HIVE_BYTES})
    return withBytes(top.entry, top.entry.path, bytes)
  }

  #composedRoot(deltas: readonly HeldHive[]): HiveKey | undefined {
    return deltas.reduceRight<HiveKey | undefined>((below, delta) => {
      const {root} = this.#open('delta', delta)
      return below === undefined ? root : compose(below, root, this.#layering(delta))
    }, undefined)
  }

  /** A hive as it is, since its bytes are its own; but one that its logs have to complete, which are not kept, anew. */
  #completed(form: HiveForm, hive: HeldHive): FileEntry {
    if (!this.#needsLogs(form, hive)) return verbatim(hive)
    const {header, root, isDelta} = this.#open(form, hive)
    const {lastWritten, fileName} = header
    const minorVersion = Math.min(header.minorVersion, LAYERED_MINOR - 1)
    const isLayered = form === 'delta' || isDelta
    const bytes = encodeHive(root, {minorVersion, isLayered, lastWritten, fileName, maxBytes: MAX_HIVE_BYTES})
    return withBytes(hive.entry, hive.entry.path, bytes)
  }

  /** True for a hive that was not written to its end and has logs. */
  #needsLogs(form: HiveForm, {bytes, layer}: HeldHive): boolean {
    if (bytes.byteLength === 0 || !this.#logs.has(`${form}:${layer}`)) return false
    return mayNeedLogs(findSealedBlock(bytes))
  }

  #open(form: HiveForm, hive: HeldHive): HiveFile {
    const logs = this.#logs.get(`${form}:${hive.layer}`) ?? []
    return openHive(hive.bytes, {...this.#options, subject: hive.entry.path, logs, isDelta: form === 'delta'})
  }

  #layering({entry}: HeldHive): LayeringOptions {
    return {
      onDroppedClass: (key) => {
        this.#note(
          'hive-class-dropped',
          `The key '${key.name}' replaces one whose class it should inherit.`,
          entry.path,
        )
      },
    }
  }

  #note(code: string, message: string, subject: string): void {
    this.#options.onEvent?.({kind: 'note', code, message, subject})
  }
}

function withBytes(entry: FileEntry, path: LayerPath, bytes: Uint8Array): FileEntry {
  const {frame: _frame, ...rest} = entry
  return {...rest, path, content: contentOf(bytes)}
}

function verbatim({entry, bytes}: HeldHive): FileEntry {
  return withBytes(entry, entry.path, bytes)
}

function replaced(path: LayerPath): UnsupportedError {
  return new UnsupportedError('HIVE_CONFLICT', {
    what: `A layer above the operating system replaces the hive '${path}' as a file, but layers also change it as a hive.`,
    why: 'A container loads the hive of the OS with the changes of each layer, and not that file.',
    suggestions: ['Pass --layers chain to keep every layer as it is.'],
    at: {path},
  })
}

import {HiveFile} from '../codecs/registry-hive/hive-file.js'
import {findKey, type HiveKey} from '../codecs/registry-hive/hive-key.js'
import {sourceOfBytes} from '../codecs/registry-hive/hive-source.js'
import {MAX_HIVE_BYTES} from '../codecs/registry-hive/open-hive.js'
import {findText, ValueType} from '../codecs/registry-hive/value-text.js'
import {TransshipError} from '../model/errors.js'
import type {Note} from '../model/events.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole} from '../model/hive-role.js'
import type {Layer} from '../model/image.js'
import type {LayerEntry} from '../model/layer-entry.js'
import {foldPath} from '../model/layer-path.js'
import type {OpenOptions} from '../model/transport.js'

/** What one layer does to something that Windows runs or shows. */
export interface LayerChange {
  readonly name: string
  /** `changed`: a lower layer has it as well. */
  readonly change: 'added' | 'changed' | 'deleted'
  /** Program of a service, or version and publisher of a program. */
  readonly detail?: string
}

export interface PayloadOfLayer {
  readonly files: number
  readonly folders: number
  readonly deletions: number
  /** Of the unnamed streams of its files. */
  readonly fileBytes: number
  readonly services: readonly LayerChange[]
  readonly tasks: readonly LayerChange[]
  readonly programs: readonly LayerChange[]
}

interface Folder {
  readonly name: string
  readonly children: Map<string, Folder>
  fileBytes: number
}

/** Sizes of files by folder, as all layers so far show them. */
export class FolderSizes {
  readonly #root: Folder = {name: '', children: new Map(), fileBytes: 0}

  /** A file, which takes the place of whatever was there. */
  set(path: string, bytes: number): void {
    let at = this.#root
    for (const part of path.split('/')) {
      const key = part.toUpperCase()
      const next = at.children.get(key) ?? {name: part, children: new Map<string, Folder>(), fileBytes: 0}
      at.children.set(key, next)
      at = next
    }
    at.fileBytes = bytes
    at.children.clear()
  }

  /** Takes what is there away; with `isKept` only what is in it. */
  remove(path: string, isKept: boolean): void {
    const parts = path.toUpperCase().split('/')
    const last = parts.pop() ?? ''
    let at: Folder | undefined = this.#root
    for (const part of parts) at = at?.children.get(part)
    if (isKept) at?.children.get(last)?.children.clear()
    else at?.children.delete(last)
  }

  /** Folders at most so deep, the largest first. One that holds nothing but another folder leaves the line to that one. */
  largest(count: number, depth: number): readonly {readonly path: string; readonly bytes: number}[] {
    const found: {path: string; bytes: number}[] = []
    const visit = (folder: Folder, path: string, level: number): number => {
      const sizes = [...folder.children.values()].map((child) => ({
        isFolder: child.children.size > 0,
        bytes: visit(child, path === '' ? child.name : `${path}/${child.name}`, level + 1),
      }))
      const bytes = sizes.reduce((sum, size) => sum + size.bytes, folder.fileBytes)
      const isOther = level < depth && sizes.some((size) => size.isFolder && size.bytes === bytes)
      const isShown = level > 0 && level <= depth && folder.children.size > 0 && bytes > 0
      if (isShown && !isOther) found.push({path, bytes})
      return bytes
    }
    visit(this.#root, '', 0)
    return found.sort((left, right) => right.bytes - left.bytes || (left.path < right.path ? -1 : 1)).slice(0, count)
  }
}

const TASKS = 'FILES/WINDOWS/SYSTEM32/TASKS/'
const CONTROL_SET = /^ControlSet\d{3}$/i
const UNINSTALL = [
  ['Microsoft', 'Windows', 'CurrentVersion', 'Uninstall'],
  ['Wow6432Node', 'Microsoft', 'Windows', 'CurrentVersion', 'Uninstall'],
]

/** Reads layers base first, and says of each what it adds to those below. What is in a base layer is the system's own. */
export class PayloadReader {
  readonly folders = new FolderSizes()
  readonly notes: Note[] = []
  /** Names in upper case that lower layers have: of services, tasks, programs. */
  readonly #known = {services: new Set<string>(), tasks: new Set<string>(), programs: new Set<string>()}

  /** Reads the layer to its end; its digest and size are checked there. */
  async read(layer: Layer, index: number, options: OpenOptions): Promise<PayloadOfLayer> {
    const seen = {files: 0, folders: 0, deletions: 0, fileBytes: 0}
    const found = {services: [] as LayerChange[], tasks: [] as LayerChange[], programs: [] as LayerChange[]}
    for await (const entry of layer.entries(options)) {
      if (entry.kind === 'frame') continue
      this.#count(entry, seen)
      const folded = foldPath(entry.path)
      const role = entry.kind === 'file' ? findHiveRole(entry.path) : undefined
      if (folded.startsWith(TASKS) && (entry.kind === 'file' || entry.kind === 'tombstone')) {
        const name = entry.path.slice(TASKS.length)
        this.#tell('tasks', {name, isGone: entry.kind === 'tombstone'}, index === 0 ? undefined : found.tasks)
      }
      if (entry.kind !== 'file' || role?.part !== 'hive' || (role.name !== 'System' && role.name !== 'Software'))
        continue
      if ((entry.content?.size ?? 0) === 0) continue
      const bytes = await readHeld(entry, MAX_HIVE_BYTES)
      const isDelta = role.form === 'delta'
      try {
        const {root} = new HiveFile(sourceOfBytes(bytes), {acceptDirty: true})
        if (role.name === 'System') this.#services(root, isDelta ? found.services : undefined)
        else this.#programs(root, isDelta ? found.programs : undefined)
      } catch (error) {
        if (!(error instanceof TransshipError)) throw error
        this.notes.push({code: 'hive-unreadable', message: `${layer.title}: ${error.message}`, subject: entry.path})
      }
    }
    return {...seen, ...found}
  }

  #count(
    entry: Exclude<LayerEntry, {kind: 'frame'}>,
    seen: {files: number; folders: number; deletions: number; fileBytes: number},
  ): void {
    if (entry.kind === 'tombstone' || entry.kind === 'opaque') {
      seen.deletions++
      this.folders.remove(entry.path, entry.kind === 'opaque')
    } else if (entry.kind === 'directory') seen.folders++
    else {
      seen.files++
      // The content of a link is counted where it lies.
      const size = entry.kind === 'file' ? (entry.content?.size ?? 0) : 0
      seen.fileBytes += size
      this.folders.set(entry.path, size)
    }
  }

  /** `into` undefined: of the system itself, and only remembered. */
  #tell(
    kind: 'services' | 'tasks' | 'programs',
    {name, isGone, detail}: {readonly name: string; readonly isGone: boolean; readonly detail?: string | undefined},
    into: LayerChange[] | undefined,
  ): void {
    const known = this.#known[kind]
    const key = name.toUpperCase()
    const change = isGone ? 'deleted' : known.has(key) ? 'changed' : 'added'
    if (isGone) known.delete(key)
    else known.add(key)
    // Each control set names it once.
    if (into === undefined || into.some((other) => other.name.toUpperCase() === key)) return
    into.push({name, change, ...(detail === undefined ? {} : {detail})})
  }

  #services(root: HiveKey, into: LayerChange[] | undefined): void {
    for (const set of root.subkeys().filter(({name}) => CONTROL_SET.test(name)))
      for (const key of findKey(set, ['Services'])?.streamSubkeys() ?? []) {
        const isGone = key.disposition === 'tombstone'
        const detail = textOf(key, 'ImagePath')
        // A delta also has the keys that only lead to what changes below: counters, parameters.
        const isOwn = isGone || detail !== undefined || key.values().some(({name}) => /^(?:Start|Type)$/i.test(name))
        if (isOwn) this.#tell('services', {name: key.name, isGone, detail}, into)
      }
  }

  #programs(root: HiveKey, into: LayerChange[] | undefined): void {
    for (const path of UNINSTALL)
      for (const key of findKey(root, path)?.streamSubkeys() ?? []) {
        const isGone = key.disposition === 'tombstone'
        const name = textOf(key, 'DisplayName')
        if (name === undefined && !isGone) continue
        const facts = [textOf(key, 'DisplayVersion'), textOf(key, 'Publisher')].filter((fact) => fact !== undefined)
        const detail = facts.length === 0 ? undefined : facts.join(', ')
        this.#tell('programs', {name: name ?? key.name, isGone, detail}, into)
      }
  }
}

const TEXTS: ReadonlySet<number> = new Set([ValueType.string, ValueType.expandString])

function textOf(key: HiveKey, name: string): string | undefined {
  const value = key.values().find((each) => each.name.toLowerCase() === name.toLowerCase())
  if (value === undefined || value.isTombstone || !TEXTS.has(value.type)) return undefined
  const text = findText(value.data)
  return text === '' ? undefined : text
}

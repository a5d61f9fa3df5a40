import {copyFileSync, linkSync} from 'node:fs'
import path from 'node:path'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import type {FileEntry, HardLinkEntry} from '../../model/layer-entry.js'
import {missingTarget} from '../../model/layer-names.js'
import {foldPath, type LayerPath} from '../../model/layer-path.js'

export interface LayoutLinksOptions {
  readonly root: string
  /** For messages. */
  readonly title: string
  /** Where the file of that name lies below the root, in whatever case; undefined while there is none. */
  readonly findFile: (entry: LayerPath) => string | undefined
  /** Where a link is to lie; makes its folder. `NAME_COLLISION`, `DUPLICATE_ENTRY` for a name that is taken. */
  readonly place: (entry: HardLinkEntry) => string
  /** The file that the layers below have there. */
  readonly readLower: (target: LayerPath) => FileEntry | undefined
  /** True where files lie without carriers. */
  readonly isPlain: (entry: LayerPath) => boolean
  /** Writes a file of a lower layer in place of a link. */
  readonly copyLower: (file: FileEntry, link: HardLinkEntry) => Promise<void>
  /** Writes a file that lies at a place of this layout once more, in place of a link. */
  readonly copyOwn: (place: string, target: LayerPath, link: HardLinkEntry) => Promise<void>
  /** Told of each link with the name that it shares its file with. */
  readonly onLink: (file: string, target: string) => void
  /** Told of each copy that stands for a link, before `onLink`. */
  readonly onCopy: (file: string, target: string) => void
}

/**
 * Hard links of a transport layout in the making. A name of this layer becomes a real link; one of a lower layer a copy,
 * since a layout stands for itself. What a link means is taken from the link where that was resolved; without, the name as
 * this layer has it so far comes first, then the layers below, then what the layer makes of it later. Between places with
 * carriers and places without, a link is a copy too.
 */
export class LayoutLinks {
  readonly #options: LayoutLinksOptions
  /** Links whose target has not come yet. */
  readonly #pending: HardLinkEntry[] = []
  /** Folded targets of these -> the name as it came. */
  readonly #awaited = new Map<string, LayerPath | undefined>()

  constructor(options: LayoutLinksOptions) {
    this.#options = options
  }

  /** Makes the link, or keeps it for `finish`. */
  async add(entry: HardLinkEntry): Promise<void> {
    const {means, target} = entry
    const own = means === undefined ? target : means.kind === 'own' ? means.path : undefined
    if (own !== undefined && (await this.#link(entry, own))) return
    if (means === undefined || means.kind === 'below') {
      const lower = this.#options.readLower(target)
      if (lower !== undefined) {
        await this.#options.copyLower(lower, entry)
        return
      }
      if (means !== undefined) throw missingTarget(entry, this.#options.title)
    }
    this.#pending.push(entry)
    this.#awaited.set(foldPath(target), undefined)
  }

  /** An entry of that name has been made. */
  made(entry: LayerPath): void {
    if (this.#awaited.size === 0) return
    const folded = foldPath(entry)
    if (this.#awaited.has(folded)) this.#awaited.set(folded, entry)
  }

  /** Links to names that came after them, among which may be other such links. */
  async finish(): Promise<void> {
    for (let pending: readonly HardLinkEntry[] = this.#pending; pending.length > 0;) {
      const left: HardLinkEntry[] = []
      for (const entry of pending) if (!(await this.#link(entry, this.#targetOf(entry)))) left.push(entry)
      const [missing] = left
      if (missing !== undefined && left.length === pending.length) throw missingTarget(missing, this.#options.title)
      pending = left
    }
  }

  #targetOf({means, target}: HardLinkEntry): LayerPath {
    return means?.kind === 'own' ? means.path : (this.#awaited.get(foldPath(target)) ?? target)
  }

  async #link(entry: HardLinkEntry, named: LayerPath): Promise<boolean> {
    const target = this.#options.findFile(named)
    if (target === undefined) return false
    if (this.#options.isPlain(named) !== this.#options.isPlain(entry.path)) {
      await this.#options.copyOwn(target, named, entry)
      return true
    }
    const file = this.#options.place(entry)
    try {
      linkSync(this.#disk(target), this.#disk(file))
    } catch (error) {
      this.#copyInstead(error, target, file)
    }
    this.#options.onLink(file, target)
    return true
  }

  /** File systems without hard links, or with too many of one file, get a copy; the index tells that it is a link. */
  #copyInstead(error: unknown, target: string, file: string): void {
    const place = `${this.#options.title}/${file}`
    if (findSystemCode(error) === 'EEXIST')
      throw new InputError('DUPLICATE_ENTRY', {what: `The layer contains '${place}' twice.`, cause: error})
    if (!['EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(findSystemCode(error) ?? ''))
      throw asTransshipError(error, {path: place})
    copyFileSync(this.#disk(target), this.#disk(file))
    this.#options.onCopy(file, target)
  }

  #disk(place: string): string {
    return path.join(this.#options.root, place)
  }
}

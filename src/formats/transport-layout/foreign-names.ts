import type {WorkOptions} from '../../model/events.js'
import type {LayerPath} from '../../model/layer-path.js'

/** No file system of Windows has a name with one of these. Source: Microsoft, "Naming Files, Paths, and Namespaces". */
const NEVER_ON_WINDOWS = /[<>|?*"]/

/** Names that this system can write and Windows cannot: told once, since a layout is made to go there. */
export class ForeignNames {
  #first: LayerPath | undefined
  #count = 0

  meet(path: LayerPath): void {
    if (!NEVER_ON_WINDOWS.test(path)) return
    this.#first ??= path
    this.#count++
  }

  tell({onEvent}: WorkOptions): void {
    if (this.#first === undefined) return
    const more =
      this.#count === 1 ? '' : ` ${this.#count - 1} more ${this.#count === 2 ? 'entry is' : 'entries are'} like it.`
    onEvent?.({
      kind: 'note',
      code: 'name-not-on-windows',
      message: `Windows cannot create this name, as it holds one of < > | ? * ". It is written here as it is.${more}`,
      subject: this.#first,
    })
  }
}

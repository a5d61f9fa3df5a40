import {ItemTag} from '../../codecs/wim/tagged-items.js'
import type {WimEntry} from '../../codecs/wim/entry.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerPath} from '../../model/layer-path.js'

/** What a WIM may say of a file that no layer can hold, and how it is told. */
const MESSAGES = {
  'short-name': 'Layers cannot store short names (8.3).',
  'object-id': 'Layers cannot store object IDs.',
  'unix-data': 'Layers cannot store the owner and mode of Unix files.',
  'unknown-item': 'The entry has an item that transship does not know.',
  'descriptor-missing': 'The image lacks the security descriptor of this entry.',
} as const
export type WimLossCode = keyof typeof MESSAGES

const ITEM_LOSSES: ReadonlyMap<number, WimLossCode | undefined> = new Map([
  [ItemTag.objectId, 'object-id'],
  [ItemTag.extendedAttributes, undefined],
  [ItemTag.unixData, 'unix-data'],
  [ItemTag.linuxAttributes, 'unix-data'],
])

/** Counts losses by kind: an image has short names by the ten thousand, and one line each kind is enough. */
export class WimLosses {
  readonly #found = new Map<WimLossCode, {readonly first: LayerPath; count: number}>()

  add(code: WimLossCode, path: LayerPath): void {
    const known = this.#found.get(code)
    if (known === undefined) this.#found.set(code, {first: path, count: 1})
    else known.count++
  }

  addItems({shortName, items}: WimEntry, path: LayerPath): void {
    if (shortName !== '') this.add('short-name', path)
    for (const {tag} of items) {
      const code = ITEM_LOSSES.has(tag) ? ITEM_LOSSES.get(tag) : 'unknown-item'
      if (code !== undefined) this.add(code, path)
    }
  }

  tell({onEvent}: WorkOptions): void {
    for (const [code, {first, count}] of this.#found) {
      const subject = count === 1 ? first : `${first} and ${count - 1} more`
      onEvent?.({kind: 'loss', code, message: MESSAGES[code], subject})
    }
  }
}

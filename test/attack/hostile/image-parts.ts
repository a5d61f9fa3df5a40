import {partsOf} from '../../helpers/archives.js'
import {RAW_END, rawMember} from '../../helpers/raw-tar.js'

const TOP = rawMember({name: 'Files/', type: '5'})
/** Two sound layers, and the image of them. */
export const LAYERS = ['one', 'two'].map((text) =>
  Buffer.concat([TOP, rawMember({name: `Files/${text}`}, text.repeat(300)), RAW_END]),
)
export const PARTS = partsOf(LAYERS)
/** With one bit of its contents changed. */
export const damaged = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  copy[1030] = (copy[1030] ?? 0) ^ 1
  return copy
}

import {HeldBytes} from '../compression/held-bytes.js'
import {BLOCK_MAP, encodePartName, MANIFEST} from './part-name.js'
import {escapeXml} from './xml.js'

/* [Content_Types].xml. Source: inbox package page, section 2.3; ECMA-376 part 2, section 10. */

const NAMESPACE = 'http://schemas.openxmlformats.org/package/2006/content-types'
const UNKNOWN = 'application/octet-stream'
const TYPES: Readonly<Record<string, string>> = {png: 'image/png'}
const OVERRIDES: readonly (readonly [string, string])[] = [
  [MANIFEST, 'application/vnd.ms-appx.manifest+xml'],
  [BLOCK_MAP, 'application/vnd.ms-appx.blockmap+xml'],
]

/** Gathers the types of the parts: one for each extension, and one for each file without. */
export class ContentTypesWriter {
  readonly #extensions = new Set<string>()
  /** A file without extension takes some hundred bytes, and there may be a million. */
  readonly #overrides = new HeldBytes()
  #text = ''

  add(path: string): void {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const dot = name.lastIndexOf('.')
    const extension = dot < 0 ? '' : name.slice(dot + 1)
    // Anything else would have to be escaped, and readers differ in how.
    if (/^[A-Za-z0-9_~-]+$/.test(extension)) this.#extensions.add(extension.toLowerCase())
    else this.#override(path, UNKNOWN)
  }

  #override(path: string, type: string): void {
    this.#text += `<Override PartName="/${escapeXml(encodePartName(path))}" ContentType="${type}"/>`
    if (this.#text.length < 65536) return
    this.#overrides.push(Buffer.from(this.#text))
    this.#text = ''
  }

  /** The document in pieces. */
  *finish(): Generator<Uint8Array> {
    for (const [path, type] of OVERRIDES) this.#override(path, type)
    const defaults = [...this.#extensions]
      .sort()
      .map((extension) => `<Default Extension="${extension}" ContentType="${TYPES[extension] ?? UNKNOWN}"/>`)
    yield Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\r\n<Types xmlns="${NAMESPACE}">${defaults.join('')}`)
    yield* this.#overrides.pieces()
    yield Buffer.from(`${this.#text}</Types>`)
  }
}

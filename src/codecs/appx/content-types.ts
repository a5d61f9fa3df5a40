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
  readonly #pieces: Buffer[] = []
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
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
  }

  finish(): Buffer {
    for (const [path, type] of OVERRIDES) this.#override(path, type)
    const defaults = [...this.#extensions]
      .sort()
      .map((extension) => `<Default Extension="${extension}" ContentType="${TYPES[extension] ?? UNKNOWN}"/>`)
    const head = `<?xml version="1.0" encoding="UTF-8"?>\r\n<Types xmlns="${NAMESPACE}">${defaults.join('')}`
    return Buffer.concat([Buffer.from(head), ...this.#pieces, Buffer.from(`${this.#text}</Types>`)])
  }
}

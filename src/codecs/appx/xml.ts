import {SaxesParser} from 'saxes'
import {InputError, TransshipError, type ErrorCode} from '../../model/errors.js'

export interface XmlElement {
  /** Without prefix. */
  readonly name: string
  /** Namespace URI; empty without one. */
  readonly namespace: string
  /** Of those without a prefix. */
  readonly attributes: ReadonlyMap<string, string>
}

export interface XmlHandlers {
  /** `path` are the local names of the elements around it. */
  open(element: XmlElement, path: readonly string[]): void
  close?(name: string, path: readonly string[]): void
  text?(text: string, path: readonly string[]): void
}

export interface XmlOptions {
  /** For messages: which document. */
  readonly title: string
  readonly code: ErrorCode
}

/** By so many bytes an encoding is known. */
const ENCODING_BYTES = 4
const NOTHING = new Uint8Array(0)

/** Source: XML 1.0, appendix F. */
function encodingOf(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = head
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return 'utf-16be'
  return 'utf-8'
}

const MAX_DEPTH = 64
/** Above any real attribute or text between two tags; what is larger would be gathered in memory. */
const MAX_CHUNK_CHARACTERS = 64 * 1024

/**
 * Reads a document of an AppX package piece by piece: UTF-8 or UTF-16, well-formed, without DTD, so that nothing can be
 * expanded.
 * Throws the given code, with line and column.
 */
export class XmlReader {
  readonly #parser = new SaxesParser({xmlns: true})
  #decoder: InstanceType<typeof TextDecoder> | undefined
  /** What has come until the encoding is known. */
  #head = Buffer.alloc(0)
  readonly #path: string[] = []
  readonly #options: XmlOptions

  constructor(handlers: XmlHandlers, options: XmlOptions) {
    this.#options = options
    const parser = this.#parser
    parser.on('error', (error) => {
      throw this.#fault(error.message)
    })
    parser.on('xmldecl', ({encoding}) => {
      if (encoding !== undefined && !this.#isIn(encoding))
        throw this.#fault(
          `Its stated encoding, ${encoding.slice(0, 40)}, is wrong or unsupported; transship reads UTF-8 and UTF-16.`,
        )
    })
    parser.on('doctype', () => {
      throw this.#fault('It has a DTD, which is not allowed.')
    })
    parser.on('opentag', (tag) => {
      const attributes = new Map<string, string>()
      for (const {local, prefix, value} of Object.values(tag.attributes))
        if (prefix === '') attributes.set(local, value)
      handlers.open({name: tag.local, namespace: tag.uri, attributes}, this.#path)
      this.#path.push(tag.local)
      if (this.#path.length > MAX_DEPTH)
        throw this.#fault(`Its elements are nested more than ${MAX_DEPTH} levels deep.`)
    })
    parser.on('closetag', (tag) => {
      this.#path.pop()
      handlers.close?.(tag.local, this.#path)
    })
    const text = (piece: string) => handlers.text?.(piece, this.#path)
    parser.on('text', text)
    parser.on('cdata', text)
  }

  write(bytes: Uint8Array): void {
    this.#step(() => {
      if (this.#decoder !== undefined) this.#feed(this.#decoder.decode(bytes, {stream: true}))
      else this.#begin(bytes)
    })
  }

  #begin(bytes: Uint8Array, isWhole = false): void {
    this.#head = Buffer.concat([this.#head, bytes])
    if (this.#head.byteLength < ENCODING_BYTES && !isWhole) return
    this.#decoder = new TextDecoder(encodingOf(this.#head), {fatal: true})
    this.#feed(this.#decoder.decode(this.#head, {stream: true}))
  }

  #feed(text: string): void {
    for (let at = 0; at < text.length; at += MAX_CHUNK_CHARACTERS)
      this.#parser.write(text.slice(at, at + MAX_CHUNK_CHARACTERS))
  }

  /** What a document says of its encoding is no news, but a contradiction would make other names of the same bytes. */
  #isIn(stated: string): boolean {
    const encoding = this.#decoder?.encoding
    const name = stated.toLowerCase()
    if (encoding === 'utf-8') return name === 'utf-8' || name === 'utf8' || name === 'us-ascii'
    return name === 'utf-16' || name === encoding
  }

  end(): void {
    this.#step(() => {
      if (this.#decoder === undefined) this.#begin(NOTHING, true)
      this.#feed(this.#decoder?.decode() ?? '')
      this.#parser.close()
    })
  }

  #step(step: () => void): void {
    try {
      step()
    } catch (error) {
      throw error instanceof TransshipError
        ? error
        : this.#fault(error instanceof Error ? error.message : String(error))
    }
  }

  #fault(why: string): InputError {
    const {title, code} = this.#options
    return new InputError(code, {
      what: 'A document of the package cannot be read.',
      why,
      suggestions: ['Export or download the package again.'],
      at: {path: title},
    })
  }
}

/** Reads a document at hand. */
export function readXml(bytes: Uint8Array, handlers: XmlHandlers, options: XmlOptions): void {
  const reader = new XmlReader(handlers, options)
  reader.write(bytes)
  reader.end()
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g
const NO_XML = /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** Text as an attribute or the content of an element has it; what XML cannot hold becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(CONTROL, '\ufffd')
    .replace(NO_XML, '\ufffd')
    .replace(/[&<>"\t\n\r]/g, (character) => ESCAPES[character] ?? character)
}

import {InputError} from '../../model/errors.js'
import {readXml, type XmlElement, type XmlHandlers} from '../appx/xml.js'
import {wimFault} from './wim-fault.js'

/** What the XML of a file says of an image; what it does not say is absent. Source: wimlib src/xml.c, xml_windows.c. */
export interface ImageDescription {
  /** From 1. */
  readonly index: number
  readonly name?: string
  readonly description?: string
  readonly displayName?: string
  readonly displayDescription?: string
  /** Edition as ImageX names it, e.g. `ServerDatacenter`. */
  readonly flags?: string
  /** Unpacked bytes of all streams. */
  readonly totalBytes?: number
  readonly files?: number
  readonly directories?: number
  /** FILETIME. */
  readonly creationTime?: bigint
  /** FILETIME. */
  readonly lastModificationTime?: bigint
  readonly windows?: WindowsDescription
}

/** What a capture took from the registry of the Windows in the image. */
export interface WindowsDescription {
  /** Of Go, e.g. `amd64`; undefined for one that is not known. */
  readonly architecture?: string
  /** `MAJOR.MINOR.BUILD[.SPBUILD]`. */
  readonly version?: string
  readonly editionId?: string
  readonly installationType?: string
  readonly productName?: string
  readonly languages: readonly string[]
  readonly defaultLanguage?: string
}

/** Processor numbers of the Windows API. Source: winnt.h PROCESSOR_ARCHITECTURE_*. */
const ARCHITECTURES: Readonly<Record<string, string>> = {0: '386', 5: 'arm', 9: 'amd64', 12: 'arm64'}

/** Above every real one: a few KiB an image. */
export const MAX_XML_BYTES = 16 * 2 ** 20
const MAX_IMAGES = 0xffff

/** Texts by the path of their element below IMAGE; a repeated element has several. */
type Texts = Map<string, string[]>

/**
 * Parses the XML data: UTF-16LE, with or without a byte order mark, no DTD. Throws `ARCHIVE_CORRUPT`. Images in the order
 * of the document; elements that are not known are ignored.
 */
export function parseDescription(bytes: Uint8Array): readonly ImageDescription[] {
  const text = new TextDecoder('utf-16le').decode(bytes).replace(/^<\?xml[^?]*\?>/, '')
  const gathered = new DescriptionReader()
  try {
    readXml(Buffer.from(text, 'utf8'), gathered, {title: 'XML', code: 'ARCHIVE_CORRUPT'})
  } catch (error) {
    throw error instanceof InputError ? wimFault(`Its XML cannot be read. ${error.why ?? ''}`) : error
  }
  return gathered.images.map(({index, texts}) => describe(index, texts))
}

class DescriptionReader implements XmlHandlers {
  readonly images: {readonly index: number; readonly texts: Texts}[] = []
  #text = ''

  open({name, attributes}: XmlElement, path: readonly string[]): void {
    this.#text = ''
    if (path.length === 0 && name !== 'WIM') throw wimFault(`It begins with ${name.slice(0, 40)}, not WIM.`)
    if (path.length !== 1 || name !== 'IMAGE') return
    const index = attributes.get('INDEX') ?? ''
    if (!/^[0-9]{1,5}$/.test(index) || this.images.length === MAX_IMAGES)
      throw wimFault('It gives an image a wrong number.')
    this.images.push({index: Number(index), texts: new Map()})
  }

  close(name: string, path: readonly string[]): void {
    const texts = path[1] === 'IMAGE' ? this.images.at(-1)?.texts : undefined
    if (texts !== undefined) {
      const place = [...path.slice(2), name].join('/')
      const known = texts.get(place)
      if (known === undefined) texts.set(place, [this.#text.trim()])
      else known.push(this.#text.trim())
    }
    this.#text = ''
  }

  text(piece: string): void {
    this.#text += piece
  }
}

function describe(index: number, texts: Texts): ImageDescription {
  const one = (place: string) => texts.get(place)?.[0]
  const described = {
    name: one('NAME'),
    description: one('DESCRIPTION'),
    displayName: one('DISPLAYNAME'),
    displayDescription: one('DISPLAYDESCRIPTION'),
    flags: one('FLAGS'),
    totalBytes: numberOf(one('TOTALBYTES')),
    files: numberOf(one('FILECOUNT')),
    directories: numberOf(one('DIRCOUNT')),
    creationTime: timeOf(one('CREATIONTIME/HIGHPART'), one('CREATIONTIME/LOWPART')),
    lastModificationTime: timeOf(one('LASTMODIFICATIONTIME/HIGHPART'), one('LASTMODIFICATIONTIME/LOWPART')),
    windows: [...texts.keys()].some((place) => place.startsWith('WINDOWS/')) ? describeWindows(texts) : undefined,
  }
  return {index, ...withoutUndefined(described)}
}

function describeWindows(texts: Texts): WindowsDescription {
  const one = (place: string) => texts.get(`WINDOWS/${place}`)?.[0]
  const parts = ['MAJOR', 'MINOR', 'BUILD', 'SPBUILD'].map((part) => one(`VERSION/${part}`))
  const known = parts.slice(0, parts[3] === undefined ? 3 : 4)
  const isVersion = known.every((part) => part !== undefined && /^[0-9]{1,5}$/.test(part))
  const described = {
    architecture: ARCHITECTURES[one('ARCH') ?? ''],
    version: isVersion ? known.join('.') : undefined,
    editionId: one('EDITIONID'),
    installationType: one('INSTALLATIONTYPE'),
    productName: one('PRODUCTNAME'),
    defaultLanguage: one('LANGUAGES/DEFAULT'),
  }
  return {languages: texts.get('WINDOWS/LANGUAGES/LANGUAGE') ?? [], ...withoutUndefined(described)}
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

function timeOf(high: string | undefined, low: string | undefined): bigint | undefined {
  const isHex = (text: string | undefined) => text !== undefined && /^0x[0-9a-f]{1,8}$/i.test(text)
  return isHex(high) && isHex(low) ? (BigInt(high ?? 0) << 32n) | BigInt(low ?? 0) : undefined
}

type Defined<T> = {[K in keyof T]?: Exclude<T[K], undefined>}

/** Values that are undefined or empty are absent. */
function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ''),
  ) as Defined<T>
}

import {InputError} from '../../model/errors.js'
import {findBase64} from '../bytes/base64.js'
import {escapeXml, XmlReader, type XmlElement} from './xml.js'

/* AppxBlockMap.xml. Source: inbox package page, section 2.2. */

const NAMESPACE = 'http://schemas.microsoft.com/appx/2010/blockmap'
const HASH_METHOD = 'http://www.w3.org/2001/04/xmlenc#sha256'
/** Unpacked bytes that one hash covers. */
export const BLOCK_BYTES = 65536
const HASH_BYTES = 32

export interface MappedBlock {
  /** Base64 SHA-256 of the unpacked bytes. */
  readonly hash: string
  /** Bytes when deflated; undefined in a stored file. */
  readonly packedBytes?: number
}

const HEAD = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>\r\n<BlockMap xmlns="${NAMESPACE}" HashMethod="${HASH_METHOD}">`
const TAIL = '</BlockMap>'
/** Text is gathered to about this size before it becomes bytes. */
const PIECE_CHARACTERS = 64 * 1024

/** Writes a block map file by file. */
export class BlockMapWriter {
  readonly #pieces: Buffer[] = []
  #text = HEAD

  /** `path` with `/` between names. */
  add(path: string, sizeBytes: number, localBytes: number): void {
    this.#text += `<File Name="${escapeXml(path.replaceAll('/', '\\'))}" Size="${sizeBytes}" LfhSize="${localBytes}"`
    this.#isEmpty = sizeBytes === 0
    this.#text += this.#isEmpty ? '/>' : '>'
  }

  #isEmpty = true

  block({hash, packedBytes}: MappedBlock): void {
    this.#text += `<Block Hash="${hash}"${packedBytes === undefined ? '' : ` Size="${packedBytes}"`}/>`
  }

  /** Ends the file that was added last. */
  end(): void {
    if (!this.#isEmpty) this.#text += '</File>'
    if (this.#text.length < PIECE_CHARACTERS) return
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
  }

  /** The pieces that are complete by now; each is given out once. */
  take(): readonly Uint8Array[] {
    return this.#pieces.splice(0)
  }

  /** The rest of the document in pieces. */
  finish(): readonly Uint8Array[] {
    return [...this.take(), Buffer.from(this.#text + TAIL)]
  }
}

/** What a block map says of a file. */
export interface MappedFile {
  readonly sizeBytes: number
  /** Of its local header. */
  readonly localBytes: number
  /** Place of its first block in the table. */
  readonly firstBlock: number
  readonly blocks: number
  /** Its blocks have a packed size. */
  readonly isPacked: boolean
}

/** Blocks that the tables grow by: few, since there may be many packages at hand that have few. */
const GROUP_BLOCKS = 256

interface BlockGroup {
  readonly hashes: Buffer
  readonly starts: Float64Array
  readonly packed: Uint32Array
}

/** The blocks of a block map at hand: hashes and sizes in flat tables, since there may be a million. */
export class BlockMap {
  readonly #groups: BlockGroup[] = []
  #count = 0

  #group(block: number): BlockGroup {
    const group = this.#groups[Math.floor(block / GROUP_BLOCKS)]
    if (group !== undefined && block < this.#count) return group
    throw new RangeError(`There is no block ${block}.`)
  }

  /** SHA-256 of a block, by its place in the table. */
  hash(block: number): Buffer {
    const at = (block % GROUP_BLOCKS) * HASH_BYTES
    return this.#group(block).hashes.subarray(at, at + HASH_BYTES)
  }

  /** Where the packed block begins, counted from the data of its file. */
  start(block: number): number {
    return this.#group(block).starts[block % GROUP_BLOCKS] ?? 0
  }

  packedBytes(block: number): number {
    return this.#group(block).packed[block % GROUP_BLOCKS] ?? 0
  }

  get blocks(): number {
    return this.#count
  }

  push(hash: Uint8Array, start: number, packedBytes: number): void {
    const at = this.#count % GROUP_BLOCKS
    if (at === 0) {
      this.#groups.push({
        hashes: Buffer.alloc(GROUP_BLOCKS * HASH_BYTES),
        starts: new Float64Array(GROUP_BLOCKS),
        packed: new Uint32Array(GROUP_BLOCKS),
      })
    }
    const block = this.#count++
    const {hashes, starts, packed} = this.#group(block)
    hashes.set(hash, at * HASH_BYTES)
    starts[at] = start
    packed[at] = packedBytes
  }
}

/** A fault of a block map; `title` is how messages name it. */
export function blockMapFault(title: string, why: string): InputError {
  return new InputError('MANIFEST_INVALID', {
    what: 'The block map of the package breaks the rules of its format.',
    why,
    suggestions: ['Export or download the package again.'],
    at: {path: title},
  })
}

/**
 * Reads a block map piece by piece and tells each file when its blocks are in the table: its path with `/` between names,
 * which the caller holds against those before. Throws `MANIFEST_INVALID`.
 */
export async function readBlockMap(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  title: string,
  onFile: (path: string, file: MappedFile, map: BlockMap) => void,
): Promise<BlockMap> {
  const builder = new BlockMapBuilder(title, onFile)
  const reader = new XmlReader(builder, {title, code: 'MANIFEST_INVALID'})
  for await (const piece of body) reader.write(piece)
  reader.end()
  return builder.finish()
}

class BlockMapBuilder {
  readonly #map = new BlockMap()
  readonly #title: string
  readonly #onFile: (path: string, file: MappedFile, map: BlockMap) => void
  #file: {name: string; sizeBytes: number; localBytes: number; firstBlock: number} | undefined
  #packedBytes = 0
  #hasFile = false

  constructor(title: string, onFile: (path: string, file: MappedFile, map: BlockMap) => void) {
    this.#title = title
    this.#onFile = onFile
  }

  open({name, namespace, attributes}: XmlElement, path: readonly string[]): void {
    // Later releases add elements of their own.
    if (namespace !== NAMESPACE) {
      if (path.length === 0) throw blockMapFault(this.#title, 'Its root element is not a known block map.')
      return
    }
    if (path.length === 0 && name === 'BlockMap') this.#root(attributes)
    else if (path.length === 1 && name === 'File') this.#open(attributes)
    else if (path.length === 2 && name === 'Block' && this.#file !== undefined) this.#block(attributes, this.#file.name)
    else throw blockMapFault(this.#title, `It has an unexpected element ${name}.`)
  }

  #root(attributes: ReadonlyMap<string, string>): void {
    const method = attributes.get('HashMethod')
    if (method !== HASH_METHOD)
      throw blockMapFault(this.#title, `Its hash method is ${JSON.stringify(method)}, not SHA-256.`)
  }

  #open(attributes: ReadonlyMap<string, string>): void {
    const name = attributes.get('Name') ?? ''
    const sizeBytes = findNumber(attributes.get('Size'))
    const localBytes = findNumber(attributes.get('LfhSize'))
    if (name === '' || name.includes('/'))
      throw blockMapFault(this.#title, `It has a file with the invalid name ${JSON.stringify(name)}.`)
    if (sizeBytes === undefined || localBytes === undefined || localBytes < 30 || localBytes > 65536)
      throw blockMapFault(this.#title, `Its sizes for '${name}' are not valid.`)
    this.#file = {name, sizeBytes, localBytes, firstBlock: this.#map.blocks}
    this.#packedBytes = 0
  }

  #block(attributes: ReadonlyMap<string, string>, name: string): void {
    const text = attributes.get('Hash') ?? ''
    const hash = findBase64(text)
    if (hash?.byteLength !== HASH_BYTES) throw blockMapFault(this.#title, `A block of '${name}' has no SHA-256.`)
    const size = attributes.get('Size')
    const packedBytes = size === undefined ? 0 : findNumber(size)
    if (packedBytes === undefined || packedBytes > 2 * BLOCK_BYTES || (size !== undefined && packedBytes === 0))
      throw blockMapFault(this.#title, `A block of '${name}' has an impossible size.`)
    this.#map.push(hash, this.#packedBytes, packedBytes)
    this.#packedBytes += packedBytes
  }

  close(name: string, path: readonly string[]): void {
    const file = this.#file
    if (path.length !== 1 || name !== 'File' || file === undefined) return
    this.#file = undefined
    const map = this.#map
    const blocks = map.blocks - file.firstBlock
    const title = file.name.replaceAll('\\', '/')
    if (blocks !== Math.ceil(file.sizeBytes / BLOCK_BYTES))
      throw blockMapFault(this.#title, `It lists ${blocks} blocks for the ${file.sizeBytes} bytes of '${title}'.`)
    const isPacked = blocks > 0 && map.packedBytes(file.firstBlock) > 0
    for (let block = file.firstBlock; block < map.blocks; block++) {
      if (map.packedBytes(block) > 0 !== isPacked)
        throw blockMapFault(this.#title, `Only some blocks of '${title}' have a size.`)
    }
    const {sizeBytes, localBytes, firstBlock} = file
    this.#hasFile = true
    this.#onFile(title, {sizeBytes, localBytes, firstBlock, blocks, isPacked}, map)
  }

  finish(): BlockMap {
    if (!this.#hasFile) throw blockMapFault(this.#title, 'It lists no files.')
    return this.#map
  }
}

function findNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

import {MAX_CONTENT_BYTES} from '../../model/content.js'
import {InputError} from '../../model/errors.js'
import {upcase} from '../../model/upcase.js'
import {FileAttribute, type ExtendedAttribute} from '../../model/windows-metadata.js'
import {byteSourceOf, type ByteSource} from '../backup-stream/byte-source.js'
import {scanBackupStreams, type BackupStream} from '../backup-stream/scan-streams.js'
import {BLOCK_OFFSET_BYTES, carrierCorrupt, StreamId, streamIdName} from '../backup-stream/stream-header.js'
import {
  canonicalExtendedAttributes,
  decodeExtendedAttributes,
  encodeExtendedAttributes,
} from '../extended-attributes/extended-attributes.js'
import {findExactLink, findLink} from '../reparse-point/encode-reparse-point.js'
import {requireKnownDescriptor} from '../security-descriptor/known-descriptors.js'
import {MAX_FRAME_BYTES, type Carrier, type CarrierKind, type ContentExtent, type StreamLocation} from './carrier.js'
import {encodeCarrierFrame, isCanonical, type CarrierFrame, type FrameBlock, type FrameStream} from './carrier-frame.js'
import {findStreamName} from './stream-name.js'

/** Bytes of the attribute word in front of the backup stream. */
export const ATTRIBUTE_BYTES = 4

/** What Windows can have of each, with room to spare; a larger one is refused before it is read. */
const PAYLOAD_LIMITS: ReadonlyMap<number, number> = new Map([
  [StreamId.security, 256 * 1024], // two ACLs of 64 KiB and two SIDs
  [StreamId.extendedAttributes, 128 * 1024], // NTFS: 64 KiB in all
  [StreamId.reparseData, 64 * 1024 + 8], // a 16 bit length and the head
])

/**
 * Decodes a carrier: u32 attributes, then backup streams to the end. Nothing of the content is read. Everything that the
 * decoded value does not tell goes into `frame`, from which, with the value, `planCarrier` makes the same bytes again.
 * Throws `CARRIER_CORRUPT`, `ATTRIBUTES_CORRUPT`, `DESCRIPTOR_CORRUPT`, `LIMIT_EXCEEDED`, each with the position in the carrier.
 * Source: transport layout page, section 2; hcsshim internal/wclayer/legacy.go; go-winio backup.go, backuptar.
 */
export function decodeCarrier(source: ByteSource | Uint8Array, kind: CarrierKind): Carrier {
  const bytes = source instanceof Uint8Array ? byteSourceOf(source) : source
  if (bytes.sizeBytes < ATTRIBUTE_BYTES)
    throw carrierCorrupt(`It has ${bytes.sizeBytes} bytes, fewer than the ${ATTRIBUTE_BYTES} of the attributes.`, 0)
  return new CarrierDecoder(bytes, kind).decode()
}

class CarrierDecoder {
  readonly #source: ByteSource
  readonly #kind: CarrierKind
  readonly #table: FrameStream[] = []
  readonly #streams: {name: string; location: StreamLocation}[] = []
  /** Upper-cased: of streams that are one to Windows, the second stays in the frame. */
  readonly #names = new Set<string>()
  #securityDescriptor: Uint8Array | undefined
  #extendedAttributes: ExtendedAttribute[] | undefined
  #reparsePoint: Uint8Array | undefined
  #isLink = false
  #data: StreamLocation | undefined
  /** Payloads kept in the frame so far; beyond the limit they are no longer read, only counted. */
  #inlineBytes = 0

  constructor(source: ByteSource, kind: CarrierKind) {
    this.#source = source
    this.#kind = kind
  }

  decode(): Carrier {
    const word = Buffer.from(this.#source.read(0, ATTRIBUTE_BYTES)).readUInt32LE(0)
    const {streams, end} = scanBackupStreams(this.#source, ATTRIBUTE_BYTES)
    this.#isLink = this.#hasLink(streams)
    for (let index = 0; index < streams.length;) index += this.#take(streams, index)
    const bit = FileAttribute.directory
    const attributes = (this.#kind === 'directory' ? word | bit : word & ~bit) >>> 0
    const frame: CarrierFrame = {
      ...(attributes === word ? {} : {attributes: word}),
      streams: this.#table,
      tail: new Uint8Array(this.#source.sizeBytes - end),
    }
    return {
      attributes,
      ...(this.#securityDescriptor === undefined ? {} : {securityDescriptor: this.#securityDescriptor}),
      ...(this.#extendedAttributes === undefined ? {} : {extendedAttributes: this.#extendedAttributes}),
      ...(this.#reparsePoint === undefined ? {} : {reparsePoint: this.#reparsePoint}),
      ...(this.#data === undefined ? {} : {data: this.#data}),
      streams: this.#streams,
      ...this.#framing(frame),
    }
  }

  #framing(frame: CarrierFrame): Pick<Carrier, 'frame' | 'oversizeFrameBytes'> {
    // Payloads beyond the limit are not in the frame, which may look canonical without them.
    if (this.#inlineBytes > MAX_FRAME_BYTES) return {oversizeFrameBytes: this.#inlineBytes}
    if (isCanonical(frame, this.#canonicalIds())) return {}
    const bytes = encodeCarrierFrame(frame)
    return bytes.byteLength > MAX_FRAME_BYTES ? {oversizeFrameBytes: bytes.byteLength} : {frame: bytes}
  }

  /** The streams that Microsoft's importer writes for this object. Source: go-winio backuptar WriteBackupStreamFromTarFile. */
  #canonicalIds(): number[] {
    return [
      ...(this.#securityDescriptor === undefined ? [] : [StreamId.security]),
      ...(this.#extendedAttributes === undefined ? [] : [StreamId.extendedAttributes]),
      ...(this.#reparsePoint === undefined ? [] : [StreamId.reparseData]),
      ...(this.#kind === 'directory' || this.#isLink ? [] : [StreamId.data]),
      ...this.#streams.map(() => StreamId.alternateData),
    ]
  }

  #hasLink(streams: readonly BackupStream[]): boolean {
    const stream = streams.find(isReparsePoint)
    return stream !== undefined && findLink(this.#payload(stream)) !== undefined
  }

  /** Takes the stream at `index` with the blocks behind it; gives how many streams that were. */
  #take(streams: readonly BackupStream[], index: number): number {
    const stream = streams[index]
    if (stream === undefined) return 1
    if (stream.name.byteLength === 0) {
      if (stream.id === StreamId.security && this.#takeSecurity(stream)) return 1
      if (stream.id === StreamId.extendedAttributes && this.#takeExtendedAttributes(stream)) return 1
      if (isReparsePoint(stream) && this.#takeReparsePoint(stream)) return 1
      if (stream.id === StreamId.data && this.#kind === 'file' && this.#data === undefined)
        return this.#takeData(streams, index, stream)
    }
    if (stream.id === StreamId.alternateData) {
      const name = findStreamName(stream.name)
      if (name !== undefined && !this.#names.has(upcase(name))) return this.#takeAlternate(streams, index, stream, name)
    }
    this.#keep(stream)
    return 1
  }

  #takeSecurity(stream: BackupStream): boolean {
    if (this.#securityDescriptor !== undefined || stream.payloadBytes === 0) return false
    const descriptor = this.#payload(stream)
    at(stream.payloadPosition, () => {
      requireKnownDescriptor(descriptor)
    })
    this.#securityDescriptor = descriptor
    this.#table.push({id: stream.id, attributes: stream.attributes})
    return true
  }

  #takeExtendedAttributes(stream: BackupStream): boolean {
    if (this.#extendedAttributes !== undefined || stream.payloadBytes === 0) return false
    const list = this.#payload(stream)
    const attributes = at(stream.payloadPosition, () => decodeExtendedAttributes(list))
    this.#extendedAttributes = attributes
    const canonical = encodeExtendedAttributes(canonicalExtendedAttributes(attributes))
    const names = new Set(attributes.map(({name}) => name))
    const isPlain = names.size === attributes.length && attributes.every(({name}) => isTarKey(name))
    if (isPlain && Buffer.compare(canonical, list) === 0)
      this.#table.push({id: stream.id, attributes: stream.attributes})
    else this.#keep(stream)
    return true
  }

  #takeReparsePoint(stream: BackupStream): boolean {
    if (this.#reparsePoint !== undefined) return false
    this.#reparsePoint = this.#payload(stream)
    if (findExactLink(this.#reparsePoint) === undefined) this.#keep(stream)
    else this.#table.push({id: stream.id, attributes: stream.attributes})
    return true
  }

  #takeData(streams: readonly BackupStream[], index: number, stream: BackupStream): number {
    const blocks = blocksAfter(streams, index)
    this.#data = locate(stream, blocks)
    // A link entry of a tar has no body, so what lies in the file goes along in the frame.
    if (this.#isLink && this.#data.sizeBytes > 0) {
      this.#keep(stream)
      for (const block of blocks) this.#keep(block)
    } else {
      this.#table.push({id: stream.id, attributes: stream.attributes, ...sparseTable(stream, blocks, this.#data)})
    }
    return 1 + blocks.length
  }

  #takeAlternate(streams: readonly BackupStream[], index: number, stream: BackupStream, name: string): number {
    const blocks = blocksAfter(streams, index)
    const location = locate(stream, blocks)
    this.#names.add(upcase(name))
    this.#streams.push({name, location})
    this.#table.push({
      id: stream.id,
      attributes: stream.attributes,
      sizeBytes: location.sizeBytes,
      ...sparseTable(stream, blocks, location),
    })
    return 1 + blocks.length
  }

  /** Keeps a stream in the frame, payload and all. */
  #keep(stream: BackupStream): void {
    const isBlock = stream.id === StreamId.sparseBlock
    const extra = isBlock ? BLOCK_OFFSET_BYTES : 0
    this.#inlineBytes += stream.payloadBytes + extra
    if (this.#inlineBytes > MAX_FRAME_BYTES) return
    this.#table.push({
      id: stream.id,
      attributes: stream.attributes,
      ...(stream.name.byteLength === 0 ? {} : {name: stream.name}),
      inline: Uint8Array.from(this.#source.read(stream.payloadPosition - extra, stream.payloadBytes + extra)),
    })
  }

  #payload(stream: BackupStream): Uint8Array {
    const limit = PAYLOAD_LIMITS.get(stream.id)
    if (limit !== undefined && stream.payloadBytes > limit) {
      throw new InputError('LIMIT_EXCEEDED', {
        what: `A ${streamIdName(stream.id)} stream has ${stream.payloadBytes} bytes; Windows stores at most ${limit}.`,
        at: {offset: stream.position},
      })
    }
    return Uint8Array.from(this.#source.read(stream.payloadPosition, stream.payloadBytes))
  }
}

/** True for a name that comes back from a PAX key as it went in: ASCII without NUL and `=`. */
function isTarKey(name: string): boolean {
  return Array.from(name).every((letter) => letter > '\0' && letter < '\x80' && letter !== '=')
}

/** True for a stream that can be the object's reparse point; the first one is. */
function isReparsePoint({id, name, payloadBytes}: BackupStream): boolean {
  return id === StreamId.reparseData && name.byteLength === 0 && payloadBytes > 0
}

function blocksAfter(streams: readonly BackupStream[], index: number): BackupStream[] {
  const blocks: BackupStream[] = []
  for (let next = index + 1; ; next++) {
    const stream = streams[next]
    if (stream?.id !== StreamId.sparseBlock) return blocks
    blocks.push(stream)
  }
}

/** Where the content of a data stream lies. Windows writes blocks in ascending order; anything else is refused. */
function locate(stream: BackupStream, blocks: readonly BackupStream[]): StreamLocation {
  const extents: ContentExtent[] = []
  if (stream.payloadBytes > 0) extents.push({offset: 0, length: stream.payloadBytes, position: stream.payloadPosition})
  let end = stream.payloadBytes
  for (const block of blocks) {
    const offset = block.blockOffset ?? 0
    if (offset < end || block.name.byteLength > 0)
      throw carrierCorrupt(`A sparse block at ${offset} follows one that ends at ${end}.`, block.position)
    if (block.payloadBytes > 0) extents.push({offset, length: block.payloadBytes, position: block.payloadPosition})
    end = offset + block.payloadBytes
  }
  if (end > MAX_CONTENT_BYTES) {
    throw new InputError('LIMIT_EXCEEDED', {
      what: `The carrier claims ${end} bytes of content; the limit is ${MAX_CONTENT_BYTES}.`,
      at: {offset: stream.position},
    })
  }
  return {sizeBytes: end, extents, isSparse: blocks.length > 0}
}

function sparseTable(
  stream: BackupStream,
  blocks: readonly BackupStream[],
  location: StreamLocation,
): Pick<FrameStream, 'sparse'> {
  if (blocks.length === 0) return {}
  const table: FrameBlock[] = blocks.map(({blockOffset = 0, payloadBytes, attributes}) => ({
    offset: blockOffset,
    length: payloadBytes,
    attributes,
  }))
  return {sparse: {headBytes: stream.payloadBytes, sizeBytes: location.sizeBytes, blocks: table}}
}

/** Moves the offset of an error from the payload to the carrier. */
function at<Value>(position: number, decode: () => Value): Value {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.code, {
      what: error.what,
      ...(error.why === undefined ? {} : {why: error.why}),
      suggestions: error.suggestions,
      at: {offset: position + (error.at.offset ?? 0)},
      cause: error,
    })
  }
}

import type {SparseRange} from '../../model/content.js'
import {InputError} from '../../model/errors.js'
import type {WindowsMetadata} from '../../model/windows-metadata.js'
import {
  putSparseBlockHeader,
  putStreamHeader,
  BLOCK_OFFSET_BYTES,
  STREAM_HEADER_BYTES,
  StreamAttribute,
  StreamId,
} from '../backup-stream/stream-header.js'
import {canonicalExtendedAttributes, encodeExtendedAttributes} from '../extended-attributes/extended-attributes.js'
import {findLink} from '../reparse-point/encode-reparse-point.js'
import {ATTRIBUTE_BYTES} from './decode-carrier.js'
import type {CarrierKind} from './carrier.js'
import {
  decodeCarrierFrame,
  type CarrierFrame,
  type ContentLayout,
  type FrameBlock,
  type FrameStream,
} from './carrier-frame.js'
import {findSparseLayout} from './sparse-form.js'
import {encodeStreamName} from './stream-name.js'

/** One part of a carrier, in file order. */
export type CarrierPart =
  | {readonly kind: 'bytes'; readonly bytes: Uint8Array}
  /** The entry's unnamed content, its header already written. */
  | {readonly kind: 'content'; readonly sizeBytes: number; readonly sparse?: ContentLayout}
  /** The entry's next named stream; `sizeBytes` is what it must have. */
  | {
      readonly kind: 'stream'
      readonly sizeBytes: number
      readonly attributes: number
      readonly sparse?: ContentLayout
    }

/** Everything to be written for one carrier. */
export interface CarrierPlan {
  /** In file order. Named streams of the entry that no part stands for follow at the end, in canonical form. */
  readonly parts: readonly CarrierPart[]
  /** True when the parts follow a frame: then they hold all streams, and each must have the size stated. */
  readonly isFramed: boolean
  /** The directory is to have no carrier. */
  readonly isAbsent: boolean
}

/** What an entry has beside its frame. */
export interface CarrierSubject {
  readonly kind: CarrierKind
  readonly meta: Pick<WindowsMetadata, 'attributes' | 'securityDescriptor' | 'extendedAttributes' | 'reparsePoint'>
  /** Size of the unnamed content; undefined = the entry states none. */
  readonly contentBytes?: number
  /** Its stored ranges, where it is sparse. */
  readonly contentRanges?: readonly SparseRange[]
}

const NO_BYTES = new Uint8Array(0)

/**
 * Everything of a carrier before its content, as Microsoft's importer writes it: attributes, SECURITY, EA, REPARSE, and
 * the header of DATA for a file that is no link (or is one and has content all the same); all stream attributes 0.
 * Source: go-winio backuptar WriteBackupStreamFromTarFile; transport layout page, section 4.5.
 */
export function encodeCarrierHead(subject: CarrierSubject, layout?: ContentLayout): Uint8Array {
  const {meta, contentBytes = 0} = subject
  const list =
    meta.extendedAttributes === undefined || meta.extendedAttributes.length === 0
      ? NO_BYTES
      : encodeExtendedAttributes(canonicalExtendedAttributes(meta.extendedAttributes))
  const security = meta.securityDescriptor ?? NO_BYTES
  const reparse = meta.reparsePoint ?? NO_BYTES
  const hasData = hasDataStream(subject)
  let total = ATTRIBUTE_BYTES + (hasData ? STREAM_HEADER_BYTES : 0)
  for (const payload of [security, list, reparse])
    if (payload.byteLength > 0) total += STREAM_HEADER_BYTES + payload.byteLength
  const head = Buffer.allocUnsafe(total)
  let at = head.writeUInt32LE(meta.attributes, 0)
  at = putPayload(head, at, StreamId.security, security)
  at = putPayload(head, at, StreamId.extendedAttributes, list)
  at = putPayload(head, at, StreamId.reparseData, reparse)
  const sizeBytes = layout?.headBytes ?? contentBytes
  if (hasData) putStreamHeader(head, at, {id: StreamId.data, attributes: attributesOf(layout), sizeBytes})
  return head
}

/** Stream attributes of data that is laid out so. */
export function attributesOf(layout: ContentLayout | undefined): number {
  return layout === undefined ? 0 : StreamAttribute.sparse
}

function hasDataStream({kind, meta, contentBytes = 0}: CarrierSubject): boolean {
  if (kind === 'directory') return false
  return contentBytes > 0 || meta.reparsePoint === undefined || findLink(meta.reparsePoint) === undefined
}

function putPayload(into: Buffer, at: number, id: number, payload: Uint8Array): number {
  if (payload.byteLength === 0) return at
  const end = putStreamHeader(into, at, {id, attributes: 0, sizeBytes: payload.byteLength})
  into.set(payload, end)
  return end + payload.byteLength
}

/** The header of a named stream; `sizeBytes` counts what follows it directly. */
export function encodeAlternateHeader(name: string, sizeBytes: number, attributes = 0): Uint8Array {
  return encodeStreamHeader({id: StreamId.alternateData, attributes, sizeBytes, name: encodeStreamName(name)})
}

/** A header with its name. */
export function encodeStreamHeader(header: Parameters<typeof putStreamHeader>[2]): Uint8Array {
  const bytes = Buffer.allocUnsafe(STREAM_HEADER_BYTES + (header.name?.byteLength ?? 0))
  putStreamHeader(bytes, 0, header)
  return bytes
}

/** The header of one sparse block, its file offset included. */
export function encodeBlockHeader(block: FrameBlock): Uint8Array {
  const bytes = Buffer.allocUnsafe(STREAM_HEADER_BYTES + BLOCK_OFFSET_BYTES)
  putSparseBlockHeader(bytes, 0, block)
  return bytes
}

/** Bytes that content takes in the carrier behind its header. */
export function storedBytes(sizeBytes: number, sparse: ContentLayout | undefined): number {
  if (sparse === undefined) return sizeBytes
  let total = sparse.headBytes
  for (const block of sparse.blocks) total += STREAM_HEADER_BYTES + BLOCK_OFFSET_BYTES + block.length
  return total
}

/**
 * The parts of a carrier. With a frame that fits the entry, exactly the bytes the frame was made from; without one, the
 * canonical form. A frame that does not fit (the entry was changed since, or the frame is damaged) is left aside, and
 * `onUnusableFrame` is told why.
 */
export function planCarrier(
  subject: CarrierSubject,
  frameBytes?: Uint8Array,
  onUnusableFrame?: (why: string) => void,
): CarrierPlan {
  if (frameBytes !== undefined) {
    try {
      return replay(subject, decodeCarrierFrame(frameBytes))
    } catch (error) {
      if (!(error instanceof InputError) || error.code !== 'RECIPE_CORRUPT') throw error
      onUnusableFrame?.(error.why ?? error.what)
    }
  }
  const {contentBytes = 0, contentRanges} = subject
  const sparse = findSparseLayout(contentRanges === undefined ? undefined : {size: contentBytes, ranges: contentRanges})
  const parts: CarrierPart[] = [{kind: 'bytes', bytes: encodeCarrierHead(subject, sparse)}]
  if (hasDataStream(subject))
    parts.push({kind: 'content', sizeBytes: contentBytes, ...(sparse === undefined ? {} : {sparse})})
  return {parts, isFramed: false, isAbsent: false}
}

function unfit(why: string): InputError {
  return new InputError('RECIPE_CORRUPT', {what: 'A layout frame does not match its entry.', why})
}

/** Follows a frame. Throws `RECIPE_CORRUPT` unless everything the entry holds finds its place. */
function replay(subject: CarrierSubject, frame: CarrierFrame): CarrierPlan {
  const {kind, meta, contentBytes} = subject
  if (frame.isAbsent === true) {
    if (kind !== 'directory' || meta.securityDescriptor !== undefined || meta.reparsePoint !== undefined)
      throw unfit('It states no carrier, but the entry needs one.')
    return {parts: [], isFramed: true, isAbsent: true}
  }
  const word = Buffer.alloc(ATTRIBUTE_BYTES)
  word.writeUInt32LE(frame.attributes ?? meta.attributes, 0)
  const parts: CarrierPart[] = [{kind: 'bytes', bytes: word}]
  const seen = new Set<number>()
  let contents = 0
  for (const stream of frame.streams) {
    if (stream.name === undefined) seen.add(stream.id)
    if (stream.id === StreamId.data && stream.inline === undefined) contents++
    for (const part of partsOf(subject, stream)) parts.push(part)
  }
  parts.push({kind: 'bytes', bytes: frame.tail})
  if (meta.securityDescriptor !== undefined && !seen.has(StreamId.security))
    throw unfit('It lacks the security descriptor.')
  if ((meta.extendedAttributes?.length ?? 0) > 0 && !seen.has(StreamId.extendedAttributes))
    throw unfit('It lacks the extended attributes.')
  if (meta.reparsePoint !== undefined && !seen.has(StreamId.reparseData)) throw unfit('It lacks the reparse point.')
  // Content lies in the frame itself only for a link, whose entry in a tar has no body.
  const isLink = meta.reparsePoint !== undefined && findLink(meta.reparsePoint) !== undefined
  if (contents > 1 || ((contentBytes ?? 0) > 0 && contents === 0 && !(isLink && seen.has(StreamId.data))))
    throw unfit(`It has ${contents} content streams.`)
  return {
    parts: parts.filter((part) => part.kind !== 'bytes' || part.bytes.byteLength > 0),
    isFramed: true,
    isAbsent: false,
  }
}

function partsOf(subject: CarrierSubject, stream: FrameStream): CarrierPart[] {
  const {id, attributes, inline, sparse} = stream
  if (inline !== undefined) {
    const header = encodeStreamHeader({
      id,
      attributes,
      sizeBytes: inline.byteLength,
      ...(stream.name === undefined ? {} : {name: stream.name}),
    })
    return [
      {kind: 'bytes', bytes: header},
      {kind: 'bytes', bytes: inline},
    ]
  }
  if (id === StreamId.alternateData)
    return [{kind: 'stream', attributes, sizeBytes: stream.sizeBytes ?? 0, ...(sparse === undefined ? {} : {sparse})}]
  if (id === StreamId.data) return contentParts(subject, stream)
  const payload = payloadOf(subject, id)
  return [
    {kind: 'bytes', bytes: encodeStreamHeader({id, attributes, sizeBytes: payload.byteLength})},
    {kind: 'bytes', bytes: payload},
  ]
}

function contentParts({contentBytes = 0}: CarrierSubject, {id, attributes, sparse}: FrameStream): CarrierPart[] {
  if (sparse !== undefined && sparse.sizeBytes !== contentBytes)
    throw unfit(`Its sparse map covers ${sparse.sizeBytes} bytes, but the content has ${contentBytes}.`)
  return [
    {kind: 'bytes', bytes: encodeStreamHeader({id, attributes, sizeBytes: sparse?.headBytes ?? contentBytes})},
    {kind: 'content', sizeBytes: contentBytes, ...(sparse === undefined ? {} : {sparse})},
  ]
}

function payloadOf({meta}: CarrierSubject, id: number): Uint8Array {
  switch (id) {
    case StreamId.security:
      if (meta.securityDescriptor !== undefined) return meta.securityDescriptor
      break
    case StreamId.extendedAttributes:
      if (meta.extendedAttributes !== undefined && meta.extendedAttributes.length > 0)
        return encodeExtendedAttributes(canonicalExtendedAttributes(meta.extendedAttributes))
      break
    case StreamId.reparseData:
      if (meta.reparsePoint !== undefined) return meta.reparsePoint
  }
  throw unfit(`It takes the data of stream ${id} from the entry, which has none.`)
}

import type {ByteSource} from '../../codecs/backup-stream/byte-source.js'
import {decodeCarrier} from '../../codecs/carrier/decode-carrier.js'
import {encodeAlternateHeader, encodeCarrierHead, type CarrierSubject} from '../../codecs/carrier/plan-carrier.js'
import type {AlternateStream, EntryFrame} from '../../model/layer-entry.js'

/**
 * What a layer tar needs beside its own words to say what the entry says: most reparse points, and extended attributes of
 * names that are none in a tar. It is the form of the carrier that the entry would have in a transport layout; none for
 * an entry that a tar can spell.
 */
export function layoutFrameOf(subject: CarrierSubject, streams: readonly AlternateStream[]): {frame?: EntryFrame} {
  const {reparsePoint, extendedAttributes} = subject.meta
  if (reparsePoint === undefined && extendedAttributes === undefined) return {}
  const parts: Part[] = [{bytes: encodeCarrierHead(subject)}, {zeros: subject.contentBytes ?? 0}]
  for (const {name, content} of streams)
    parts.push({bytes: encodeAlternateHeader(name, content.size)}, {zeros: content.size})
  const {frame} = decodeCarrier(sourceOf(parts), subject.kind)
  return frame === undefined ? {} : {frame: {layout: frame}}
}

/** The content of a stream is not looked at: zeros stand for it. */
type Part = {readonly bytes: Uint8Array} | {readonly zeros: number}

function sourceOf(parts: readonly Part[]): ByteSource {
  const placed: {readonly start: number; readonly end: number; readonly bytes: Uint8Array | undefined}[] = []
  let sizeBytes = 0
  for (const part of parts) {
    const length = 'bytes' in part ? part.bytes.byteLength : part.zeros
    placed.push({start: sizeBytes, end: sizeBytes + length, bytes: 'bytes' in part ? part.bytes : undefined})
    sizeBytes += length
  }
  return {
    sizeBytes,
    read: (offset, length) => {
      const made = new Uint8Array(length)
      for (const {start, end, bytes} of placed) {
        if (bytes === undefined || end <= offset || start >= offset + length) continue
        made.set(bytes.subarray(Math.max(0, offset - start), offset + length - start), Math.max(0, start - offset))
      }
      return made
    },
  }
}

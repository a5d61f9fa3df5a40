import type {Carrier, CarrierKind, StreamLocation} from '../../src/codecs/carrier/carrier.js'
import type {ContentLayout} from '../../src/codecs/carrier/carrier-frame.js'
import {encodeAlternateHeader, encodeBlockHeader, planCarrier} from '../../src/codecs/carrier/plan-carrier.js'

/** The logical bytes of a stream of a carrier in memory. */
export function contentBytes(carrier: Uint8Array, location: StreamLocation): Uint8Array {
  const content = Buffer.alloc(location.sizeBytes)
  for (const {offset, length, position} of location.extents)
    content.set(carrier.subarray(position, position + length), offset)
  return content
}

/** Writes a carrier in memory from a decoded one, as a writer on disk does. */
export function assembleCarrier(
  kind: CarrierKind,
  decoded: Carrier,
  content: Uint8Array | undefined,
  streams: readonly {name: string; bytes: Uint8Array}[],
  frame: Uint8Array | undefined,
): Buffer {
  const plan = planCarrier(
    {kind, meta: decoded, ...(content === undefined ? {} : {contentBytes: content.byteLength})},
    frame,
    (why) => {
      throw new Error(`the frame was not usable: ${why}`)
    },
  )
  const pieces: Uint8Array[] = []
  const rest = [...streams]
  for (const part of plan.parts) {
    if (part.kind === 'bytes') pieces.push(part.bytes)
    else if (part.kind === 'content') pieces.push(...laidOut(content ?? new Uint8Array(), part.sparse))
    else {
      const {name, bytes} = rest.shift()!
      pieces.push(encodeAlternateHeader(name, part.sparse?.headBytes ?? bytes.byteLength, part.attributes))
      pieces.push(...laidOut(bytes, part.sparse))
    }
  }
  for (const {name, bytes} of rest) pieces.push(encodeAlternateHeader(name, bytes.byteLength), bytes)
  return Buffer.concat(pieces)
}

function laidOut(content: Uint8Array, sparse: ContentLayout | undefined): Uint8Array[] {
  if (sparse === undefined) return [content]
  const pieces = [content.subarray(0, sparse.headBytes)]
  for (const block of sparse.blocks)
    pieces.push(encodeBlockHeader(block), content.subarray(block.offset, block.offset + block.length))
  return pieces
}

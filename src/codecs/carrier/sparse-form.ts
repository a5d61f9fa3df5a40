import type {Content} from '../../model/content.js'
import {storedBytesOf} from '../../model/sparse-content.js'
import {StreamAttribute, StreamId} from '../backup-stream/stream-header.js'
import {decodeCarrierFrame, type ContentLayout} from './carrier-frame.js'

/*
 * The form of sparse content in a carrier: a data stream of no bytes with the attribute SPARSE, a block for each range, and
 * an empty block at the end of the file. Source: transport layout page, section 2.4, form (d); MS-BKUP 2.2.
 */

/** Holes below this are spelt out: hcsshim cannot export a carrier with blocks, and a few zeros cost less than that. */
const MIN_HOLE_BYTES = 2 ** 20
/** With more ranges the form of the carrier would no longer fit a header of a tar. */
const MAX_BLOCKS = 16_384

/** How sparse content is laid into blocks; undefined where it goes into the carrier in one piece. */
export function findSparseLayout(content: Pick<Content, 'size' | 'ranges'> | undefined): ContentLayout | undefined {
  if (content?.ranges === undefined || content.ranges.length > MAX_BLOCKS) return undefined
  if (content.size - storedBytesOf(content) < MIN_HOLE_BYTES) return undefined
  const blocks = content.ranges.map(({offset, length}) => ({offset, length, attributes: 0}))
  return {headBytes: 0, blocks: [...blocks, {offset: content.size, length: 0, attributes: 0}]}
}

/** True for the frame of a carrier that is as `findSparseLayout` has it written, and otherwise as Microsoft's importer does. */
export function isSparseForm(frameBytes: Uint8Array): boolean {
  const {attributes, isAbsent, streams, tail} = decodeCarrierFrame(frameBytes)
  if (attributes !== undefined || isAbsent === true || tail.byteLength > 0) return false
  return streams.every((stream) => {
    if (stream.name !== undefined || stream.inline !== undefined) return false
    if (stream.sparse === undefined) return stream.attributes === 0
    const {headBytes, sizeBytes, blocks} = stream.sparse
    const last = blocks.at(-1)
    return (
      (stream.id === StreamId.data || stream.id === StreamId.alternateData) &&
      stream.attributes === StreamAttribute.sparse &&
      headBytes === 0 &&
      last?.offset === sizeBytes &&
      last.length === 0 &&
      blocks.every((block) => block.attributes === 0)
    )
  })
}

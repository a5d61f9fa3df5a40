import {InputError} from '../../model/errors.js'

const NEWLINE = 0x0a
/** The longest line of an index: a path of 32,767 units, escaped, twice. */
const MAX_LINE_BYTES = 1024 * 1024

/** Lines with their ends; the last one may have none. Throws `METADATA_INVALID` for one that is no line of an index. */
export function* linesOf(pieces: Iterable<Uint8Array>): Generator<Buffer> {
  let rest = Buffer.alloc(0)
  for (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE, rest.byteLength); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      yield bytes.subarray(start, end + 1)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.byteLength > MAX_LINE_BYTES) {
      throw new InputError('METADATA_INVALID', {
        what: 'A line of payload-index.jsonl is malformed.',
        why: `It is longer than ${MAX_LINE_BYTES} bytes.`,
        suggestions: ['Restore the file from a copy, or delete it to use the times on disk.'],
      })
    }
  }
  if (rest.byteLength > 0) yield rest
}

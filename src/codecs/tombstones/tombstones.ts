import {isUtf8} from 'node:buffer'
import {InputError} from '../../model/errors.js'
import {parseLayerPath, payloadPart, type LayerPath} from '../../model/layer-path.js'

/** First line of the file behind the byte order mark. Source: hcsshim internal/wclayer/legacy.go. */
const VERSION_LINE = 'Version 1.0'
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
/** Microsoft's reader takes no longer line. Source: Go bufio.MaxScanTokenSize. */
const MAX_LINE_BYTES = 64 * 1024
const TOP = 'Files/'

function corrupt(why: string, offset: number): InputError {
  return new InputError('TOMBSTONES_CORRUPT', {
    what: 'The list of deletions, tombstones.txt, is damaged.',
    why,
    at: {offset},
  })
}

/**
 * The deleted paths in file order, duplicates included, as layer paths (`Files/dir/gone.txt`). Accepts LF and CRLF and a
 * missing last line end. Throws `TOMBSTONES_CORRUPT` for another first line, an empty line, a line that does not start
 * with one backslash, or one that is no valid UTF-8; `NAME_UNSAFE` and `NAME_RESERVED` for what could point outside
 * `Files` or names no Windows file. Source: hcsshim internal/wclayer/legacy.go readTombstones.
 */
export function decodeTombstones(file: Uint8Array): LayerPath[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (!bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) throw corrupt('It does not start with the bytes EF BB BF.', 0)
  // A byte sequence that is no UTF-8 would come back as another name, and another file would be deleted.
  if (!isUtf8(bytes)) throw corrupt('It is not valid UTF-8.', 0)
  const paths: LayerPath[] = []
  let isFirst = true
  let position = 3
  while (position < bytes.byteLength) {
    const lineEnd = bytes.indexOf(0x0a, position)
    const end = lineEnd < 0 ? bytes.byteLength : lineEnd
    if (end - position > MAX_LINE_BYTES) throw corrupt(`A line is longer than ${MAX_LINE_BYTES} bytes.`, position)
    const line = bytes.toString('utf8', position, end > position && bytes[end - 1] === 0x0d ? end - 1 : end)
    if (isFirst) {
      if (line !== VERSION_LINE)
        throw corrupt(`Its first line is ${JSON.stringify(line.slice(0, 40))}, not '${VERSION_LINE}'.`, position)
      isFirst = false
    } else {
      paths.push(pathOfLine(line, position))
    }
    position = end + 1
  }
  if (isFirst) throw corrupt(`It does not start with the line '${VERSION_LINE}'.`, 3)
  return paths
}

function pathOfLine(line: string, offset: number): LayerPath {
  if (!line.startsWith('\\'))
    throw corrupt(`The line ${JSON.stringify(line.slice(0, 100))} does not start with a backslash.`, offset)
  if (line.includes('/')) throw corrupt(`The line ${JSON.stringify(line.slice(0, 100))} contains a slash.`, offset)
  return parseLayerPath(`Files/${line.slice(1).replaceAll('\\', '/')}`)
}

/**
 * The line of a path below `Files`, however that is spelt: `\dir\gone.txt`; undefined for any other path, which the file
 * cannot express.
 */
export function findTombstoneLine(path: LayerPath): string | undefined {
  const isBelowFiles = payloadPart(path) === 'files' && path.length > TOP.length
  return isBelowFiles ? `\\${path.slice(TOP.length).replaceAll('/', '\\')}` : undefined
}

/**
 * The file's bytes: byte order mark, version line, one line a path, LF after each line, the last one too. Paths that are
 * not below `Files` are refused with `NAME_UNSAFE`. Source: hcsshim before 731a68d7e.
 */
export function encodeTombstones(paths: Iterable<LayerPath>): Uint8Array {
  const lines = [VERSION_LINE]
  for (const path of paths) {
    const line = findTombstoneLine(path)
    if (line === undefined) {
      throw new InputError('NAME_UNSAFE', {
        what: `A transport layout cannot store the deletion of '${path}'.`,
        why: 'tombstones.txt can only name paths below Files.',
      })
    }
    lines.push(line)
  }
  return Buffer.concat([BYTE_ORDER_MARK, Buffer.from(`${lines.join('\n')}\n`)])
}

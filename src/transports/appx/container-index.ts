import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'

/*
 * payload-index.jsonl inside a package. Beside what it says of the payload it holds what a zip cannot: `"z":"Escaped/…"` at
 * the end of the line of a file whose name AppX refuses, and lines with nothing but `p` and `z` for such files that the
 * index does not list, or with nothing but a `p` that ends in `/` for folders in which nothing lies. Without them it is the
 * index of the package, byte for byte. Source: inbox package page, section 3.3; the lines without facts are our addition.
 */

/** What the index of a package in a container adds to that of the package. */
export interface ContainerIndex {
  /** Path in the package -> the name of its part. */
  readonly escapes: ReadonlyMap<string, string>
  /** Folders that no part shows. */
  readonly folders: readonly string[]
}

export const ESCAPED_FOLDER = 'Escaped'
const ESCAPE = /,"z":"(Escaped\/[0-9a-f]{8})"\}$/
const NEWLINE = 0x0a

/** The folder that a file is the sidecar of, so that it is there even if nothing lies in it; undefined for other files. */
export function findSidecarFolder(path: string): string | undefined {
  if (!path.endsWith(DIRECTORY_CARRIER_SUFFIX)) return undefined
  return path.includes('/') && !/^(?:files|utilityvm)\//i.test(path)
    ? undefined
    : path.slice(0, -DIRECTORY_CARRIER_SUFFIX.length)
}

/** The name of the n-th escaped part, from 1. */
export function escapedName(count: number): string {
  return `${ESCAPED_FOLDER}/${count.toString(16).padStart(8, '0')}`
}

/** The index as the container keeps it. */
export function joinIndex(index: Uint8Array, added: ContainerIndex): Buffer {
  const left = new Map(added.escapes)
  const pieces: Buffer[] = []
  for (const line of linesOf(index)) {
    const text = line.toString('utf8')
    const path = left.size === 0 ? undefined : pathOf(text)
    const escaped = path === undefined ? undefined : left.get(path)
    if (path === undefined || escaped === undefined) {
      pieces.push(line)
      continue
    }
    left.delete(path)
    pieces.push(Buffer.from(text.replace(/\}(\n?)$/, `,"z":"${escaped}"}$1`)))
  }
  for (const [path, z] of left) pieces.push(Buffer.from(`${JSON.stringify({p: path, z})}\n`))
  for (const folder of added.folders) pieces.push(Buffer.from(`${JSON.stringify({p: `${folder}/`})}\n`))
  return Buffer.concat(pieces)
}

/** The inverse of `joinIndex`; with the folders that the index itself tells of. */
export function splitIndex(bytes: Uint8Array): ContainerIndex & {readonly index: Uint8Array} {
  const escapes = new Map<string, string>()
  const folders: string[] = []
  const pieces: Uint8Array[] = []
  for (const line of linesOf(bytes)) {
    // Of a million lines, all but a few are files with nothing to add.
    const isFile = line.includes('"s":')
    if (isFile && !line.includes('"z":')) {
      pieces.push(line)
      continue
    }
    const text = line.toString('utf8').replace(/\n$/, '')
    const path = pathOf(text)
    const escaped = ESCAPE.exec(text)?.[1]
    if (path === undefined) {
      pieces.push(line)
      continue
    }
    if (escaped !== undefined) escapes.set(path, escaped)
    else if (!isFile) folders.push(path.replace(/\/$/, ''))
    const own = escaped === undefined ? text : text.replace(ESCAPE, '}')
    if (own !== JSON.stringify({p: path})) pieces.push(escaped === undefined ? line : Buffer.from(`${own}\n`))
  }
  return {index: pieces.length === 0 ? new Uint8Array(0) : Buffer.concat(pieces), escapes, folders}
}

function pathOf(line: string): string | undefined {
  try {
    const json: unknown = JSON.parse(line)
    return typeof json === 'object' && json !== null && 'p' in json && typeof json.p === 'string' ? json.p : undefined
  } catch {
    return undefined
  }
}

/** Lines with their ends. */
function* linesOf(bytes: Uint8Array): Generator<Buffer> {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = 0; start < whole.byteLength;) {
    const end = whole.indexOf(NEWLINE, start)
    const next = end < 0 ? whole.byteLength : end + 1
    yield whole.subarray(start, next)
    start = next
  }
}

import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {linesOf} from '../../formats/transport-layout/lines-of.js'

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

/** The index as the container keeps it, in pieces. */
export function* joinIndex(index: Iterable<Uint8Array>, added: ContainerIndex): Generator<Buffer> {
  const left = new Map(added.escapes)
  for (const line of linesOf(index)) {
    const text = line.toString('utf8')
    const path = left.size === 0 ? undefined : pathOf(text)
    const escaped = path === undefined ? undefined : left.get(path)
    if (path === undefined || escaped === undefined) {
      yield line
      continue
    }
    left.delete(path)
    yield Buffer.from(text.replace(/\}(\n?)$/, `,"z":"${escaped}"}$1`))
  }
  for (const [path, z] of left) yield Buffer.from(`${JSON.stringify({p: path, z})}\n`)
  for (const folder of added.folders) yield Buffer.from(`${JSON.stringify({p: `${folder}/`})}\n`)
}

/** The inverse of `joinIndex`; with the folders that the index itself tells of. */
export function splitIndex(bytes: Iterable<Uint8Array>): ContainerIndex & {readonly index: SplicedIndex} {
  const escapes = new Map<string, string>()
  const folders: string[] = []
  const index = new SplicedIndex()
  let at = 0
  for (const line of linesOf(bytes)) {
    const own = ownLine(line, escapes, folders)
    if (own === line) index.keep(at, line.byteLength)
    else if (own !== undefined) index.replace(own)
    at += line.byteLength
  }
  return {index, escapes, folders}
}

/** The line as the package has it, the same when nothing was added; undefined for one that was. */
function ownLine(line: Buffer, escapes: Map<string, string>, folders: string[]): Buffer | undefined {
  // Of a million lines, all but a few are files with nothing to add.
  const isFile = line.includes('"s":')
  if (isFile && !line.includes('"z":')) return line
  const text = line.toString('utf8').replace(/\n$/, '')
  const path = pathOf(text)
  const escaped = ESCAPE.exec(text)?.[1]
  if (path === undefined) return line
  if (escaped !== undefined) escapes.set(path, escaped)
  else if (!isFile) folders.push(path.replace(/\/$/, ''))
  const own = escaped === undefined ? text : text.replace(ESCAPE, '}')
  if (own === JSON.stringify({p: path})) return undefined
  return escaped === undefined ? line : Buffer.from(`${own}\n`)
}

type Splice = {readonly start: number} & ({readonly from: number} | {readonly bytes: Buffer})

/** The index of a package as runs of that in its container, and the lines that differ between them. */
export class SplicedIndex {
  readonly #splices: Splice[] = []
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Goes on with bytes of the container's index. */
  keep(from: number, length: number): void {
    const last = this.#splices.at(-1)
    const goesOn = last !== undefined && 'from' in last && last.from + this.#sizeBytes - last.start === from
    if (!goesOn) this.#splices.push({start: this.#sizeBytes, from})
    this.#sizeBytes += length
  }

  replace(bytes: Buffer): void {
    this.#splices.push({start: this.#sizeBytes, bytes})
    this.#sizeBytes += bytes.byteLength
  }

  /** Fills `into` from `offset` on; `read` does that of the container's index. */
  read(offset: number, into: Uint8Array, read: (offset: number, into: Uint8Array) => void): void {
    for (let done = 0, number = this.#find(offset); done < into.byteLength; number++) {
      const splice = this.#splices[number]
      if (splice === undefined) throw new RangeError('Read past the end of the index.')
      const end = this.#splices[number + 1]?.start ?? this.#sizeBytes
      const at = offset + done
      const target = into.subarray(done, done + Math.min(end - at, into.byteLength - done))
      if ('from' in splice) read(splice.from + at - splice.start, target)
      else target.set(splice.bytes.subarray(at - splice.start, at - splice.start + target.byteLength))
      done += target.byteLength
    }
  }

  /** The last one that does not start behind the place. */
  #find(offset: number): number {
    let [low, high] = [0, this.#splices.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#splices[middle]?.start ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function pathOf(line: string): string | undefined {
  try {
    const json: unknown = JSON.parse(line)
    return typeof json === 'object' && json !== null && 'p' in json && typeof json.p === 'string' ? json.p : undefined
  } catch {
    return undefined
  }
}

import {InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {EditList, type FileEdit, type PayloadEdits} from '../../model/payload-edits.js'
import type {Fault} from '../../model/transport.js'
import type {LayoutFiles} from './layout-files.js'
import type {IndexLine, PayloadIndex} from './payload-index.js'
import type {TransportLayout} from './read-layout.js'
import {TOMBSTONES} from './scan-layout.js'

/** What the index knows of a name: what lies there, and the sidecar beside it. */
const [ITSELF, SIDECAR] = [1, 2]

export interface IndexVerdict {
  readonly faults: readonly Fault[]
  /** What the faults say of the files. */
  readonly edits: PayloadEdits
  readonly bytes: number
}

/** Checks each file of a payload against its index: there, of that size, with those bytes; and nothing beside them. */
export async function verifyIndex(
  layout: TransportLayout,
  index: PayloadIndex,
  options: WorkOptions,
): Promise<IndexVerdict> {
  const faults: Fault[] = []
  const edits = new EditList()
  let bytes = 0
  const known = new KnownFiles(layout)
  for (const line of index.lines()) {
    options.signal?.throwIfAborted()
    const name = line.path
    known.add(name)
    try {
      const lineBytes = await verifyLine(layout.files, line, options.signal)
      bytes += lineBytes
    } catch (error) {
      if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
      faults.push({code: error.code, message: [error.what, error.why].join(' ').trim(), subject: name})
      edits.add(name, kindOf(layout, name, error))
    }
  }
  for (const subject of known.missing()) {
    faults.push({code: 'ARCHIVE_CONTRADICTORY', message: 'The index does not list this file.', subject})
    edits.add(subject, 'added')
  }
  return {faults, edits: edits.edits, bytes}
}

/** A name in another case, and a folder without its metadata, are there all the same. */
function kindOf({scanned}: TransportLayout, name: string, {code}: TransshipError): FileEdit['kind'] {
  if (code !== 'NOT_FOUND') return 'changed'
  return scanned.nodes.numberOnDisk(withoutSuffix(name)) === 0 ? 'removed' : 'changed'
}

function withoutSuffix(name: string): string {
  return name.endsWith(DIRECTORY_CARRIER_SUFFIX) ? name.slice(0, -DIRECTORY_CARRIER_SUFFIX.length) : name
}

async function verifyLine(
  files: LayoutFiles,
  {path, sizeBytes, sha256}: IndexLine,
  signal: AbortSignal | undefined,
): Promise<number> {
  const facts = files.find(path, path)
  if (facts === undefined) throw new InputError('NOT_FOUND', {what: 'The file is missing.'})
  if (sizeBytes === undefined) return 0
  if (facts.sizeBytes !== sizeBytes) {
    throw new InputError('SIZE_MISMATCH', {
      what: 'The file has changed.',
      why: `Expected ${sizeBytes} bytes, found ${facts.sizeBytes}.`,
    })
  }
  if (sha256 === undefined) return 0
  const found = await files.hash(path, signal)
  if (found !== sha256) {
    throw new InputError('DIGEST_MISMATCH', {what: 'The file has changed.', why: `Expected ${sha256}, found ${found}.`})
  }
  return sizeBytes
}

/** Which files of the payload the index has told of, by the numbers of their nodes: there may be a million. */
class KnownFiles {
  readonly #layout: TransportLayout
  readonly #known: Uint8Array
  #knowsTombstones = false

  constructor(layout: TransportLayout) {
    this.#layout = layout
    this.#known = new Uint8Array(layout.scanned.nodes.lastNumber + 1)
  }

  add(name: string): void {
    this.#mark(name, ITSELF)
    if (name.endsWith(DIRECTORY_CARRIER_SUFFIX)) this.#mark(withoutSuffix(name), SIDECAR)
    if (name === TOMBSTONES) this.#knowsTombstones = true
  }

  #mark(name: string, what: number): void {
    const number = this.#layout.scanned.nodes.numberOnDisk(name)
    this.#known[number] = (this.#known[number] ?? 0) | what
  }

  #has(name: string, what: number): boolean {
    return ((this.#known[this.#layout.scanned.nodes.numberOnDisk(name)] ?? 0) & what) !== 0
  }

  /** Files as the index should name them. */
  *missing(): Generator<string> {
    const {nodes, tombstones} = this.#layout.scanned
    for (const [, {kind, diskPath}] of nodes.numbered()) {
      const sidecar = `${diskPath}${DIRECTORY_CARRIER_SUFFIX}`
      if (kind === 'file') {
        if (!this.#has(diskPath, ITSELF)) yield diskPath
      } else if (!this.#has(diskPath, SIDECAR) && this.#layout.files.find(sidecar, sidecar) !== undefined) yield sidecar
    }
    if (tombstones !== undefined && !this.#knowsTombstones) yield TOMBSTONES
  }
}

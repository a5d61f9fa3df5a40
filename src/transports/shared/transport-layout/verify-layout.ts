import {InputError, TransshipError} from '../../../model/errors.js'
import type {WorkOptions} from '../../../model/events.js'
import {DIRECTORY_CARRIER_SUFFIX} from '../../../model/layer-path.js'
import {PathTable} from '../../../model/path-table.js'
import type {Fault} from '../../transport.js'
import type {LayoutFiles} from './layout-files.js'
import type {IndexLine, PayloadIndex} from './payload-index.js'
import type {TransportLayout} from './read-layout.js'

const SEEN = 1

/** Checks each file of a payload against its index: there, of that size, with those bytes; and nothing beside them. */
export function verifyIndex(
  layout: TransportLayout,
  index: PayloadIndex,
  options: WorkOptions,
): {readonly faults: readonly Fault[]; readonly bytes: number} {
  const faults: Fault[] = []
  let bytes = 0
  const seen = new PathTable()
  for (const line of index.lines()) {
    options.signal?.throwIfAborted()
    const name = line.path
    seen.set(name, SEEN)
    try {
      bytes += verifyLine(layout.files, line)
    } catch (error) {
      if (!(error instanceof TransshipError)) throw error
      faults.push({code: error.code, message: [error.what, error.why].join(' ').trim(), subject: name})
    }
  }
  for (const name of payloadFiles(layout)) {
    if (seen.get(name) !== SEEN)
      faults.push({code: 'ARCHIVE_CONTRADICTORY', message: 'The index does not know it.', subject: name})
  }
  return {faults, bytes}
}

function verifyLine(files: LayoutFiles, {path, sizeBytes, sha256}: IndexLine): number {
  const facts = files.find(path, path)
  if (facts === undefined) throw new InputError('NOT_FOUND', {what: 'It is missing.'})
  if (sizeBytes === undefined) return 0
  if (facts.sizeBytes !== sizeBytes) {
    throw new InputError('SIZE_MISMATCH', {
      what: 'It was changed.',
      why: `Expected ${sizeBytes} bytes, found ${facts.sizeBytes}.`,
    })
  }
  if (sha256 === undefined) return 0
  const found = files.hash(path)
  if (found !== sha256) {
    throw new InputError('DIGEST_MISMATCH', {what: 'It was changed.', why: `Expected ${sha256}, found ${found}.`})
  }
  return sizeBytes
}

/** Files of the payload as the index names them. */
function* payloadFiles(layout: TransportLayout): Generator<string> {
  for (const node of layout.scanned.nodes) {
    if (node.kind === 'tombstone') continue
    if (node.kind === 'file') yield node.diskPath
    else {
      const sidecar = `${node.diskPath}${DIRECTORY_CARRIER_SUFFIX}`
      if (layout.files.find(sidecar, sidecar) !== undefined) yield sidecar
    }
  }
  if (layout.scanned.tombstones !== undefined) yield 'tombstones.txt'
}

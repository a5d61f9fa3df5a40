import type {WorkOptions} from '../../model/events.js'
import {DIRECTORY_CARRIER_SUFFIX, payloadPart} from '../../model/layer-path.js'
import {FileAttribute} from '../../model/windows-metadata.js'
import type {DiskNode} from './layout-nodes.js'
import type {IndexLine, PayloadIndex} from './payload-index.js'
import type {TransportLayout} from './read-layout.js'
import {TOMBSTONES} from './scan-layout.js'

/** `isPlain`: the payload is a plain tree. */
export interface UnusualOptions extends WorkOptions {
  readonly isPlain: boolean
}

/**
 * The first file or folder of which the index tells less or more than it would, were it made of this layout: the same
 * payload then gets another index when it is written again. Undefined where there is none. That each line is spelt as it
 * should be, and true of its file, is checked elsewhere.
 */
export function findUnusualLine(
  layout: TransportLayout,
  index: PayloadIndex,
  {isPlain, signal}: UnusualOptions,
): string | undefined {
  let known = 0
  const get = (name: string): IndexLine | undefined => {
    const line = index.get(name)
    if (line !== undefined) known++
    return line
  }
  const {nodes, tombstones} = layout.scanned
  if (tombstones !== undefined && !isWhole(get(TOMBSTONES))) return TOMBSTONES
  for (const node of nodes) {
    signal?.throwIfAborted()
    if (node.kind === 'tombstone') continue
    const isUsual = node.kind === 'file' ? isUsualFile(layout, node, get) : isUsualFolder(layout, node, {get, isPlain})
    if (!isUsual) return node.diskPath
  }
  return index.count === known ? undefined : 'payload-index.jsonl'
}

type Get = (name: string) => IndexLine | undefined

/** Of everything that is a file, the index tells size and digest. */
function isWhole(line: IndexLine | undefined): line is IndexLine {
  return line?.sizeBytes !== undefined && line.sha256 !== undefined
}

/** Attributes and the like stand where no carrier holds them, and nowhere else. */
function hasMetadata({attributes, metadata}: IndexLine): boolean {
  return attributes !== undefined || metadata !== undefined
}

function isUsualFile(layout: TransportLayout, node: DiskNode, get: Get): boolean {
  const line = get(node.diskPath)
  if (!isWhole(line) || line.times === undefined) return false
  if (node.isCarrier ? hasMetadata(line) : !isOfKind(line, 'file')) return false
  const group = layout.files.find(node.diskPath, node.diskPath)?.linkGroup ?? ''
  if (group === '' && line.link === undefined) return true
  return (layout.entry(node).kind === 'hard-link') === (line.link !== undefined)
}

function isUsualFolder(
  layout: TransportLayout,
  node: DiskNode,
  {get, isPlain}: {readonly get: Get; readonly isPlain: boolean},
): boolean {
  const own = get(node.diskPath)
  const isTop = !node.path.includes('/') && payloadPart(node.path) !== 'utility-vm'
  const sidecar = `${node.diskPath}${DIRECTORY_CARRIER_SUFFIX}`
  if (layout.files.find(sidecar, sidecar) !== undefined) {
    const line = get(sidecar)
    if (!isWhole(line) || line.times === undefined || hasMetadata(line)) return false
    return isTop ? own === undefined || !hasMetadata(own) : own === undefined
  }
  if (isTop && !isPlain) return false
  if (own?.times === undefined || own.sizeBytes !== undefined || own.sha256 !== undefined) return false
  return node.isCarrier || node.lacksCarrier === true ? !hasMetadata(own) : isOfKind(own, 'directory')
}

/** Attributes that say of what kind it is: a layer makes them say so. */
function isOfKind({attributes}: IndexLine, kind: 'file' | 'directory'): boolean {
  return attributes !== undefined && ((attributes & FileAttribute.directory) !== 0) === (kind === 'directory')
}

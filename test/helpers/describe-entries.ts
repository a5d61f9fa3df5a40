import {createHash} from 'node:crypto'
import {decodeCarrierFrame} from '../../src/codecs/carrier/carrier-frame.js'
import {findLink} from '../../src/codecs/reparse-point/encode-reparse-point.js'
import {decodeReparsePoint} from '../../src/codecs/reparse-point/decode-reparse-point.js'
import type {Content} from '../../src/model/content.js'
import type {AlternateStream, LayerEntry} from '../../src/model/layer-entry.js'
import {FileAttribute, UNIX_EPOCH, type FileTime, type WindowsMetadata} from '../../src/model/windows-metadata.js'

/** A line of the vectors' listings. */
export type EntryLine = Record<string, unknown> & {path: string}

function isoTime(time: FileTime): string {
  const ticks = time - UNIX_EPOCH
  const fraction = ((ticks % 10_000_000n) + 10_000_000n) % 10_000_000n
  const seconds = (ticks - fraction) / 10_000_000n
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${whole}.${fraction.toString().padStart(7, '0')}Z`
}

async function summary(content: Content | undefined): Promise<{size: number; sha256: string}> {
  const hash = createHash('sha256')
  let size = 0
  if (content?.bytes !== undefined) {
    hash.update(content.bytes)
    size = content.bytes.byteLength
  } else if (content !== undefined) {
    for await (const piece of content.open()) {
      hash.update(piece)
      size += piece.byteLength
    }
  }
  return {size, sha256: hash.digest('hex')}
}

async function streamLines(streams: AsyncIterable<AlternateStream> | undefined): Promise<unknown[]> {
  const lines: {name: string}[] = []
  for await (const {name, content} of streams ?? []) lines.push({name, ...(await summary(content))})
  // The listings have them by name.
  return lines.sort((left, right) => (left.name < right.name ? -1 : 1))
}

function metadataLine(meta: WindowsMetadata): Record<string, unknown> {
  const {times, reparsePoint} = meta
  const link = reparsePoint === undefined ? undefined : findLink(reparsePoint)
  return {
    attr: meta.attributes,
    mtime: isoTime(times.lastWrite),
    atime: isoTime(times.lastAccess),
    ctime: isoTime(times.change),
    crtime: isoTime(times.creation),
    sd: Buffer.from(meta.securityDescriptor ?? []).toString('base64'),
    ea: (meta.extendedAttributes ?? []).map(({name, flags, value}) => ({
      name,
      ...(flags === 0 ? {} : {flags}),
      value: Buffer.from(value).toString('base64'),
    })),
    ...(link === undefined ? {} : {target: link.target}),
    ...(reparsePoint === undefined ? {} : {reparse: Buffer.from(reparsePoint).toString('base64')}),
  }
}

function typeOf(entry: LayerEntry & {kind: 'file' | 'directory'}): string {
  const {reparsePoint} = entry.meta
  if (reparsePoint === undefined) return entry.kind === 'directory' ? 'dir' : 'file'
  if (decodeReparsePoint(reparsePoint).kind === 'junction') return 'junction'
  return (entry.meta.attributes & FileAttribute.directory) === 0 ? 'symlink' : 'dirsymlink'
}

/** Streams that only the frame holds, by their ids. */
function otherStreams(layout: Uint8Array | undefined): Record<string, unknown> {
  if (layout?.[0] !== 1) return {}
  const ids = decodeCarrierFrame(layout)
    .streams.map(({id}) => id)
    .filter((id) => [5, 6, 7, 10].includes(id))
  return ids.length === 0 ? {} : {other: ids}
}

/** Entries as lines of the vectors' listings; a hard link says what its target is, and both name the first of them. */
export async function describeEntries(entries: AsyncIterable<LayerEntry>): Promise<EntryLine[]> {
  const lines: EntryLine[] = []
  const byPath = new Map<string, EntryLine>()
  for await (const entry of entries) {
    if (entry.kind === 'frame' || entry.kind === 'opaque') continue
    let line: EntryLine
    if (entry.kind === 'tombstone') line = {path: entry.path, type: 'tombstone'}
    else if (entry.kind === 'hard-link') {
      const target = byPath.get(entry.target)
      if (target !== undefined) target['link'] = entry.target
      line = {...target, path: entry.path, link: entry.target}
    } else {
      const content = entry.kind === 'file' ? await summary(entry.content) : {}
      const ads = await streamLines(entry.streams)
      const other = otherStreams(entry.frame?.layout)
      line = {path: entry.path, type: typeOf(entry), ...content, ...metadataLine(entry.meta), ads, ...other}
    }
    lines.push(line)
    byPath.set(line.path, line)
  }
  return lines
}

import type {AlternateStream, DirectoryEntry, FileEntry, HardLinkEntry} from '../../model/layer-entry.js'
import {baseName, parentPath, type LayerPath} from '../../model/layer-path.js'
import type {WindowsMetadata} from '../../model/windows-metadata.js'
import {findLink} from '../reparse-point/encode-reparse-point.js'
import {encodeTarHeader} from '../tar/tar-header.js'
import {nanosecondsOf} from '../tar/pax.js'
import {encodeMetadata, KEY} from './metadata-records.js'

/*
 * The one spelling of an entry in a layer tar: what Microsoft's own code writes. Source: go-winio backuptar tar.go
 * (BasicInfoHeader, WriteTarFileFromBackupStream) and hcsshim ociwclayer/export.go; format page, sections 4.2 to 4.4.
 */

/** File type bits that backuptar sets by the streams it meets; never permission bits. */
const MODE = {directory: 0o40000, data: 0o100000, reparse: 0o120000, hardLink: 0o644} as const

/** Prefix of a whiteout's name; `.wh..wh..opq` makes a directory opaque. Source: image-spec layer.md. */
export const WHITEOUT_PREFIX = '.wh.'
export const OPAQUE_NAME = '.wh..wh..opq'

/** The header blocks of a file or directory. */
export function canonicalHeader(entry: FileEntry | DirectoryEntry, keepFrames: boolean): Uint8Array {
  const {path, meta} = entry
  const link = meta.reparsePoint === undefined ? undefined : findLink(meta.reparsePoint)
  const records = encodeMetadata(meta, {keepFrames, isHardLink: false, layout: entry.frame?.layout})
  if (link?.kind === 'junction') records[KEY.mountPoint] = '1'
  const content = entry.kind === 'file' ? entry.content : undefined
  return encodeTarHeader({
    name: path,
    typeflag: link !== undefined ? '2' : entry.kind === 'directory' ? '5' : '0',
    mode:
      (entry.kind === 'directory' ? MODE.directory : 0) |
      (content === undefined ? 0 : MODE.data) |
      (meta.reparsePoint === undefined ? 0 : MODE.reparse),
    size: link === undefined ? (content?.size ?? 0) : 0,
    mtime: nanosecondsOf(meta.times.lastWrite),
    records,
    ...(link === undefined ? {} : {linkname: linkNameOf(link.target)}),
  })
}

/** No tar holds a NUL in a link name, and readers refuse one that does. The frame keeps what the reparse point has. */
function linkNameOf(target: string): string {
  const end = target.indexOf('\0')
  return end < 0 ? target : target.slice(0, end)
}

/** The header blocks of an alternate stream: its owner's mode and times, none of its owner's Windows keys. */
export function canonicalStreamHeader(
  owner: {readonly path: LayerPath; readonly meta: WindowsMetadata; readonly mode: number},
  stream: AlternateStream,
): Uint8Array {
  const {times} = owner.meta
  const {[KEY.accessTime]: atime = '', [KEY.changeTime]: ctime = ''} = encodeMetadata(owner.meta, {
    keepFrames: false,
    isHardLink: true,
    layout: undefined,
  })
  return encodeTarHeader({
    name: `${owner.path}:${stream.name}`,
    typeflag: '0',
    mode: owner.mode,
    size: stream.content.size,
    mtime: nanosecondsOf(times.lastWrite),
    records: {[KEY.accessTime]: atime, [KEY.changeTime]: ctime},
  })
}

/** Mode bits that backuptar gives the alternate streams of an entry: those of the entry. */
export function streamMode(entry: FileEntry | DirectoryEntry): number {
  return (
    (entry.kind === 'directory' ? MODE.directory : entry.content === undefined ? 0 : MODE.data) |
    (entry.meta.reparsePoint === undefined ? 0 : MODE.reparse)
  )
}

/** The header blocks of a further name of a file. */
export function canonicalLinkHeader(entry: HardLinkEntry, keepFrames: boolean): Uint8Array {
  return encodeTarHeader({
    name: entry.path,
    typeflag: '1',
    mode: MODE.hardLink,
    size: 0,
    mtime: nanosecondsOf(entry.meta.times.lastWrite),
    linkname: entry.target,
    records: encodeMetadata(entry.meta, {keepFrames, isHardLink: true, layout: entry.frame?.layout}),
  })
}

/** The header block of a whiteout: its name and nothing else. */
export function canonicalWhiteout(path: LayerPath): Uint8Array {
  const parent = parentPath(path)
  return whiteout(`${parent === undefined ? '' : `${parent}/`}${WHITEOUT_PREFIX}${baseName(path)}`)
}

/** The header block that makes a directory opaque. */
export function canonicalOpaque(path: LayerPath): Uint8Array {
  return whiteout(`${path}/${OPAQUE_NAME}`)
}

function whiteout(name: string): Uint8Array {
  return encodeTarHeader({name, typeflag: '0', mode: 0, size: 0, mtime: 0n})
}

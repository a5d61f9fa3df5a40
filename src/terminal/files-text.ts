import type {FileRow, FilesReport} from '../convert/files.js'
import {FileAttribute, UNIX_EPOCH} from '../model/windows-metadata.js'
import {formatRows} from './format-rows.js'
import type {Column} from './table-column.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'

/** FILE_ATTRIBUTE_* bits with the letters of `attrib`, in its order. Source: winnt.h; attrib /?. */
const LETTERS = [
  [FileAttribute.archive, 'A'],
  [FileAttribute.system, 'S'],
  [FileAttribute.hidden, 'H'],
  [FileAttribute.readOnly, 'R'],
  [FileAttribute.sparse, 'P'],
  [FileAttribute.reparsePoint, 'L'],
] as const

const KINDS = {file: '-', directory: 'd', 'hard-link': 'h', tombstone: 'deleted', opaque: 'emptied'} as const

function formatMode({kind, attributes}: FileRow): string {
  if (attributes === undefined) return KINDS[kind]
  return KINDS[kind] + LETTERS.map(([bit, letter]) => ((attributes & bit) === 0 ? '-' : letter)).join('')
}

/** UTC to the second. Undefined for a time that JavaScript has no date for. */
function formatFileTime(ticks: string | undefined): string | undefined {
  if (ticks === undefined) return undefined
  const date = new Date(Number((BigInt(ticks) - UNIX_EPOCH) / 10_000n))
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 19)}Z`
}

function formatSecurity({securityDescriptor, sddl}: FileRow): string {
  return sddl ?? (securityDescriptor === undefined ? '' : 'damaged')
}

function formatPath({path, target, streams}: FileRow): string {
  const link = target === undefined ? '' : ` => ${target}`
  const named = streams === undefined ? '' : ` [${streams.map(({name, size}) => `:${name} ${size}`).join(', ')}]`
  return path + link + named
}

/**
 * One row for each file and folder: attributes, exact size in bytes, last write, layer, path with links and streams; with
 * `security` the security descriptor as SDDL. `format`: a template of `--format`.
 */
export function formatFiles(
  {entries}: FilesReport,
  options: {readonly security: boolean; readonly view?: TableView; readonly format?: string | undefined},
): string {
  const {security, view, format} = options
  if (format === undefined) return formatTable(entries, columnsOf(security), view)
  return formatRows(entries, format, {document: 'files', path: ['entries', '*'], columns: columnsOf(true)}, view)
}

function columnsOf(withSecurity: boolean): readonly Column<FileRow>[] {
  return [
    {title: 'MODE', cell: formatMode},
    {title: 'SIZE', cell: (row) => row.size?.toString(), align: 'right', order: ({size}) => size},
    {title: 'LAST WRITE', cell: (row) => formatFileTime(row.times?.lastWrite), spare: 2},
    {title: 'LAYER', cell: (row) => row.layer.toString(), align: 'right', spare: 1},
    {title: 'PATH', cell: formatPath, fit: 'middle'},
    {title: 'SECURITY', cell: (row) => (withSecurity ? formatSecurity(row) : undefined), fit: 'end'},
  ]
}

import type {ListReport, ListRow} from '../convert/list.js'
import {formatBytes} from '../model/quantities.js'
import {formatRows} from './format-rows.js'
import type {Column} from './table-column.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'

/** One row for each thing a place holds. `format`: a template of `--format`. */
export function formatList({items}: ListReport, view?: TableView, format?: string): string {
  if (format !== undefined)
    return formatRows(items, format, {document: 'list', path: ['items', '*'], columns: columnsOf(view)}, view)
  if (items.length === 0) return 'Nothing is there.'
  return formatTable(items, columnsOf(view), view)
}

function columnsOf(view: TableView | undefined): readonly Column<ListRow>[] {
  return [
    {title: 'KIND', cell: (item) => item.kind},
    {
      title: 'NAME',
      cell: (item) => item.identity ?? (item.names.length === 0 ? undefined : item.names.join(', ')),
      fit: 'middle',
      least: 40,
    },
    {title: 'IMAGE ID', cell: (item) => (view?.isWhole === true ? item.imageId : shortId(item.imageId)), spare: 5},
    {title: 'PLATFORM', cell: ({platform}) => platform && `${platform.os}/${platform.architecture}`, spare: 3},
    {title: 'VERSION', cell: (item) => item.platform?.osVersion, spare: 4},
    {title: 'LAYERS', cell: (item) => item.layers?.toString(), align: 'right', spare: 2},
    {
      title: 'SIZE',
      cell: (item) => (item.sizeBytes === undefined ? undefined : formatBytes(item.sizeBytes)),
      align: 'right',
      order: (item) => item.sizeBytes,
    },
    {title: 'CREATED', cell: (item) => item.createdTime?.slice(0, 19), spare: 1},
    {title: 'REFERENCE', cell: (item) => item.reference, fit: 'middle', isOnDemand: true},
    {title: 'DIGEST', cell: (item) => item.payloadDigest ?? item.imageId, isOnDemand: true},
  ]
}

/** Docker's own length. */
function shortId(id: string | undefined): string | undefined {
  return id?.replace('sha256:', '').slice(0, 12)
}

import type {ListReport} from '../convert/list.js'
import {formatBytes} from '../model/quantities.js'
import {formatTable} from './table.js'

/** One row for each thing a place holds. */
export function formatList({items}: ListReport): string {
  if (items.length === 0) return 'Nothing is there.'
  return formatTable(items, [
    {title: 'KIND', cell: (item) => item.kind},
    {title: 'NAME', cell: (item) => item.identity ?? (item.names.length === 0 ? undefined : item.names.join(', '))},
    {title: 'IMAGE ID', cell: (item) => item.imageId?.replace('sha256:', '').slice(0, 12)},
    {title: 'PLATFORM', cell: ({platform}) => platform && `${platform.os}/${platform.architecture}`},
    {title: 'VERSION', cell: (item) => item.platform?.osVersion},
    {title: 'LAYERS', cell: (item) => item.layers?.toString(), align: 'right'},
    {
      title: 'SIZE',
      cell: (item) => (item.sizeBytes === undefined ? undefined : formatBytes(item.sizeBytes)),
      align: 'right',
    },
    {title: 'CREATED', cell: (item) => item.createdTime?.slice(0, 19)},
    {title: 'REFERENCE', cell: (item) => item.reference},
  ])
}

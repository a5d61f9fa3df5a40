import type {HiveReport, HiveRow, HiveValueRow} from '../convert/hive.js'
import {formatTable} from './table.js'

/** Bytes of data shown of a value that is not text or a number. */
const SHOWN_BYTES = 32

const CHANGES = {deleted: 'deleted', 'values-replaced': 'values replaced', replaced: 'replaced'} as const

interface Row {
  readonly key: HiveRow
  /** Undefined for the row of the key itself. */
  readonly value?: HiveValueRow
}

function formatChange({key, value}: Row): string | undefined {
  if (value !== undefined) return value.deleted === true ? 'deleted' : ''
  return key.change === undefined ? '' : CHANGES[key.change]
}

function formatName({value}: Row): string {
  if (value === undefined) return ''
  return value.name === '' ? '(default)' : value.name
}

function formatData({value}: Row): string {
  if (value?.size === undefined) return ''
  if (value.text !== undefined) return value.text
  if (value.data === undefined) return `${value.size} bytes, not shown`
  const data = Buffer.from(value.data, 'base64')
  const shown = data.toString('hex', 0, SHOWN_BYTES)
  return data.byteLength > SHOWN_BYTES ? `${shown}… (${data.byteLength} bytes)` : shown
}

/** One row for each key and one for each of its values: name, type and data; in a delta, what is done to lower layers. */
export function formatHive({keys}: HiveReport): string {
  const rows = keys.flatMap((key): Row[] => [{key}, ...key.values.map((value) => ({key, value}))])
  const hasChanges = rows.some((row) => formatChange(row) !== '')
  return formatTable(rows, [
    {title: 'KEY', cell: ({key, value}) => (value === undefined ? key.path : '')},
    {title: 'CHANGE', cell: (row) => (hasChanges ? formatChange(row) : undefined)},
    {title: 'VALUE', cell: formatName},
    {title: 'TYPE', cell: ({value}) => value?.type ?? ''},
    {title: 'DATA', cell: formatData},
  ])
}

import type {HiveReport, HiveRow, HiveValueRow, OpenRegistry} from '../convert/hive.js'
import {tableLines} from './table.js'
import type {TableView} from './table-view.js'

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

/**
 * One row for each key and one for each of its values: name, type and data; in a delta, what is done to lower layers.
 * `keys` is read twice.
 */
export function* hiveLines(keys: () => Iterable<HiveRow>, view?: TableView): Generator<string> {
  let hasChanges = false
  const rows = function* (): Generator<Row> {
    for (const key of keys()) {
      hasChanges ||= key.change !== undefined || key.values.some((value) => value.deleted === true)
      yield {key}
      for (const value of key.values) yield {key, value}
    }
  }
  yield* tableLines(
    rows,
    [
      {title: 'KEY', cell: ({key, value}) => (value === undefined ? key.path : ''), fit: 'middle', least: 36},
      {title: 'CHANGE', cell: (row) => (hasChanges ? formatChange(row) : undefined)},
      {title: 'VALUE', cell: formatName, fit: 'end'},
      {title: 'TYPE', cell: ({value}) => value?.type ?? ''},
      {title: 'DATA', cell: formatData, fit: 'end'},
    ],
    view,
  )
}

/** The same of what is at hand. */
export function formatHive({keys}: HiveReport): string {
  return [...hiveLines(() => keys)].join('\n')
}

/** The JSON document in pieces, as `JSON.stringify` would indent it; one key at a time. */
export function* hiveDocument(registry: OpenRegistry): Generator<string> {
  const {reference, key, layer, hidden} = registry
  yield `${indented({reference, key, layer, hidden}).slice(0, -2)},\n  "keys": [`
  let separator = ''
  for (const row of registry.rows()) {
    yield `${separator}\n    ${indented(row).replaceAll('\n', '\n    ')}`
    separator = ','
  }
  yield `${separator === '' ? '' : '\n  '}],\n  "notes": ${indented(registry.notes).replaceAll('\n', '\n  ')}\n}\n`
}

function indented(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

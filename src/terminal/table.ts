import stringWidth from 'string-width'
import {printable} from '../model/printable.js'
import {cutText} from './cut-text.js'
import {shortenDigests} from './short-digest.js'
import type {Column} from './table-column.js'
import {arrange, chooseColumns, sortRows, type TableView} from './table-view.js'
import {wrapText} from './wrap-text.js'

/** Every character takes one column: almost all texts, which need no look at each. */
const PLAIN = /^[\x20-\x7e]*$/

/** Columns of a terminal that a printable text takes. */
export function textWidth(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text)
}

/**
 * Rows under their titles, columns aligned, two spaces apart, without trailing spaces; a column that no row has a value
 * for is left out. Empty without rows. Cells are made printable. `view` says how wide it may be and what is shown; throws
 * `BAD_OPTION` for a column that there is not.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], view: TableView = {}): string {
  const sorted = sortRows(rows, columns, view)
  return [...tableLines(() => sorted, columns, view)].join('\n')
}

/** The same, line by line and unsorted: `rows` is read twice, first for the widths, and nothing is held. */
export function* tableLines<Row>(
  rows: () => Iterable<Row>,
  columns: readonly Column<Row>[],
  view: TableView = {},
): Generator<string> {
  const textOf = (column: Column<Row>, row: Row): string => {
    const text = printable(column.cell(row) ?? '-')
    return view.width === undefined ? text : shortenDigests(text)
  }
  const chosen = chooseColumns(columns, view)
  const measured = chosen.map((column) => ({column, width: textWidth(column.title), isUsed: false}))
  let isEmpty = true
  for (const row of rows()) {
    isEmpty = false
    for (const each of measured) {
      each.isUsed ||= each.column.cell(row) !== undefined
      each.width = Math.max(each.width, textWidth(textOf(each.column, row)))
    }
  }
  if (isEmpty) return
  const isAsked = view.columns !== undefined
  const shown = arrange(
    measured.filter(({isUsed}) => isUsed || isAsked),
    view,
  )
  yield* linesOf(shown, view, (column) => column.title)
  for (const row of rows()) yield* linesOf(shown, view, (column) => textOf(column, row))
}

interface Placed<Row> {
  readonly column: Column<Row>
  readonly width: number
}

function* linesOf<Row>(
  shown: readonly Placed<Row>[],
  view: TableView,
  textOf: (column: Column<Row>) => string,
): Generator<string> {
  const cells = shown.map(({column, width}) => fitted(textOf(column), width, column.fit))
  const height = cells.reduce((most, lines) => Math.max(most, lines.length), 1)
  for (let line = 0; line < height; line++) {
    const text = shown
      .map(({column, width}, index) => {
        const text = cells[index]?.[line] ?? ''
        const pad = ' '.repeat(Math.max(0, width - textWidth(text)))
        return column.align === 'right' ? pad + text : text + pad
      })
      .join('  ')
      .trimEnd()
    // On a terminal that is too narrow for what keeps its width.
    yield view.width === undefined || textWidth(text) <= view.width ? text : cutText(text, view.width, 'end')
  }
}

/** The lines of a cell. */
function fitted(text: string, width: number, fit: Column<never>['fit']): readonly string[] {
  if (fit === undefined || textWidth(text) <= width) return [text]
  return fit === 'wrap' ? wrapText(text, width) : [cutText(text, width, fit)]
}

/**
 * `Label: value` lines with the values in one column; those without a value are left out. A value that the width has no
 * room for stands below its label, whole.
 */
export function formatFields(
  fields: readonly (readonly [label: string, value: string | undefined])[],
  {width}: Pick<TableView, 'width'> = {},
): string {
  const known = fields.filter((field): field is readonly [string, string] => field[1] !== undefined)
  const indent = known.reduce((most, [label]) => Math.max(most, label.length), 0) + 2
  return known
    .flatMap(([label, value]) => {
      const text = printable(value)
      if (width === undefined || indent + textWidth(text) <= width) return `${`${label}:`.padEnd(indent)}${text}`
      const margin = `${/^ */.exec(label)?.[0] ?? ''}  `
      return [`${label}:`, ...wrapText(text, Math.max(1, width - margin.length)).map((line) => margin + line)]
    })
    .join('\n')
}

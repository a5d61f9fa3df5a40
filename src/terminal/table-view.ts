import {UsageError} from '../model/errors.js'
import {suggestNearest} from '../model/did-you-mean.js'
import {columnName, type Column} from './table-column.js'

/** How a table is to be shown. */
export interface TableView {
  /** Columns of the terminal; undefined where there is none, or where nothing is to be cut: then everything stands. */
  readonly width?: number
  /** Nothing is cut, also not what is always shown short elsewhere. */
  readonly isWhole?: boolean
  /** Names of the columns to show, in this order; default: all but those on demand. */
  readonly columns?: readonly string[]
  /** Name of the column that the rows are put in order by, with `-` before it from the highest. Default: as they come. */
  readonly sort?: string
}

/** Between two columns. */
const GAP = 2

/** A column narrower than this tells nothing, one of prose nothing in a readable way. */
const LEAST_WIDTH = {end: 10, middle: 14, wrap: 24}

/** The columns to show. Throws `BAD_OPTION` for a name that there is not. */
export function chooseColumns<Row>(columns: readonly Column<Row>[], view: TableView): readonly Column<Row>[] {
  if (view.columns === undefined) return columns.filter((column) => column.isOnDemand !== true)
  return view.columns.map((name) => requireColumn(name, columns, '--columns'))
}

function requireColumn<Row>(name: string, columns: readonly Column<Row>[], option: string): Column<Row> {
  const wanted = name.trim().toLowerCase()
  const found = columns.find((column) => columnName(column) === wanted)
  if (found !== undefined) return found
  const names = columns.map(columnName)
  throw new UsageError('BAD_OPTION', {
    what: `${option}: '${name}' is not a column.`,
    why: `The columns are ${names.join(', ')}.`,
    suggestions: suggestNearest(wanted, names),
  })
}

const BY_TEXT = new Intl.Collator('en', {numeric: true})

/** The rows in the order that is asked for; what is not known comes last. Throws `BAD_OPTION`. */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  {sort}: TableView,
): readonly Row[] {
  if (sort === undefined) return rows
  const isDescending = sort.startsWith('-')
  const column = requireColumn(isDescending ? sort.slice(1) : sort, columns, '--sort')
  const {order} = column
  const keyed = rows.map((row) => ({row, key: order === undefined ? column.cell(row) : order(row)}))
  const sign = isDescending ? -1 : 1
  return keyed
    .sort(({key: left}, {key: right}) => {
      if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
      if (typeof left === 'number' && typeof right === 'number') return sign * (left - right)
      return sign * BY_TEXT.compare(String(left), String(right))
    })
    .map(({row}) => row)
}

interface Measured<Row> {
  readonly column: Column<Row>
  readonly width: number
}

/**
 * Makes columns fit: those that can be spared are left out while the others would have to be narrower than they are worth;
 * then the widest of those that can be cut give, until all fit. Columns without a rule keep their width.
 */
export function arrange<Row>(
  measured: readonly Measured<Row>[],
  {width, columns}: TableView,
): readonly Measured<Row>[] {
  if (width === undefined) return measured
  let shown = measured
  // What was asked for by name is shown.
  while (columns === undefined && sumOf(shown.map(leastWidth)) > width) {
    const spare = shown.filter(({column}) => column.spare !== undefined)
    const [first] = [...spare].sort((left, right) => (left.column.spare ?? 0) - (right.column.spare ?? 0))
    if (first === undefined) break
    shown = shown.filter((each) => each !== first)
  }
  const widths = shown.map((each) => each.width)
  for (let excess = sumOf(widths) - width; excess > 0; excess--) {
    let widest: number | undefined
    shown.forEach((each, index) => {
      const now = widths[index] ?? 0
      if (now > leastWidth(each) && (widest === undefined || now > (widths[widest] ?? 0))) widest = index
    })
    if (widest === undefined) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return shown.map(({column}, index) => ({column, width: widths[index] ?? 0}))
}

function leastWidth<Row>({column, width}: Measured<Row>): number {
  if (column.fit === undefined) return width
  return Math.min(width, column.least ?? Math.max(LEAST_WIDTH[column.fit], column.title.length))
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, GAP * Math.max(0, widths.length - 1))
}

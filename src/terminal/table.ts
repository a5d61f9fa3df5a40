import {printable} from '../model/printable.js'

export interface Column<Row> {
  readonly title: string
  /** Text of a cell; undefined = not known, shown as `-`. */
  readonly cell: (row: Row) => string | undefined
  /** Numbers stand right. Default left. */
  readonly align?: 'left' | 'right'
}

/** Columns a terminal gives the character: 2 for East Asian wide ones and most pictographs, 0 for combining marks. */
function characterWidth(character: string): number {
  if (/^(?:\p{Mn}|\p{Me}|[\u200b-\u200d])/u.test(character)) return 0
  return /^(?:[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})/u.test(
    character,
  )
    ? 2
    : 1
}

/** Every character takes one column: almost all texts, which need no look at each. */
const PLAIN = /^[\x20-\x7e]*$/

function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/**
 * Rows under their titles, columns aligned, two spaces apart, without trailing spaces; a column that no row has a value
 * for is left out. Empty without rows. Cells are made printable.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return [...tableLines(() => rows, columns)].join('\n')
}

/** The same, line by line: `rows` is read twice, first for the widths, and nothing is held. */
export function* tableLines<Row>(rows: () => Iterable<Row>, columns: readonly Column<Row>[]): Generator<string> {
  const measured = columns.map((column) => ({column, width: textWidth(column.title), isUsed: false}))
  let isEmpty = true
  for (const row of rows()) {
    isEmpty = false
    for (const each of measured) {
      const cell = each.column.cell(row)
      each.isUsed ||= cell !== undefined
      each.width = Math.max(each.width, textWidth(printable(cell ?? '-')))
    }
  }
  if (isEmpty) return
  const used = measured.filter(({isUsed}) => isUsed)
  const lineOf = (textOf: (column: Column<Row>) => string): string =>
    used
      .map(({column, width}) => {
        const text = textOf(column)
        const pad = ' '.repeat(Math.max(0, width - textWidth(text)))
        return column.align === 'right' ? pad + text : text + pad
      })
      .join('  ')
      .trimEnd()
  yield lineOf((column) => column.title)
  for (const row of rows()) yield lineOf((column) => printable(column.cell(row) ?? '-'))
}

/** `Label: value` lines with the values in one column; those without a value are left out. */
export function formatFields(fields: readonly (readonly [label: string, value: string | undefined])[]): string {
  const known = fields.filter((field): field is readonly [string, string] => field[1] !== undefined)
  const width = known.reduce((most, [label]) => Math.max(most, label.length), 0)
  return known.map(([label, value]) => `${`${label}:`.padEnd(width + 2)}${printable(value)}`).join('\n')
}

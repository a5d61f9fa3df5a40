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

function textWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/**
 * Rows under their titles, columns aligned, two spaces apart, without trailing spaces; a column that no row has a value
 * for is left out. Empty without rows. Cells are made printable.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  if (rows.length === 0) return ''
  const used = columns
    .map((column) => ({column, cells: rows.map((row) => column.cell(row))}))
    .filter(({cells}) => cells.some((cell) => cell !== undefined))
    .map(({column, cells}) => {
      const texts = [column.title, ...cells.map((cell) => printable(cell ?? '-'))]
      const widths = texts.map(textWidth)
      const width = widths.reduce((most, next) => Math.max(most, next), 0)
      const pads = widths.map((own) => ' '.repeat(width - own))
      return texts.map((text, index) => (column.align === 'right' ? `${pads[index]}${text}` : `${text}${pads[index]}`))
    })
  return Array.from({length: rows.length + 1}, (_, line) =>
    used
      .map((cells) => cells[line] ?? '')
      .join('  ')
      .trimEnd(),
  ).join('\n')
}

/** `Label: value` lines with the values in one column; those without a value are left out. */
export function formatFields(fields: readonly (readonly [label: string, value: string | undefined])[]): string {
  const known = fields.filter((field): field is readonly [string, string] => field[1] !== undefined)
  const width = known.reduce((most, [label]) => Math.max(most, label.length), 0)
  return known.map(([label, value]) => `${`${label}:`.padEnd(width + 2)}${printable(value)}`).join('\n')
}

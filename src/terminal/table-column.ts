export interface Column<Row> {
  readonly title: string
  /** Text of a cell; undefined = not known, shown as `-`. */
  readonly cell: (row: Row) => string | undefined
  /** Numbers stand right. Default left. */
  readonly align?: 'left' | 'right'
  /**
   * How a cell gets into a column that the terminal has too little room for: cut at its end or in its middle, or, prose,
   * on several lines. Without it the column keeps its width.
   */
  readonly fit?: 'end' | 'middle' | 'wrap'
  /** How narrow `fit` may make it; default: by the way it is cut. */
  readonly least?: number
  /** May be left out on a narrow terminal; the lowest number goes first. */
  readonly spare?: number
  /** Shown only when it is asked for by name. */
  readonly isOnDemand?: boolean
  /** What the rows are put in order by; default: the text of the cell, numbers in it by their value. */
  readonly order?: (row: Row) => number | undefined
}

/** What a column is called in options: its title in lower case, without blanks. */
export function columnName({title}: Pick<Column<never>, 'title'>): string {
  return title.trim().toLowerCase().replaceAll(' ', '-')
}

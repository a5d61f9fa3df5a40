import {Flags} from '@oclif/core'
import {checkTemplate, renderTemplate, type Scope} from './template/evaluate.js'
import {badTemplate, parseTemplate, type TemplateNode} from './template/parse-template.js'
import {shapeOfDocument} from './template/shape.js'
import type {Column} from './table-column.js'
import {formatTable} from './table.js'
import {sortRows, type TableView} from './table-view.js'

/** What `--format` can name: the rows of a document, and what its table says of them. */
export interface RowFormat<Row> {
  /** Name of the schema of the `--json` document. */
  readonly document: string
  /** Where its rows are: keys, `*` for each element. Default: the document is the one row. */
  readonly path?: readonly string[]
  readonly columns: readonly Column<Row>[]
  /** Of a row, where else the fields of its values are looked for. */
  readonly elsewhere?: (row: Row) => ReadonlyMap<unknown, unknown>
}

/** For commands that print rows. `excludes`: flags that print something else. */
export function formatFlag(...excludes: readonly string[]) {
  return Flags.string({
    summary: "Print each row by this template, e.g. '{{.Name}}' or 'table {{.Name}}\\t{{.Size}}', or as 'json'.",
    description:
      'Fields have the names of the --json document and of the columns, in any case: {{.SizeBytes}} is a number, {{.Size}} ' +
      'the text of the table. Also {{json .}}, {{join .Names ","}}, {{upper .Kind}}, {{len .Names}}, {{index .Names 0}}, ' +
      '{{truncate .Name 20}}, {{range .Layers}}…{{end}}, {{if .Names}}…{{else}}…{{end}}, eq, ne, and, or, not.',
    helpValue: 'TEMPLATE',
    exclusive: ['json', ...excludes],
  })
}

const TABLE = /^table(?:\s+|\\t)/

/** The rows in the form that `--format` asks for, one a line. Throws `BAD_OPTION`, also when there are no rows. */
export function formatRows<Row>(
  rows: readonly Row[],
  template: string,
  {document, path = [], columns, elsewhere}: RowFormat<Row>,
  view: TableView = {},
): string {
  const text = template.trim() === 'json' ? '{{json .}}' : template
  const names = new Map(columns.map((column) => [nameOf(column).toLowerCase(), nameOf(column)]))
  const compile = (part: string): readonly TemplateNode[] => {
    const nodes = parseTemplate(part)
    checkTemplate(nodes, shapeOfDocument(document, path), names)
    return nodes
  }
  const scopeOf = (row: Row): Scope => ({
    row,
    columns: new Map(columns.map((column) => [nameOf(column).toLowerCase(), () => column.cell(row)])),
    ...(elsewhere === undefined ? {} : {elsewhere: elsewhere(row)}),
  })
  const sorted = sortRows(rows, columns, view)
  if (!TABLE.test(text)) {
    const nodes = compile(text)
    return sorted.map((row) => renderTemplate(nodes, scopeOf(row))).join('\n')
  }
  const parts = text.replace(TABLE, '').split(/\\t|\t/)
  if (parts.every((part) => part.trim() === '')) throw badTemplate("'table' needs fields behind it.")
  return formatTable(
    sorted,
    parts.map((part): Column<Row> => {
      const nodes = compile(part)
      const cell = (row: Row) => renderTemplate(nodes, scopeOf(row)).trim()
      return {title: titleOf(part, columns), cell: (row) => (cell(row) === '' ? '-' : cell(row))}
    }),
  )
}

/** `IMAGE ID` is `.ImageId`. */
function nameOf({title}: Pick<Column<never>, 'title'>): string {
  return title
    .toLowerCase()
    .split(' ')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
}

/** The title of a column of a table, or what is read in the words of one. */
function titleOf(part: string, columns: readonly Pick<Column<never>, 'title'>[]): string {
  const keys = /\.([\w.-]+)/.exec(part)?.[1] ?? part.trim()
  const known = columns.find((column) => nameOf(column).toLowerCase() === keys.toLowerCase())
  return known?.title ?? keys.replaceAll(/(?<=[a-z])(?=[A-Z])|\./g, ' ').toUpperCase()
}

import {DIFF_PARTS, type DiffReport, type FileDifference} from '../convert/diff.js'
import type {RegistryDifference, ValueSide} from '../convert/diff-registry.js'
import {printable} from '../model/printable.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {fitSentence} from './wrap-text.js'

/** As in a patch: what is only left, only right, and on both sides but not the same. */
const MARKS = {removed: '-', added: '+', changed: '~'} as const

function formatJson(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function formatValue(side: ValueSide | undefined): string {
  if (side === undefined) return ''
  if (side.type === undefined) return 'deleted'
  return side.text === undefined ? `${side.type}, ${String(side.size)} bytes` : `${side.type} ${side.text}`
}

function formatKey({path, value}: RegistryDifference): string {
  if (value === undefined) return path
  return `${path} : ${value === '' ? '(default)' : value}`
}

function formatFields({fields}: FileDifference | RegistryDifference): string | undefined {
  return fields?.join(', ')
}

/** A table for each part that differs, and the verdict. */
export function formatDiff(report: DiffReport, view?: TableView): string {
  const digests = formatTable(
    report.digests,
    [
      {title: 'DIGEST OF', cell: ({field}) => field},
      {title: 'DIFFERENCE', cell: ({message}) => message, fit: 'wrap'},
      {title: 'LEFT', cell: ({left}) => (left.includes(' ') ? undefined : left), fit: 'end'},
      {title: 'RIGHT', cell: ({right}) => (right.includes(' ') ? undefined : right), fit: 'end'},
    ],
    view,
  )
  const metadata = formatTable(
    report.metadata,
    [
      {title: 'METADATA', cell: ({field}) => field},
      {title: 'LEFT', cell: ({left}) => formatJson(left), fit: 'end'},
      {title: 'RIGHT', cell: ({right}) => formatJson(right), fit: 'end'},
    ],
    view,
  )
  const files = formatTable(
    report.files,
    [
      {title: '', cell: ({change}) => MARKS[change]},
      {title: 'FILE', cell: ({path}) => path, fit: 'middle'},
      {title: 'DIFFERS IN', cell: formatFields, fit: 'end'},
    ],
    view,
  )
  const registry = formatTable(
    report.registry,
    [
      {title: '', cell: ({change}) => MARKS[change]},
      {title: 'KEY', cell: formatKey, fit: 'middle'},
      {title: 'DIFFERS IN', cell: formatFields, fit: 'end'},
      {title: 'LEFT', cell: ({left}) => formatValue(left), fit: 'end'},
      {title: 'RIGHT', cell: ({right}) => formatValue(right), fit: 'end'},
    ],
    view,
  )
  const counts = DIFF_PARTS.filter((part) => report.compared.includes(part)).map(
    (part) => `${part} ${report[part].length}`,
  )
  const verdict = report.same ? 'No differences' : 'Different'
  const between = `${printable(report.left)} and ${printable(report.right)}`
  const told = `${verdict} between ${between} (${counts.join(', ')}).`
  return [digests, metadata, files, registry, ...report.notCompared, fitSentence(told, view)]
    .filter((part) => part !== '')
    .join('\n\n')
}

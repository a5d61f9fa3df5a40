import type {VerifyReport} from '../convert/verify.js'
import {printable} from '../model/printable.js'
import {formatBytes} from '../model/quantities.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {fitSentence} from './wrap-text.js'

/** The layers that were checked, every fault, and the verdict. */
export function formatVerify(report: VerifyReport, view?: TableView): string {
  const layers = formatTable(
    report.layers,
    [
      {title: 'LAYER', cell: (layer) => layer.title, fit: 'middle'},
      {title: 'DIFF ID', cell: (layer) => layer.diffId, spare: 1},
      {title: 'ENTRIES', cell: (layer) => layer.entries.toString(), align: 'right'},
      {
        title: 'REBUILDS ITS TAR',
        cell: ({reproducible}) => (reproducible === undefined ? undefined : reproducible ? 'yes' : 'no'),
      },
    ],
    view,
  )
  const faults = formatTable(
    report.faults,
    [
      {title: 'FAULT', cell: (fault) => fault.code},
      {title: 'SUBJECT', cell: (fault) => fault.subject, fit: 'middle'},
      {title: 'MESSAGE', cell: (fault) => fault.message, fit: 'wrap'},
    ],
    view,
  )
  const count = report.faults.length
  const verdict = report.ok ? 'is sound' : `has ${count} ${count === 1 ? 'fault' : 'faults'}`
  const checked = `${printable(report.reference)} ${verdict} (${formatBytes(report.bytes)} checked).`
  return [layers, faults, fitSentence(checked, view)].filter((part) => part !== '').join('\n\n')
}

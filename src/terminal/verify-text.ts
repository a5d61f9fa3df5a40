import type {VerifyReport} from '../convert/verify.js'
import {NOT_READ} from '../formats/layer-blob/image-check.js'
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
  const unread = report.notes.filter(({code}) => code === NOT_READ)
  const notes = unread.map(({message}) => `Not read: ${printable(message)}`).join('\n')
  const sound = unread.length === 0 ? 'is sound' : 'is sound as far as it was read'
  const nothing = report.layers.length === 0 && report.bytes === 0 ? 'holds nothing to verify' : sound
  const verdict = report.ok ? nothing : `has ${count} ${count === 1 ? 'fault' : 'faults'}`
  const checked = `${printable(report.reference)} ${verdict} (${formatBytes(report.bytes)} checked).`
  return [layers, faults, notes, fitSentence(checked, view)].filter((part) => part !== '').join('\n\n')
}

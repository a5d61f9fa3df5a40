import type {BatchReport, ItemFailure} from '../batch/batch-report.js'
import type {Note} from '../model/events.js'
import {printable} from '../model/printable.js'
import {shortenDigests} from './short-digest.js'
import type {TableView} from './table-view.js'
import {wrapText} from './wrap-text.js'

/** Items that were converted with losses or not exactly, in a text; a report has all. */
const MOST_ITEMS = 10

/** A sentence behind its label; on a terminal it goes on below its own beginning. */
export function labelled(label: string, text: string, view: TableView | undefined): string {
  if (view?.width === undefined) return `${label}${printable(text)}`
  const lines = wrapText(shortenDigests(printable(text)), Math.max(MOST_NARROW, view.width - label.length))
  return `${label}${lines.join(`\n${' '.repeat(label.length)}`)}`
}

const MOST_NARROW = 20

/** Why an item failed, or would: as an error is told, under what happened to which item. */
export function formatItemFailure(title: string, failure: ItemFailure, view?: TableView): string {
  const {what, why, suggestions, code} = failure
  return [
    labelled('', title, view),
    labelled('  ', what, view),
    ...(why === undefined ? [] : [labelled('  Why:   ', why, view)]),
    ...suggestions.map((text, index) => labelled(index === 0 ? '  Try:   ' : '         ', text, view)),
    `  Code:  ${code}`,
  ].join('\n')
}

/** Items of which something was lost, or that do not convert back to the same bytes, each with its first reasons. */
export function formatInexact({items}: BatchReport, view?: TableView): readonly string[] {
  const told = items.flatMap(({id, state, result}) => {
    if (state !== 'converted' || result === undefined || result.exact) return []
    const reasons = [...result.losses.map(reasonOf('Lost')), ...result.inexact.map(reasonOf('Why'))]
    return [{id, reasons}]
  })
  const lines = told.slice(0, MOST_ITEMS).map(({id, reasons}) => {
    const shown = reasons.slice(0, MOST_REASONS).map(({label, text}) => labelled(`  ${label.padEnd(7)}`, text, view))
    const more = reasons.length - shown.length
    return [
      labelled('', `Not exact: ${id}`, view),
      ...shown,
      ...(more > 0 ? [`         and ${more} more; --json lists them`] : []),
    ].join('\n')
  })
  const more = told.length - lines.length
  return [...lines, ...(more > 0 ? [`${more} more are not exact; --json lists them.`] : [])]
}

const MOST_REASONS = 3

function reasonOf(label: 'Lost' | 'Why') {
  return ({subject, message}: Note) => ({
    label: `${label}:`,
    text: subject === '' ? message : `${subject}: ${message}`,
  })
}

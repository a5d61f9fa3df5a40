import {createHash} from 'node:crypto'
import path from 'node:path'
import {Eta} from 'eta'
import type {BatchReport} from '../batch/batch-report.js'
import {readOwnFile} from '../model/own-files.js'
import {printable} from '../model/printable.js'
import {formatBytes} from '../model/quantities.js'
import {attentionRows} from './attention.js'
import {drawGraph} from './graph-drawing.js'
import {formatDuration, viewItems} from './item-view.js'
import {mapSizes} from './size-map.js'
import {stateBar, stateCounts, verdictOf} from './totals-view.js'

/** A page of so few items shows their details at once. */
const OPEN_UP_TO = 3

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as HTML shows it, in content and in attributes; what would turn the direction of text is made visible. */
export function escapeHtml(value: unknown): string {
  return printable(String(value)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** A word as a shell would want it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** What a policy calls an inline style or script: only these bytes run. */
function policyHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** Templates from the product's own files, which need not lie on the disk. */
class OwnPages extends Eta {
  override resolvePath = (name: string): string => `report/page/${path.basename(name)}.eta`
  override readFile = readOwnFile
}

/** The report as one page that needs nothing else: no script, style, font or picture from elsewhere, and no network. */
export function renderHtml(report: BatchReport): string {
  const eta = new OwnPages({escapeFunction: escapeHtml, autoTrim: [false, 'nl'], cache: true})
  const [style, script] = ['style.css', 'script.js'].map((name) => readOwnFile(`report/page/${name}`))
  const {totals} = report
  return eta.render('./page', {
    style,
    script,
    policy: [
      "default-src 'none'",
      `style-src ${policyHash(style ?? '')}`,
      `script-src ${policyHash(script ?? '')}`,
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; '),
    title: report.run?.title ?? report.title,
    subtitle: report.run?.title === undefined ? undefined : report.title,
    run: report.run,
    command: report.run?.command.map(quoted).join(' '),
    startedTime: report.startedTime,
    duration: formatDuration(report.seconds),
    totals,
    read: formatBytes(totals.bytesRead),
    written: formatBytes(totals.bytesWritten),
    verdict: verdictOf(report),
    failure: report.failure,
    counts: stateCounts(totals),
    bar: stateBar(totals),
    attention: attentionRows(report),
    graph: drawGraph(report),
    sizes: mapSizes(report),
    items: viewItems(report),
    isOpen: report.items.length <= OPEN_UP_TO,
    isSingle: report.items.length === 1,
  })
}

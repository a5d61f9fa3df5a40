import type {Content, MigrateReport, MigrationItem} from '../batch/migrate/migration-report.js'
import {printable} from '../model/printable.js'
import {formatBytes} from '../model/quantities.js'
import {
  countOf,
  formatBatch,
  formatLeft,
  formatMakes,
  formatRefusal,
  formatSpace,
  isAllDone,
  STATES,
} from './batch-text.js'
import {labelled} from './item-text.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {fitSentence, wrapText} from './wrap-text.js'

/** What a migration would do: what changed since the packages were made comes first, then every item, then why not. */
export function formatMigration(report: MigrateReport, view?: TableView): string {
  const {items} = report
  const table = formatTable(
    items,
    [
      {title: 'STATE', cell: ({state}) => STATES[state]},
      {title: 'CONTENT', cell: ({content}) => content},
      {title: 'SIZE', cell: (item) => (item.bytes === undefined ? undefined : formatBytes(item.bytes)), align: 'right'},
      {title: 'SOURCE', cell: ({source}) => source, fit: 'middle', least: 22},
      {title: 'DESTINATION', cell: destinationOf, fit: 'middle', least: 22},
      {title: 'MAKES', cell: ({makes}) => formatMakes(makes, view), fit: 'end', spare: 1},
    ],
    view,
  )
  const left = items.filter(({state}) => state === 'to-do')
  const bytes = left.reduce((sum, item) => sum + (item.bytes ?? 0), 0)
  const losses = items.reduce((sum, item) => sum + item.losses.length, 0)
  return [
    ...formatContents(items, view),
    table,
    ...items.flatMap((item) => formatRefusal(item, view)),
    [
      formatLeft(items, bytes),
      ...(losses === 0 ? [] : [`${losses} ${losses === 1 ? 'loss' : 'losses'}; --json lists them.`]),
      ...formatSpace(report.space, view),
    ].join('\n'),
  ].join('\n\n')
}

/** `3 packages unchanged, 1 edited, 1 new`, and the files of each edited one; nothing of images alone. */
function formatContents(items: readonly MigrationItem[], view: TableView | undefined): string[] {
  const count = (content: Content) => items.filter((item) => item.content === content).length
  if (count('image') === items.length) return []
  const counts = (['unchanged', 'edited', 'new'] as const).flatMap((content) =>
    count(content) === 0 ? [] : [`${count(content)} ${content}`],
  )
  const lines = [`Packages: ${counts.join(', ')}.`]
  for (const {source, changes} of items.filter(({content}) => content === 'edited')) {
    lines.push(fitSentence(`Edited: ${printable(source)}`, view))
    const shown = view?.isWhole === true ? changes : changes.slice(0, MOST_SHOWN)
    for (const change of shown) {
      // Of what lies below the package, its own name; the package itself has just been named.
      const isOwn = source.endsWith(`:${change.package}`)
      const file = change.file === '' ? change.message : isOwn ? change.file : `${change.package}/${change.file}`
      lines.push(...formatChange(change.kind, printable(file), view))
    }
    const more = changes.length - shown.length
    if (more > 0) lines.push(`  and ${more} more; --no-trunc lists them`)
  }
  return [lines.join('\n')]
}

/** `  removed  Files/a.txt`; a long name goes on below its beginning. */
function formatChange(kind: string, file: string, view: TableView | undefined): string[] {
  const head = `  ${kind.padEnd('changed'.length)}  `
  const lines = view?.width === undefined ? [file] : wrapText(file, view.width - head.length)
  return lines.map((line, index) => `${index === 0 ? head : ' '.repeat(head.length)}${line}`)
}

/** Of a package of which nearly all was edited, the first files say it. */
const MOST_SHOWN = 20

function destinationOf({destination, tags = []}: MigrationItem): string {
  return tags.length === 0 ? destination : `${destination} (${tags.join(', ')})`
}

/** What a migration did. */
export function formatMigrated({batch, verified}: MigrateReport, view?: TableView): string {
  // That there was nothing to do has been said with the plan.
  const done = batch === undefined || isAllDone(batch) ? [] : [formatBatch(batch, view)]
  if (verified === undefined) return done.join('\n')
  const faulty = verified.filter(({ok}) => !ok)
  const lines = faulty.flatMap(({reference, faults}) => [
    labelled('', `Faults: ${reference}`, view),
    ...faults
      .slice(0, MOST_SHOWN)
      .map(({code, subject, message}) => labelled(`  ${code}: `, `${subject}: ${message}`, view)),
  ])
  const count = countOf(verified.length, 'artifact')
  const verdict = faulty.length === 0 ? `Verified ${count}: sound.` : `Verified ${count}: ${faulty.length} with faults.`
  return [...done, ...lines, verdict].join('\n')
}

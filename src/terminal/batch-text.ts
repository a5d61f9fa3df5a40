import type {BatchReport, ItemFailure} from '../batch/batch-report.js'
import type {DryRunReport} from '../batch/dry-run.js'
import type {EnqueueReport} from '../batch/queue/fleet.js'
import type {WorkerReport} from '../batch/queue/run-worker.js'
import type {PlanStep} from '../convert/plan.js'
import {printable} from '../model/printable.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {fitSentence} from './wrap-text.js'

/** What a batch did: failures in full, then the totals. */
export function formatBatch({items, totals, seconds}: BatchReport): string {
  const {alreadyDone, converted, failed, blocked, notStarted} = totals
  if (alreadyDone === totals.items)
    return `Nothing to do: ${all(totals.items)} done, as the journal says, and still there.`
  const lines = items.flatMap(({id, failure}) =>
    failure === undefined
      ? []
      : [
          `Failed: ${printable(id)}`,
          `  ${printable(failure.what)}`,
          ...(failure.why === undefined ? [] : [`  Why:   ${printable(failure.why)}`]),
          ...failure.suggestions.map((text) => `  Try:   ${printable(text)}`),
          `  Code:  ${failure.code}`,
        ],
  )
  const counts = [
    `${converted} converted`,
    ...(alreadyDone > 0 ? [`${alreadyDone} done before`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(blocked > 0 ? [`${blocked} not tried, since what they need failed`] : []),
    ...(notStarted > 0 ? [`${notStarted} not started`] : []),
    ...(totals.losses > 0 ? [`${totals.losses} losses`] : []),
    ...(totals.inexact > 0 ? [`${totals.inexact} not exact`] : []),
  ]
  const bytes = `Read ${formatBytes(totals.bytesRead)}, wrote ${formatBytes(totals.bytesWritten)} in ${formatSeconds(seconds)}.`
  const again = failed + blocked + notStarted > 0 ? ['Run the same command again to go on with what is left.'] : []
  return [...lines, `${counts.join(', ')}.`, bytes, ...again].join('\n')
}

function all(count: number): string {
  return count === 1 ? 'the only item is' : `all ${count} items are`
}

/** What a batch would do. */
export function formatDryRun({items, bytes, space}: DryRunReport, view?: TableView): string {
  const table = formatTable(
    items,
    [
      {title: 'STATE', cell: ({state}) => STATES[state]},
      {title: 'SIZE', cell: (item) => (item.bytes === undefined ? undefined : formatBytes(item.bytes)), align: 'right'},
      {title: 'SOURCE', cell: ({source}) => source, fit: 'middle'},
      {title: 'DESTINATION', cell: ({destination}) => destination, fit: 'middle'},
      {title: 'MAKES', cell: ({makes}) => formatMakes(makes), fit: 'end', spare: 2},
      {title: 'AFTER', cell: ({after}) => (after.length === 0 ? undefined : after.join(', ')), fit: 'end', spare: 1},
    ],
    view,
  )
  const left = items.filter(({state}) => state === 'to-do').length
  return [
    table,
    ...items.flatMap((item) => formatRefusal(item, view)),
    `${left} of ${items.length} items to convert, ${formatBytes(bytes)} to read.`,
    ...formatSpace(space, view),
  ].join('\n')
}

export const STATES = {'to-do': 'to do', 'already-done': 'done', refused: 'refused'} as const

/** What an item would make, and what becomes of each where something has its name already. */
export function formatMakes(makes: readonly PlanStep[]): string | undefined {
  const told = makes.map(({title, outcome}) =>
    outcome === undefined || outcome === 'written' ? title : `${title} (${outcome})`,
  )
  return told.length === 0 ? undefined : told.join(', ')
}

/** Why an item would fail. */
export function formatRefusal(
  {id, failure}: {readonly id: string; readonly failure?: ItemFailure},
  view: TableView | undefined,
): string[] {
  if (failure === undefined) return []
  return [
    [
      `Refused: ${printable(id)}`,
      fitSentence(`  ${printable(failure.what)}`, view),
      ...(failure.why === undefined ? [] : [fitSentence(`  Why:   ${printable(failure.why)}`, view)]),
      ...failure.suggestions.map((text) => fitSentence(`  Try:   ${printable(text)}`, view)),
      `  Code:  ${failure.code}`,
    ].join('\n'),
  ]
}

/** What each disk needs and has. */
export function formatSpace(space: DryRunReport['space'], view?: TableView): readonly string[] {
  return space.map((need) =>
    fitSentence(
      `Needs about ${formatBytes(need.neededBytes)} in ${printable(need.path)}, where ${formatBytes(need.freeBytes)} are free${
        need.isEnough ? '.' : ': not enough.'
      }`,
      view,
    ),
  )
}

/** What was put into a queue. */
export function formatEnqueued({items, added, attached, alreadyDone, queue}: EnqueueReport): string {
  const counts = [
    `${added} of ${items} items put into ${printable(queue)}`,
    ...(attached > 0 ? [`${attached} there already`] : []),
    ...(alreadyDone > 0 ? [`${alreadyDone} done before`] : []),
  ]
  return `${counts.join(', ')}.\nRun the same command without --detach to wait for them.`
}

/** What a worker did. */
export function formatWorker({converted, failed, givenBack, seconds}: WorkerReport): string {
  const counts = [
    `${converted} converted`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(givenBack > 0 ? [`${givenBack} given back`] : []),
  ]
  return `${counts.join(', ')} in ${formatSeconds(seconds)}.`
}

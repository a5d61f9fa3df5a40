import type {BatchReport, ItemFailure} from '../batch/batch-report.js'
import type {DryRunReport} from '../batch/dry-run.js'
import type {EnqueueReport} from '../batch/queue/fleet.js'
import type {WorkerReport} from '../batch/queue/run-worker.js'
import type {PlanStep} from '../convert/plan.js'
import {printable} from '../model/printable.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {formatInexact, formatItemFailure} from './item-text.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {fitSentence} from './wrap-text.js'

/** What a batch did: failures in full, what is not exact and why, then the totals. */
export function formatBatch(report: BatchReport, view?: TableView): string {
  const {items, totals, seconds} = report
  const {alreadyDone, converted, failed, blocked, notStarted} = totals
  if (isAllDone(report)) return `Nothing to do: ${all(totals.items)} done already, and still in place.`
  const failures = items.flatMap(({id, failure}) =>
    failure === undefined ? [] : [formatItemFailure(`Failed: ${id}`, failure, view)],
  )
  const isExact = totals.inexact === 0 && totals.losses === 0
  const exact = converted === 0 || !isExact ? '' : converted === 1 ? ', exact' : ', all exact'
  const counts = [
    ...(converted > 0 ? [`${converted} converted${exact}`] : []),
    ...(alreadyDone > 0 ? [`${alreadyDone} done before`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(blocked > 0 ? [`${blocked} blocked by a failed item`] : []),
    ...(notStarted > 0 ? [`${notStarted} not started`] : []),
    ...(totals.losses > 0 ? [totals.losses === 1 ? '1 loss' : `${totals.losses} losses`] : []),
    ...(totals.inexact > 0 ? [`${totals.inexact} not exact`] : []),
  ]
  const bytes = `Read ${formatBytes(totals.bytesRead)}, wrote ${formatBytes(totals.bytesWritten)} in ${formatSeconds(seconds)}.`
  const again = failed + blocked + notStarted > 0 ? ['Run the same command again to continue.'] : []
  const ending = [...(counts.length === 0 ? [] : [`${counts.join(', ')}.`]), bytes, ...again].join('\n')
  return [...failures, ...formatInexact(report, view), ending].join('\n\n')
}

/** True when an earlier run did everything. */
export function isAllDone({totals}: BatchReport): boolean {
  return totals.alreadyDone === totals.items
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
      {title: 'SOURCE', cell: ({source}) => source, fit: 'middle', least: 22},
      {title: 'DESTINATION', cell: ({destination}) => destination, fit: 'middle', least: 22},
      {title: 'MAKES', cell: ({makes}) => formatMakes(makes, view), fit: 'end', spare: 2},
      {title: 'AFTER', cell: ({after}) => (after.length === 0 ? undefined : after.join(', ')), fit: 'end', spare: 1},
    ],
    view,
  )
  return [
    table,
    ...items.flatMap((item) => formatRefusal(item, view)),
    formatLeft(items, bytes),
    ...formatSpace(space, view),
  ].join('\n')
}

/** `3 items to convert, 1.2 GiB to read.`, or `3 items: 2 to convert, 1 done already. 1.2 GiB to read.` */
export function formatLeft(items: readonly {readonly state: keyof typeof STATES}[], bytes: number): string {
  const count = (state: keyof typeof STATES) => items.filter((item) => item.state === state).length
  const [left, done, refused] = [count('to-do'), count('already-done'), count('refused')]
  if (left === items.length) return `${countOf(left, 'item')} to convert, ${formatBytes(bytes)} to read.`
  if (done === items.length) return `Nothing to convert: ${all(done)} done already.`
  if (refused === items.length) return `Nothing to convert: ${all(refused)} refused.`
  const parts = [
    ...(left > 0 ? [`${left} to convert`] : []),
    ...(done > 0 ? [`${done} done already`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
  ]
  const read = left > 0 ? ` ${formatBytes(bytes)} to read.` : ''
  return `${countOf(items.length, 'item')}: ${parts.join(', ')}.${read}`
}

/** `1 item`, `2 items`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

export const STATES = {'to-do': 'to do', 'already-done': 'done', refused: 'refused'} as const

/**
 * What an item would make, and what becomes of it where something has its name already. Of several on a terminal, which has
 * no room for their names, how many.
 */
export function formatMakes(makes: readonly PlanStep[], view?: TableView): string | undefined {
  const isUsual = (outcome: PlanStep['outcome']) => outcome === undefined || outcome === 'written'
  if (makes.length > 1 && view?.width !== undefined) {
    const outcomes = new Map<string, number>()
    for (const {outcome} of makes)
      if (outcome !== undefined && !isUsual(outcome)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const told = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ')
    return `${countOf(makes.length, makes[0]?.kind ?? 'item')}${told === '' ? '' : ` (${told})`}`
  }
  const told = makes.map(({title, outcome}) => (isUsual(outcome) ? title : `${title} (${outcome})`))
  return told.length === 0 ? undefined : told.join(', ')
}

/** Why an item would fail. */
export function formatRefusal(
  {id, failure}: {readonly id: string; readonly failure?: ItemFailure},
  view: TableView | undefined,
): string[] {
  return failure === undefined ? [] : [formatItemFailure(`Refused: ${id}`, failure, view)]
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
    `${added} of ${countOf(items, 'item')} put into ${printable(queue)}`,
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

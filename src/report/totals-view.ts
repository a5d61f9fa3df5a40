import type {BatchReport, BatchTotals, ItemState} from '../batch/batch-report.js'
import {ITEM_STATES, stateText} from './state-text.js'

export interface StateCount {
  readonly state: ItemState
  readonly name: string
  readonly count: number
}

/** How many items ended how: all states, those without items too. */
export function stateCounts(totals: BatchTotals): readonly StateCount[] {
  const counts: Readonly<Record<ItemState, number>> = {
    converted: totals.converted,
    'already-done': totals.alreadyDone,
    failed: totals.failed,
    blocked: totals.blocked,
    'not-started': totals.notStarted,
  }
  return ITEM_STATES.map((state) => ({state, name: stateText(state), count: counts[state]}))
}

/** The same as lengths of a bar that is 1000 units long, without states that no item has. */
export function stateBar(totals: BatchTotals): readonly {state: ItemState; x: number; width: number}[] {
  let x = 0
  return stateCounts(totals)
    .filter(({count}) => count > 0)
    .map(({state, count}) => {
      // A single failure among thousands must still be seen.
      const width = Math.max(6, Math.round((1000 * count) / totals.items))
      const part = {state, x, width}
      x += width
      return part
    })
}

export interface Verdict {
  readonly tone: 'good' | 'bad' | 'mixed'
  readonly text: string
}

/** The outcome in a sentence. */
export function verdictOf({totals, failure}: BatchReport): Verdict {
  if (failure !== undefined) return {tone: 'bad', text: 'The batch as a whole failed.'}
  const done = totals.converted + totals.alreadyDone
  if (totals.items === 0) return {tone: 'mixed', text: 'The plan has no items.'}
  if (done < totals.items) {
    const text = totals.items === 1 ? 'The conversion failed.' : `${done} of ${totals.items} items are done.`
    return {tone: 'bad', text}
  }
  const what = totals.items === 1 ? 'Converted' : `All ${totals.items} items are done`
  if (totals.losses > 0) return {tone: 'mixed', text: `${what}, with ${count(totals.losses, 'loss', 'losses')}.`}
  if (totals.inexact > 0) {
    const whose = totals.items === 1 ? 'the way back is not exact' : `${totals.inexact} not exactly reversible`
    return {tone: 'mixed', text: `${what}; ${whose}. Nothing was lost.`}
  }
  return {tone: 'good', text: `${what}, exactly: converting back gives the same bytes.`}
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

import type {BatchReport, ItemReport} from '../batch/batch-report.js'
import {groupBy} from '../model/group-by.js'
import {anchorOf} from './item-view.js'
import {nextStep} from './next-steps.js'

/** Items named in a row before it says how many more there are. */
const ITEMS_NAMED = 6

/** One cause, however many items it has struck. */
export interface AttentionRow {
  readonly kind: 'Failed' | 'Blocked' | 'Not started' | 'Loss' | 'Not exact' | 'Note'
  readonly code: string
  readonly times: number
  /** The message, of the first. */
  readonly message: string
  /** What a reader can do about it. */
  readonly step: string
  readonly items: readonly {readonly id: string; readonly anchor: string}[]
  readonly more: number
}

interface Occurrence {
  readonly kind: AttentionRow['kind']
  readonly code: string
  readonly message: string
  readonly step: string
  readonly index: number
}

const KINDS: readonly AttentionRow['kind'][] = ['Failed', 'Blocked', 'Not started', 'Loss', 'Not exact', 'Note']

function occurrencesOf(item: ItemReport, index: number): Occurrence[] {
  const {state, failure, result} = item
  const first: Occurrence[] = []
  if (failure !== undefined) {
    const {code, what, suggestions} = failure
    first.push({kind: 'Failed', code, message: what, step: suggestions[0] ?? '', index})
  }
  if (state === 'blocked')
    first.push({
      kind: 'Blocked',
      code: '',
      message: 'Not tried: an item that it depends on failed.',
      step: 'Mend that item, then run the same command again.',
      index,
    })
  if (state === 'not-started')
    first.push({
      kind: 'Not started',
      code: '',
      message: 'The run ended before this item started.',
      step: 'Run the same command again. It goes on where it stopped.',
      index,
    })
  const told = (kind: 'Loss' | 'Not exact' | 'Note', findings: readonly {code: string; message: string}[] = []) =>
    findings.map(({code, message}) => ({kind, code, message, step: nextStep(kind, code), index}))
  return [
    ...first,
    ...told('Loss', result?.losses),
    ...told('Not exact', result?.inexact),
    ...told('Note', result?.notes),
  ]
}

/** What a reader should look at, by cause: failures first, then what was lost, most frequent first. */
export function attentionRows({items}: BatchReport): readonly AttentionRow[] {
  const groups = groupBy(items.flatMap(occurrencesOf), ({kind, code}) => `${kind}\0${code}`)
  const rows = [...groups.values()].flatMap((found) => {
    const [first] = found
    if (first === undefined) return []
    const indexes = [...new Set(found.map(({index}) => index))]
    return [
      {
        kind: first.kind,
        code: first.code,
        times: found.length,
        message: first.message,
        step: first.step,
        items: indexes.slice(0, ITEMS_NAMED).map((index) => ({id: items[index]?.id ?? '', anchor: anchorOf(index)})),
        more: Math.max(0, indexes.length - ITEMS_NAMED),
      },
    ]
  })
  return rows.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || b.times - a.times)
}

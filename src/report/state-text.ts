import type {ItemState} from '../batch/batch-report.js'

const TEXTS: Readonly<Record<ItemState, string>> = {
  converted: 'Converted',
  'already-done': 'Already done',
  failed: 'Failed',
  blocked: 'Blocked',
  'not-started': 'Not started',
}

/** The states in the order in which a report counts them. */
export const ITEM_STATES = Object.keys(TEXTS) as readonly ItemState[]

export function stateText(state: ItemState): string {
  return TEXTS[state]
}

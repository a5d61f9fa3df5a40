import {InputError, UsageError} from '../model/errors.js'
import type {ContainerRow} from './container-row.js'

/**
 * The one container that `text` means: its whole id or name, else the start of one id, as Docker reads it; with
 * `NAMESPACE/` in front only of that namespace of containerd. Throws `NOT_FOUND`, and `AMBIGUOUS_SELECTION` rather than
 * guessing which one is to be ended.
 */
export function selectContainer(rows: readonly ContainerRow[], text: string): ContainerRow {
  const whole = rows.filter(
    (row) => row.id === text || row.name === text || qualified(row, text, (id, part) => id === part),
  )
  const starting = text === '' ? [] : rows.filter((row) => startsWith(row.id, text) || qualified(row, text, startsWith))
  const matching = whole.length > 0 ? whole : starting
  const [first, ...others] = matching
  if (first === undefined) {
    throw new InputError('NOT_FOUND', {
      what: `No container '${text}' exists.`,
      suggestions: ['List the containers: transship containers list --all'],
    })
  }
  if (others.length > 0) {
    throw new UsageError('AMBIGUOUS_SELECTION', {
      what: `'${text}' matches ${matching.length} containers.`,
      suggestions: matching.slice(0, 10).map((row) => {
        const scope = row.namespace === undefined ? '' : `${row.namespace}/`
        return `${scope}${row.id} (${row.name}, ${row.manager})`
      }),
    })
  }
  return first
}

function startsWith(id: string, text: string): boolean {
  return id.startsWith(text)
}

function qualified(row: ContainerRow, text: string, matches: (id: string, part: string) => boolean): boolean {
  if (row.namespace === undefined || !text.startsWith(`${row.namespace}/`)) return false
  const part = text.slice(row.namespace.length + 1)
  return part !== '' && matches(row.id, part)
}

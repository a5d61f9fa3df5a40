import type {ContainerList} from '../runtime/list-containers.js'
import type {ContainerOutcome, EndResult} from '../runtime/stop-containers.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import type {ContainerRow} from '../runtime/container-row.js'
import {formatRows} from './format-rows.js'
import type {Column} from './table-column.js'
import {formatTable} from './table.js'
import type {TableView} from './table-view.js'

/** Docker's own length: enough to tell thousands of containers apart. */
const ID_LENGTH = 12

/** One row for each container. `format`: a template of `--format`. */
export function formatContainers({containers}: ContainerList, view?: TableView, format?: string): string {
  if (format !== undefined) {
    const row = {document: 'containers-list', path: ['containers', '*'], columns: columnsOf(view)}
    return formatRows(containers, format, row, view)
  }
  if (containers.length === 0) return 'No container is there.'
  return formatTable(containers, columnsOf(view), view)
}

function columnsOf(view: TableView | undefined): readonly Column<ContainerRow>[] {
  return [
    {
      title: 'ID',
      cell: ({id}) => (view?.isWhole !== true && /^[0-9a-f]{64}$/.test(id) ? id.slice(0, ID_LENGTH) : id),
    },
    {title: 'NAME', cell: ({name}) => name, fit: 'middle', least: 18},
    {title: 'MANAGER', cell: ({manager}) => manager, fit: 'end'},
    {title: 'NAMESPACE', cell: ({namespace}) => namespace, spare: 5},
    {title: 'IMAGE', cell: ({image}) => image, fit: 'middle', least: 20},
    {title: 'STATE', cell: ({state}) => state},
    {title: 'OS', cell: ({os}) => os, spare: 2},
    {title: 'ISOLATION', cell: ({isolation}) => isolation, spare: 3},
    {title: 'PID', cell: ({pid}) => pid?.toString(), align: 'right', spare: 1},
    {
      title: 'MEMORY',
      cell: ({memoryBytes}) => (memoryBytes === undefined ? undefined : formatBytes(memoryBytes)),
      align: 'right',
      spare: 6,
      order: ({memoryBytes}) => memoryBytes,
    },
    {
      title: 'CPU TIME',
      cell: ({cpuSeconds}) => (cpuSeconds === undefined ? undefined : formatSeconds(cpuSeconds)),
      align: 'right',
      spare: 4,
      order: ({cpuSeconds}) => cpuSeconds,
    },
    {title: 'STARTED', cell: ({startedAt}) => startedAt?.slice(0, 19), spare: 7},
  ]
}

/** One line for each container that was to be ended. */
export function formatEnded({containers}: EndResult): string {
  return containers.map(lineOf).join('\n')
}

function lineOf({asked, name, outcome, via, attempts, error}: ContainerOutcome): string {
  const subject = name === undefined || name === '' || name === asked ? asked : `${asked} (${name})`
  if (outcome === 'failed') return [`${subject}: ${error?.code ?? 'failed'}`, ...detailsOf(error)].join('\n')
  const past = attempts.map((attempt) => attempt.via)
  const way = via === undefined ? '' : ` by ${via}${past.length === 0 ? '' : `, past ${past.join(', ')}`}`
  return `${subject}: ${outcome}${way}`
}

function detailsOf(error: ContainerOutcome['error']): readonly string[] {
  if (error === undefined) return []
  return [`  ${error.message}`, ...error.suggestions.map((suggestion) => `  Try: ${suggestion}`)]
}

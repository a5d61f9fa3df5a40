import type {ContainerList} from '../runtime/list-containers.js'
import type {ContainerOutcome, EndResult} from '../runtime/stop-containers.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {formatTable} from './table.js'

/** Docker's own length: enough to tell thousands of containers apart. */
const ID_LENGTH = 12

/** One row for each container. */
export function formatContainers({containers}: ContainerList): string {
  if (containers.length === 0) return 'No container is there.'
  return formatTable(containers, [
    {title: 'ID', cell: ({id}) => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, ID_LENGTH) : id)},
    {title: 'NAME', cell: ({name}) => name},
    {title: 'MANAGER', cell: ({manager}) => manager},
    {title: 'NAMESPACE', cell: ({namespace}) => namespace},
    {title: 'IMAGE', cell: ({image}) => image},
    {title: 'STATE', cell: ({state}) => state},
    {title: 'OS', cell: ({os}) => os},
    {title: 'ISOLATION', cell: ({isolation}) => isolation},
    {title: 'PID', cell: ({pid}) => pid?.toString(), align: 'right'},
    {
      title: 'MEMORY',
      cell: ({memoryBytes}) => (memoryBytes === undefined ? undefined : formatBytes(memoryBytes)),
      align: 'right',
    },
    {
      title: 'CPU TIME',
      cell: ({cpuSeconds}) => (cpuSeconds === undefined ? undefined : formatSeconds(cpuSeconds)),
      align: 'right',
    },
    {title: 'STARTED', cell: ({startedAt}) => startedAt?.slice(0, 19)},
  ])
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

import type {HostReport} from '../runtime/diagnose-host.js'
import {formatTable} from './table.js'

/** One row for each check, with what to do where something is missing. */
export function formatDiagnosis({platform, architecture, node, checks}: HostReport): string {
  const table = formatTable(checks, [
    {title: 'CHECK', cell: ({name}) => name},
    {title: 'STATE', cell: ({state}) => state},
    {title: 'FOUND', cell: ({found}) => found},
    {title: 'WHAT TO DO', cell: ({state, advice}) => (state === 'ok' ? undefined : advice)},
  ])
  return `Node ${node.replace(/^v/, '')} on ${platform} ${architecture}\n\n${table}`
}

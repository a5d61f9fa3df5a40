import type {CleanReport} from '../disk/clean-folder.js'
import type {HostReport} from '../runtime/diagnose-host.js'
import {printable} from '../model/printable.js'
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

/** One row for each left-over, or that there was none. */
export function formatCleaning({folder, items}: CleanReport): string {
  if (items.length === 0) return `Nothing is left over in ${printable(folder)}.`
  return formatTable(items, [
    {title: 'LEFT OVER', cell: ({name}) => name},
    {title: 'OUTCOME', cell: ({outcome}) => outcome},
    {title: 'WHY', cell: ({why}) => why},
  ])
}

import {LIMITS, type Limit} from './limits.js'
import {formatBytes, formatSeconds} from './quantities.js'

function valueOf({value, unit}: Limit): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value)
    case 'bytes a second':
      return `${formatBytes(value)} a second`
    case 'seconds':
      return formatSeconds(value)
    default:
      return `${value.toLocaleString('en-US')} ${unit}`
  }
}

/** The table of `docs/security.md`, as Markdown. */
export function formatLimits(): string {
  const rows = Object.values(LIMITS).map((limit: Limit) => {
    const option = limit.option === undefined ? '' : `\`--${limit.option}\``
    return `| ${limit.bounds} | ${valueOf(limit)} | ${option} |`
  })
  return ['| what is bounded | by default | option |', '|---|---|---|', ...rows, ''].join('\n')
}

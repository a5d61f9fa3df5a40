import {printable} from '../model/printable.js'
import type {ConfigPlace} from './config-file.js'
import {isDefaultable, variableOf, type ConfigValues} from './flag-defaults.js'
import {formatFields, formatTable} from './table.js'
import type {TableView} from './table-view.js'

/** What `config` prints with `--json`. Schema: `src/schemas/config.schema.json`. */
export interface ConfigReport {
  /** Undefined where the file is turned off. */
  readonly path?: string
  readonly exists: boolean
  readonly values: readonly {
    readonly flag: string
    readonly value: unknown
    readonly from: 'environment' | 'file'
    /** Variable that sets it, or would. */
    readonly variable: string
  }[]
  /** Variables that begin like ours and name no flag. */
  readonly unknownVariables: readonly string[]
}

/** Variables of ours that belong to no flag. */
const OTHERS: ReadonlySet<string> = new Set(['TRANSSHIP_CONFIG', 'TRANSSHIP_QUEUE_PASSWORD'])

/** The defaults that hold now, by flag. */
export function reportConfig(
  place: ConfigPlace | undefined,
  config: ConfigValues | undefined,
  {flags, env}: {readonly flags: ReadonlySet<string>; readonly env: Readonly<Record<string, string | undefined>>},
): ConfigReport {
  const values = [...flags].filter(isDefaultable).flatMap((flag): ConfigReport['values'] => {
    const variable = variableOf(flag)
    const set = env[variable]
    if (set !== undefined && set !== '') return [{flag, value: set, from: 'environment', variable}]
    if (config === undefined || !Object.hasOwn(config.values, flag)) return []
    return [{flag, value: config.values[flag], from: 'file', variable}]
  })
  const variables = new Set([...flags].map(variableOf))
  return {
    ...(place === undefined ? {} : {path: place.path}),
    exists: config !== undefined,
    values: values.sort((left, right) => (left.flag < right.flag ? -1 : 1)),
    unknownVariables: Object.keys(env)
      .filter((name) => name.startsWith('TRANSSHIP_') && !variables.has(name) && !OTHERS.has(name))
      .sort(),
  }
}

/** The file and the defaults that hold. */
export function formatConfig({path, exists, values, unknownVariables}: ConfigReport, view?: TableView): string {
  const head = formatFields(
    [['File', path === undefined ? 'turned off' : `${path}${exists ? '' : ' (does not exist)'}`]],
    view,
  )
  const table = formatTable(
    values,
    [
      {title: 'FLAG', cell: ({flag}) => `--${flag}`},
      {title: 'VALUE', cell: ({value}) => (typeof value === 'string' ? value : JSON.stringify(value)), fit: 'end'},
      {title: 'FROM', cell: ({from, variable}) => (from === 'file' ? 'file' : variable)},
    ],
    view,
  )
  const unknown = unknownVariables.map((name) => `Warning: ${printable(name)} names no flag.`).join('\n')
  return [head, values.length === 0 ? 'No default is set.' : table, unknown].filter((part) => part !== '').join('\n\n')
}

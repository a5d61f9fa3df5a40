import type {InspectedLayer, InspectedPackage, InspectReport} from '../convert/inspect.js'
import {printable} from '../model/printable.js'
import {formatBytes} from '../model/quantities.js'
import {formatRows} from './format-rows.js'
import {formatFields, formatTable} from './table.js'
import type {Column} from './table-column.js'
import type {TableView} from './table-view.js'

function formatPlatform({platform}: InspectReport): string {
  const version = platform.osVersion === undefined ? '' : ` ${platform.osVersion}`
  const features = platform.osFeatures?.length ? ` (${platform.osFeatures.join(', ')})` : ''
  return `${platform.os}/${platform.architecture}${version}${features}`
}

function packageFields(described: InspectedPackage | undefined): readonly (readonly [string, string | undefined])[] {
  if (described === undefined) return []
  return [
    ['Package', described.identity],
    ['Friendly name', described.friendlyName],
    ['Description', described.description],
    ['Created', described.createdTime],
    ['OS image', described.isOsImage ? 'yes' : undefined],
    ['Depends on', described.dependencies.length === 0 ? undefined : described.dependencies.join(', ')],
  ]
}

/** What other tools offer of an image by these names, and is deeper in our document. */
const COLUMNS: readonly Column<InspectReport>[] = [
  {title: 'NAME', cell: ({names, layers}) => layers.at(-1)?.package?.identity ?? names[0]},
  {title: 'DIGEST', cell: ({manifestDigest}) => manifestDigest},
  {title: 'OS', cell: ({platform}) => platform.os},
  {title: 'ARCHITECTURE', cell: ({platform}) => platform.architecture},
  {title: 'VERSION', cell: ({platform}) => platform.osVersion},
  {title: 'SIZE', cell: ({sizeBytes}) => (sizeBytes === undefined ? undefined : formatBytes(sizeBytes))},
]

/** What a layer is called in a line: its package, or its digest. */
function layerName(layer: InspectedLayer): string {
  return layer.package?.identity ?? layer.diffId ?? layer.digest ?? layer.title
}

/** The settings of an image are the fields of `.Config` to docker, and those of its `config` in the document itself. */
function settingsOf({config}: InspectReport): ReadonlyMap<unknown, unknown> {
  const {config: settings} = (config ?? {}) as {readonly config?: unknown}
  return new Map([[config, settings]])
}

/** Metadata, layers (base first) and warnings. `format`: a template of `--format`; the whole report is the row. */
export function formatInspect(report: InspectReport, view?: TableView, format?: string): string {
  if (format !== undefined)
    return formatRows([report], format, {document: 'inspect', columns: COLUMNS, elsewhere: settingsOf})
  const head = formatFields(
    [
      ['Reference', report.reference],
      ['Names', report.names.length === 0 ? undefined : report.names.join(', ')],
      ['Image ID', report.imageId],
      ['Manifest', report.manifestDigest],
      ['Platform', formatPlatform(report)],
      ...packageFields(report.layers.at(-1)?.package),
      ['Builds on', report.namedBase?.name],
      ['Stored size', report.sizeBytes === undefined ? undefined : formatBytes(report.sizeBytes)],
    ],
    view,
  )
  const layers = formatTable(
    report.layers.map((layer, index) => ({layer, index})),
    [
      {title: 'LAYER', cell: ({index}) => String(index), align: 'right'},
      {title: 'NAME', cell: ({layer}) => layerName(layer), fit: 'middle'},
      {title: 'FORM', cell: ({layer}) => layer.form},
      {
        title: 'STORED',
        cell: ({layer}) => (layer.size === undefined ? undefined : formatBytes(layer.size)),
        align: 'right',
        order: ({layer}) => layer.size,
      },
      {title: 'COMPRESSION', cell: ({layer}) => layer.compression, spare: 1},
      {title: 'CONTENT', cell: ({layer}) => (layer.hasContent ? undefined : 'only named')},
    ],
    view,
  )
  const pins = formatTable(
    report.layers.flatMap(({pins = []}, index) => pins.map((pin) => ({pin, index}))),
    [
      {title: 'LAYER', cell: ({index}) => String(index), align: 'right'},
      {title: 'COMPRESSED FORM', cell: ({pin}) => pin.digest},
      {title: 'SIZE', cell: ({pin}) => formatBytes(pin.size), align: 'right', order: ({pin}) => pin.size},
      {
        title: 'STORED',
        cell: ({pin}) => formatBytes(pin.storedBytes),
        align: 'right',
        order: ({pin}) => pin.storedBytes,
      },
      {title: 'ENCODER', cell: ({pin}) => pin.encoder},
    ],
    view,
  )
  const referrers =
    (report.referrers ?? []).length === 0
      ? ''
      : formatTable(
          report.referrers ?? [],
          [
            {title: 'REFERRED TO BY', cell: ({artifactType}) => artifactType},
            {title: 'DIGEST', cell: ({digest}) => digest, fit: 'end'},
            {title: 'SIZE', cell: ({size}) => formatBytes(size), align: 'right', order: ({size}) => size},
            {title: 'TAG', cell: ({tag}) => tag, fit: 'middle', spare: 1},
          ],
          view,
        )
  const warnings = report.warnings.map(({code, message}) => `Warning: ${printable(message)} (${code})`).join('\n')
  const hasPins = report.layers.some((layer) => layer.pins !== undefined)
  return [head, layers, hasPins ? pins : '', referrers, warnings].filter((part) => part !== '').join('\n\n')
}

/** The top on the first line, and what each layer builds on below it, one step further in. */
export function formatLayerTree(report: InspectReport): string {
  const top = report.names[0] ?? report.reference
  const levels = [...report.layers].reverse().map((layer) => {
    const parts = [layer.form, layer.size === undefined ? undefined : formatBytes(layer.size)]
    const facts = [...parts, layer.hasContent ? undefined : 'only named'].filter((part) => part !== undefined)
    return facts.length === 0 ? layerName(layer) : `${layerName(layer)} (${facts.join(', ')})`
  })
  if (report.namedBase !== undefined) levels.push(`${report.namedBase.name} (only named)`)
  const lines = levels.map((level, depth) => `${'   '.repeat(depth)}└─ ${printable(level)}`)
  return [printable(top), ...lines].join('\n')
}
